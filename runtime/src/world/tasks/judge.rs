//! The verifiers of the tasks: the prompt is worked again, and only the final result counts.

use super::TaskDomain;
use crate::world::rows::Row;
use crate::world::verifier::Verifier;

/// Judges responses to the prompts of one domain.
///
/// Right is what has finished, has exactly one `=`, and has the true final result after it; the
/// steps before it are not looked at. What follows a newline does not count.
#[derive(Clone, Copy, Debug)]
pub struct TaskVerifier {
    domain: TaskDomain,
}

impl TaskVerifier {
    /// The verifier of `domain`.
    pub fn new(domain: TaskDomain) -> Self {
        Self { domain }
    }
}

impl Verifier for TaskVerifier {
    fn name(&self) -> &str {
        self.domain.name()
    }

    fn judge(&self, row: &Row, response: &str, finished: bool) -> Result<Option<bool>, String> {
        let prompt = row.prompt.plain().ok_or("a task prompt is plain text, not a chat")?;
        let problem = self.domain.solve(prompt).map_err(|why| format!("{prompt:?}: {why}"))?;
        let truth = problem.answer();
        if let Some(answer) = row.answer.as_deref().filter(|answer| *answer != truth) {
            return Err(format!(
                "{prompt:?}: the answer column says {answer:?}, but the result is {truth:?}"
            ));
        }
        let line = response.split('\n').next().unwrap_or_default();
        let given = line.split_once('=').map(|(_steps, result)| result);
        Ok(Some(finished && given == Some(truth)))
    }

    /// Of a wrong response: the true results of all steps but the last, which are the problem's hints.
    fn feedback(&self, row: &Row, response: &str, finished: bool) -> Option<String> {
        if self.judge(row, response, finished) != Ok(Some(false)) {
            return None;
        }
        let problem = self.domain.solve(row.prompt.plain()?).ok()?;
        Some(problem.hints()).filter(|hints| !hints.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(domain: TaskDomain, row: &Row, response: &str, finished: bool) -> Result<Option<bool>, String> {
        TaskVerifier::new(domain).judge(row, response, finished)
    }

    #[test]
    fn only_the_final_result_counts() {
        let row = Row::new("^m43*9-6-7*5?87;81;74>");
        for (response, right) in [
            ("*9:87;-6:81;-7:74;*5=70", true),
            ("=70", true),
            ("=70\n=71", true),
            ("nonsense=70", true),
            ("70", false),
            ("=70 ", false),
            ("=7", false),
            ("=70=70", false),
            ("*9=87;*5=70", false),
            ("", false),
        ] {
            assert_eq!(judge(TaskDomain::Math, &row, response, true), Ok(Some(right)), "{response}");
            assert_eq!(judge(TaskDomain::Math, &row, response, false), Ok(Some(false)), "{response}");
        }
    }

    #[test]
    fn a_wrong_response_is_told_the_steps_and_a_right_one_nothing() {
        let feedback =
            |row: &Row, said, finished| TaskVerifier::new(TaskDomain::Math).feedback(row, said, finished);
        let row = Row::new("^m43*9-6-7*5?87;81;74>");
        assert_eq!(feedback(&row, "=71", true).as_deref(), Some("87;81;74"));
        assert_eq!(feedback(&row, "=70", false).as_deref(), Some("87;81;74"), "cut off");
        assert_eq!(feedback(&row, "=70", true), None);
        assert_eq!(feedback(&Row::new("^m43*9>"), "=71", true), None, "one step has no hints");
        assert_eq!(feedback(&Row::new("What is 4 + 5?"), "=71", true), None, "not judged");
    }

    #[test]
    fn what_cannot_be_judged_is_an_error_and_never_wrong() {
        let mut row = Row::new("What is 4 + 5?");
        assert!(judge(TaskDomain::Math, &row, "=09", true).unwrap_err().contains("ends with `>`"));
        row.prompt = "^cl:12>".into();
        assert!(judge(TaskDomain::Math, &row, "=21", true).is_err());
        assert_eq!(judge(TaskDomain::Code, &row, "l=21", true), Ok(Some(true)));
        row.answer = Some("12".into());
        assert!(judge(TaskDomain::Code, &row, "l=12", true).unwrap_err().contains("answer column"));
    }
}
