//! Verifiers: is a response right, wrong, or not to be judged?

use std::sync::Arc;

use super::rows::Row;
use super::tasks::{TaskDomain, TaskVerifier};

/// Judges responses.
pub trait Verifier: Send + Sync {
    /// What it is called in logs.
    fn name(&self) -> &str;

    /// Is `response` right? `finished` says that it ended by itself instead of being cut off.
    ///
    /// `Ok(None)`: there is nothing to judge by. `Err`: the verifier failed, with the reason; such a
    /// response is not judged, and it is never called wrong.
    fn judge(&self, row: &Row, response: &str, finished: bool) -> Result<Option<bool>, String>;

    /// What the environment says of this very response, for a teacher to read: an error message, failed
    /// tests, where it went wrong. `None` when there is nothing to say.
    fn feedback(&self, _row: &Row, _response: &str, _finished: bool) -> Option<String> {
        None
    }
}

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

/// The verifier of a domain: the tasks of this crate have their own, everything else gets [`Exact`].
pub fn for_domain(domain: &str) -> Arc<dyn Verifier> {
    match TaskDomain::named(domain) {
        Some(task) => Arc::new(TaskVerifier::new(task)),
        None => Arc::new(Exact),
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

    #[test]
    fn the_tasks_have_verifiers_of_their_own() {
        let names = ["math", "code", "law", ""].map(|domain| for_domain(domain).name().to_owned());
        assert_eq!(names, ["math", "code", "exact", "exact"]);
    }
}
