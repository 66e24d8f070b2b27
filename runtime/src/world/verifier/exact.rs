//! The response is the answer.

use super::Verifier;
use crate::world::rows::Row;

/// Right when the response, without the white space around it, is the row's answer.
///
/// A row without an answer is not judged. Whether the response finished does not matter here: what
/// was cut off is a different text.
#[derive(Clone, Copy, Debug, Default)]
pub struct Exact;

impl Verifier for Exact {
    fn name(&self) -> &str {
        "exact"
    }

    fn judge(&self, row: &Row, response: &str, _finished: bool) -> Result<Option<bool>, String> {
        Ok(row.answer.as_deref().map(|answer| response.trim() == answer.trim()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_compares_trimmed_and_leaves_rows_without_answer_alone() {
        let mut row = Row::new("what is it?");
        assert_eq!(Exact.judge(&row, "42", true), Ok(None));
        row.answer = Some("42".into());
        assert_eq!(Exact.judge(&row, " 42\n", true), Ok(Some(true)));
        assert_eq!(Exact.judge(&row, "4 2", true), Ok(Some(false)));
        assert_eq!(Exact.judge(&row, "", true), Ok(Some(false)));
    }
}
