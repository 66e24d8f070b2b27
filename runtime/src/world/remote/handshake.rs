//! Who answers: whether a server is ready, which model it serves, and whether it is who it was.

use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::dialect::{parse, About, Ask};
use super::http::{Endpoint, Trouble};
use super::pool::backoff;
use super::self_test::score;
use super::settings::{ServerFile, Speaks};
use super::{sglang, vllm};

/// A model of another run's teacher has log-probabilities further off than this, on average and at any token;
/// the same model on other hardware or in another batch has not.
const APART: (f64, f64) = (0.05, 0.75);

/// A model a server lists: its name, and how many tokens it reads.
pub(super) type Listed = (String, Option<usize>);

/// By what a teacher is known again: its model's name, and what it says of one text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// The model as the server calls it.
    pub model: String,
    /// The text, as token ids.
    pub tokens: Vec<u32>,
    /// The first of these that is scored.
    pub start: usize,
    /// What the server said of each.
    pub log_probs: Vec<f64>,
}

/// The models of a server, waited for.
///
/// # Errors
/// A server that is not ready in time, or is none of this kind.
pub(super) fn listed(endpoint: &Endpoint, file: &ServerFile) -> Result<Vec<Listed>, String> {
    let begun = Instant::now();
    for tried in 0.. {
        match models(endpoint, file.speaks) {
            Ok(models) => return Ok(models),
            Err(Trouble::Lasting(what)) => {
                return Err(format!(
                    "this is no {} server, or it does not let us in: {what}",
                    file.speaks.name()
                ))
            }
            Err(Trouble::Passing(what, wait)) => {
                let left = file.patience().saturating_sub(begun.elapsed());
                if left.is_zero() {
                    return Err(format!("it was not ready within {} s: {what}", file.ready_within));
                }
                std::thread::sleep(backoff(0, tried.min(4)).max(wait.unwrap_or_default()).min(left));
            }
        }
    }
    Err("it was never asked".to_string())
}

fn models(endpoint: &Endpoint, speaks: Speaks) -> Result<Vec<Listed>, Trouble> {
    let path = match speaks {
        Speaks::Vllm | Speaks::LlamaCpp => "/v1/models",
        Speaks::Sglang => "/get_model_info",
    };
    let json = parse(&endpoint.get(path)?).map_err(Trouble::bad_answer)?;
    match speaks {
        Speaks::Vllm | Speaks::LlamaCpp => vllm::models(&json),
        Speaks::Sglang => sglang::models(&json),
    }
    .map_err(Trouble::Lasting)
}

/// The model that is asked for, or the only one there is.
pub(super) fn chosen(listed: Vec<Listed>, wanted: Option<&str>) -> Result<Listed, String> {
    let names = listed.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match wanted {
        Some(wanted) => {
            let found = listed.into_iter().find(|(name, _)| name == wanted);
            found.ok_or_else(|| format!("it serves {names}, and the run file names `{wanted}`"))
        }
        None if listed.len() == 1 => listed.into_iter().next().ok_or_else(String::new),
        None => Err(format!("it serves {names}: name one of them as `model`")),
    }
}

/// All of a text that can be scored. The first token has nothing before it, and of the second a server may say
/// nothing either.
pub(super) fn of_text(about: &About, tokens: &[u32]) -> Option<Ask> {
    let ask = Ask { tokens: tokens.to_vec(), start: 2 };
    (tokens.len() > 2 && about.can_say(&ask)).then_some(ask)
}

impl Mark {
    pub(super) fn of(endpoint: &Endpoint, about: &About, tokens: &[u32]) -> Result<Self, Trouble> {
        let model = about.model.clone();
        let Some(ask) = of_text(about, tokens) else {
            return Ok(Self { model, tokens: Vec::new(), start: 0, log_probs: Vec::new() });
        };
        let log_probs = score(endpoint, about, &ask, 1)?.iter().map(|said| said.log_prob).collect();
        Ok(Self { model, tokens: ask.tokens, start: ask.start, log_probs })
    }

    /// Whether who answers here now is who answered then.
    pub(super) fn is_still(&self, endpoint: &Endpoint, about: &About) -> Result<(), Trouble> {
        let now = Self::of(endpoint, about, &self.tokens)?;
        self.must_be(&now).map_err(Trouble::Lasting)
    }

    /// How another teacher shows.
    pub(super) fn must_be(&self, now: &Self) -> Result<(), String> {
        if self.model != now.model {
            return Err(format!("it serves `{}` now, and served `{}` before", now.model, self.model));
        }
        let apart: Vec<f64> = self.log_probs.iter().zip(&now.log_probs).map(|(a, b)| (a - b).abs()).collect();
        let (mean, most) = (
            apart.iter().sum::<f64>() / apart.len().max(1) as f64,
            apart.iter().copied().fold(0.0, f64::max),
        );
        if mean > APART.0 || most > APART.1 || apart.len() != self.log_probs.len() {
            return Err(format!(
                "it says other things of the same text than before (its log-probabilities are {mean:.3} off on average, {most:.3} at most): these are other weights under the name `{}`",
                self.model
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_is_named_or_the_only_one() {
        let two = || vec![("a".to_string(), None), ("b".to_string(), Some(9))];
        assert_eq!(chosen(two(), Some("b")), Ok(("b".to_string(), Some(9))));
        assert_eq!(chosen(two(), Some("c")).unwrap_err(), "it serves `a`, `b`, and the run file names `c`");
        assert_eq!(chosen(two(), None).unwrap_err(), "it serves `a`, `b`: name one of them as `model`");
        assert_eq!(chosen(two()[..1].to_vec(), None), Ok(("a".to_string(), None)));
    }

    #[test]
    fn a_teacher_is_known_again_and_another_is_not() {
        let mark = |model: &str, log_probs: &[f64]| Mark {
            model: model.into(),
            tokens: vec![1, 2, 3, 4],
            start: 2,
            log_probs: log_probs.to_vec(),
        };
        let then = mark("m", &[-1.0, -2.0]);
        assert_eq!(then.must_be(&mark("m", &[-1.01, -2.02])), Ok(()));
        assert!(then.must_be(&mark("n", &[-1.0, -2.0])).unwrap_err().contains("`n` now"));
        assert!(then.must_be(&mark("m", &[-1.2, -2.0])).unwrap_err().contains("other weights"));
        assert!(then.must_be(&mark("m", &[])).unwrap_err().contains("other weights"));
    }
}
