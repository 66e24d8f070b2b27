//! Verifiers: is a response right, wrong, or not to be judged?
//!
//! A domain has one verifier, and everything that asks whether a response is right asks that one: the stage
//! `verify`, held-out accuracy, `data: ByDifficulty`, `limbeck eval` and `limbeck check`. The run file chooses it:
//!
//! ```ron
//! verifiers: {
//!     "gsm": Math,
//!     "code": UnitTests(seconds: 5, megabytes: 512),
//!     "logic": Pattern("(?i)answer: (yes|no)"),
//!     "chess": Own("chess"),
//! }
//! ```
//!
//! The key `""` is for rows without a domain. A domain that is not named there has the verifier that it always
//! had: the built-in tasks their own, every other [`Exact`].

mod choice;
mod exact;
mod math;
mod own;
mod pattern;
mod unit_tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;

use super::rows::Row;
use super::scenes::{self, SceneVerifier};
use super::tasks::{TaskDomain, TaskVerifier};
use crate::batch::{Prompt, Response};

pub(crate) use choice::chosen;
pub use choice::Judge;
pub use exact::Exact;
pub use math::Math;
pub use own::offer;
pub use pattern::Pattern;
pub use unit_tests::UnitTests;

/// Judges responses.
pub trait Verifier: Send + Sync {
    /// What it is called in logs.
    fn name(&self) -> &str;

    /// Is `response` right? `finished` says that it ended by itself instead of being cut off.
    ///
    /// `Ok(None)`: there is nothing to judge by. `Err`: the verifier failed, with the reason; such a
    /// response is not judged, and it is never called wrong.
    ///
    /// Several responses are judged at once, on as many threads as there are cores.
    fn judge(&self, row: &Row, response: &str, finished: bool) -> Result<Option<bool>, String>;

    /// What the environment says of this very response, for a teacher to read: an error message, failed
    /// tests, where it went wrong. `None` when there is nothing to say.
    fn feedback(&self, _row: &Row, _response: &str, _finished: bool) -> Option<String> {
        None
    }

    /// Whether responses to this row can be judged at all; `Err` says why not. Asked of every row before a run.
    fn fits(&self, _row: &Row) -> Result<(), String> {
        Ok(())
    }

    /// Whether it can work on this machine, asked once before a run: what `limbeck check` says about it, or why it
    /// cannot, with the next move on a second line.
    fn ready(&self) -> Result<Option<String>, String> {
        Ok(None)
    }
}

/// The verifiers of a run, by domain.
#[derive(Clone, Default)]
pub struct Judges(BTreeMap<String, Arc<dyn Verifier>>);

impl Judges {
    /// The same, with another verifier for `domain`.
    #[must_use]
    pub fn with(mut self, domain: impl Into<String>, verifier: Arc<dyn Verifier>) -> Self {
        self.0.insert(domain.into(), verifier);
        self
    }

    /// Who judges responses to the rows of `domain`.
    pub fn of(&self, domain: &str) -> Arc<dyn Verifier> {
        self.0.get(domain).map_or_else(|| for_domain(domain), Arc::clone)
    }

    /// The domains whose verifier was chosen, and that.
    pub fn chosen(&self) -> impl Iterator<Item = (&str, &dyn Verifier)> {
        self.0.iter().map(|(domain, verifier)| (&domain[..], &**verifier))
    }
}

/// The verifier of a domain for which none was chosen: the tasks of this crate have their own, everything else gets
/// [`Exact`].
pub fn for_domain(domain: &str) -> Arc<dyn Verifier> {
    match TaskDomain::named(domain) {
        Some(task) => Arc::new(TaskVerifier::new(task)),
        None if domain == scenes::DOMAIN => Arc::new(SceneVerifier),
        None => Arc::new(Exact),
    }
}

/// The verdicts on responses to `prompts`, in order; several are judged at once.
pub(crate) fn verdicts(prompts: &[Arc<Prompt>], responses: &[Response]) -> Vec<Result<Option<bool>, String>> {
    let verdict = |response: &Response| {
        let prompt = &prompts[response.prompt];
        prompt.verifier.judge(&prompt.row, &response.text, response.finished)
    };
    responses.par_iter().map(verdict).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tasks_have_verifiers_of_their_own() {
        let names = ["math", "code", "scene", "law", ""].map(|domain| for_domain(domain).name().to_owned());
        assert_eq!(names, ["math", "code", "scene", "exact", "exact"]);
    }

    #[test]
    fn a_choice_is_for_its_domain_alone() {
        let judges = Judges::default().with("math", Arc::new(Exact)).with("", Arc::new(Math));
        let names = ["math", "code", "law", ""].map(|domain| judges.of(domain).name().to_owned());
        assert_eq!(names, ["exact", "code", "exact", "math"]);
        assert_eq!(judges.chosen().map(|(domain, _)| domain).collect::<Vec<_>>(), ["", "math"]);
    }
}
