//! `verify`: right, wrong, or not judged.

use std::time::Instant;

use crate as limbeck;
use crate::batch::Rollouts;
use crate::capability::{Judged, Unjudged};
use crate::error::Result;
use crate::stages::note_time;
use crate::world::verifier::verdicts;
use limbeck::Settings;

/// A method of the `verify` stage.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a way to tell right from wrong",
    label = "not a method of the stage `verify`",
    note = "methods of `verify`: TaskAnswer, or a type of yours with `impl Verify`"
)]
pub trait Verify {
    /// The outcome of every response, and how often judging failed.
    ///
    /// # Errors
    /// Only what must stop a run; a verifier that fails on one response judges it `None`.
    fn outcomes(&self, rollouts: &Rollouts<Unjudged>) -> Result<(Vec<Option<bool>>, usize)>;

    /// The same rollouts, judged; timed and counted.
    ///
    /// # Errors
    /// As [`outcomes`](Self::outcomes).
    fn judge(&self, rollouts: Rollouts<Unjudged>) -> Result<Rollouts<Judged>> {
        let start = Instant::now();
        let (outcomes_N, failures) = self.outcomes(&rollouts)?;
        let mut rollouts = rollouts.judged_as(Judged { outcomes_N });
        rollouts.ledger.add("verify_failures", failures as f64);
        note_time(&mut rollouts.ledger, "verify", start);
        Ok(rollouts)
    }
}

/// The verifier of the prompt's domain, as the run file's `verifiers` chooses it: it knows the answer, or executes
/// the program.
#[derive(Clone, Debug, Settings)]
pub struct TaskAnswer {}

impl Verify for TaskAnswer {
    fn outcomes(&self, rollouts: &Rollouts<Unjudged>) -> Result<(Vec<Option<bool>>, usize)> {
        let mut failures = 0;
        let outcomes_N = verdicts(&rollouts.prompts_P, &rollouts.responses_N)
            .into_iter()
            .map(|verdict| {
                verdict.unwrap_or_else(|_| {
                    failures += 1;
                    None
                })
            })
            .collect();
        Ok((outcomes_N, failures))
    }
}
