//! The verifier of scenes.

use crate::world::rows::Row;
use crate::world::verifier::Verifier;

/// Judges answers to questions about scenes: right is what has finished, has exactly one `=`, and has the row's answer
/// after it. What stands before it is not looked at, nor what follows a newline.
#[derive(Clone, Copy, Debug)]
pub struct SceneVerifier;

impl Verifier for SceneVerifier {
    fn name(&self) -> &str {
        super::DOMAIN
    }

    fn judge(&self, row: &Row, response: &str, finished: bool) -> Result<Option<bool>, String> {
        let Some(truth) = row.answer.as_deref() else { return Ok(None) };
        let line = response.split('\n').next().unwrap_or_default();
        let given = line.split_once('=').map(|(_steps, result)| result);
        Ok(Some(finished && given == Some(truth)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_result_counts() {
        let row = Row { answer: Some("3".into()), ..Row::new("^v<image>#r+#b>") };
        let judge = |said, finished| SceneVerifier.judge(&row, said, finished).unwrap();
        assert_eq!(judge("ro,r7:2;bq:1=3", true), Some(true));
        assert_eq!(judge("=3\n=4", true), Some(true));
        for said in ["ro:1=4", "=3=3", "3", "=3 ", ""] {
            assert_eq!(judge(said, true), Some(false), "{said}");
        }
        assert_eq!(judge("=3", false), Some(false));
        assert_eq!(SceneVerifier.judge(&Row::new("?"), "=3", true), Ok(None));
    }
}
