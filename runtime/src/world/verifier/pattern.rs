//! A regular expression finds the answer.

use regex::Regex;

use super::Verifier;
use crate::error::{Error, Result};
use crate::world::rows::Row;

/// The row's answer, in a pattern.
const ANSWER: &str = "{answer}";

/// Right when what a regular expression finds is the row's answer.
///
/// - A pattern with `{answer}` in it is right when it matches anywhere in the response, with the row's answer, letter
///   for letter, in that place: `(?i)\bthe move is {answer}\b`.
/// - Any other pattern finds the answer: of its last match the first group, or all of it where it has no group, is
///   the row's answer but for white space around both: `(?i)answer: (yes|no)`. With no match it is wrong.
///
/// The syntax is that of the crate `regex`, whose time grows with the length of the response and no faster. A row
/// without an answer is not judged.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    /// The pattern, where it does not depend on the row.
    fixed: Option<Regex>,
}

impl Pattern {
    /// The verifier of a pattern.
    ///
    /// # Errors
    /// Text that is no regular expression.
    pub fn new(text: &str) -> Result<Self> {
        let fixed = if text.contains(ANSWER) {
            compiled(text, "x").map(|_| None)
        } else {
            Regex::new(text).map(Some).map_err(|why| why.to_string())
        };
        let next = "the syntax is that of docs.rs/regex; in a run file r\"…\" keeps backslashes as they are";
        match fixed {
            Ok(fixed) => Ok(Self { text: text.to_string(), fixed }),
            Err(why) => Err(Error::call(format!("is no regular expression: {why}")).next(next)),
        }
    }
}

fn compiled(text: &str, answer: &str) -> Result<Regex, String> {
    Regex::new(&text.replace(ANSWER, &format!("(?:{})", regex::escape(answer))))
        .map_err(|why| why.to_string())
}

impl Verifier for Pattern {
    fn name(&self) -> &str {
        "pattern"
    }

    fn judge(&self, row: &Row, response: &str, _finished: bool) -> Result<Option<bool>, String> {
        let Some(answer) = row.answer.as_deref().map(str::trim) else { return Ok(None) };
        let Some(pattern) = &self.fixed else {
            return Ok(Some(compiled(&self.text, answer)?.is_match(response)));
        };
        let found = pattern.captures_iter(response).last();
        let said = found.as_ref().and_then(|found| if found.len() > 1 { found.get(1) } else { found.get(0) });
        Ok(Some(said.is_some_and(|said| said.as_str().trim() == answer)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(pattern: &str, response: &str) -> Option<bool> {
        let row = Row { answer: Some("a.b".into()), ..Row::new("?") };
        Pattern::new(pattern).unwrap().judge(&row, response, true).unwrap()
    }

    #[test]
    fn the_last_match_is_the_answer() {
        assert_eq!(judge("answer: (.*)", "answer: x\nanswer: a.b "), Some(true));
        assert_eq!(judge("answer: (.*)", "answer: a.b\nanswer: x"), Some(false));
        assert_eq!(judge(r"[a-z]\.[a-z]", "it is a.b!"), Some(true), "without a group, all of it");
        assert_eq!(judge("answer: (.*)", "a.b"), Some(false), "no match");
        assert_eq!(judge("x|answer: (.*)", "answer: a.b x"), Some(false), "a group that took no part");
    }

    #[test]
    fn an_answer_in_the_pattern_stands_for_its_letters() {
        assert_eq!(judge("^the move is {answer}$", "the move is a.b"), Some(true));
        assert_eq!(judge("^the move is {answer}$", "the move is axb"), Some(false), "a point is a point");
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for pattern in ["(", "({answer}", "a{2,1}"] {
            assert!(Pattern::new(pattern).unwrap_err().to_string().contains("no regular expression"));
        }
        let row = Row::new("?");
        assert_eq!(Pattern::new("x").unwrap().judge(&row, "x", true), Ok(None));
    }
}
