//! `calibrate`: the scores are set right by what is known of the outcome.

pub mod margin;
mod margin_mask;
mod margin_shift;
pub mod order;

pub use margin::{Direction, Statistic};
pub use margin_mask::MarginMask;
pub use margin_shift::MarginShift;

use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::batch::{Rollouts, Scored};
use crate::capability::{Outcome, Signal};
use crate::error::Result;
use crate::stages::note_time;

/// Which rollouts enter the margin statistics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Over {
    /// All of them, also those that `balance` masked.
    #[default]
    All,
    /// Only those the loss learns from.
    Kept,
}

/// A method of the `calibrate` stage, for a signal `S` and rollouts judged as `J`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a way to calibrate scores",
    label = "not a method of the stage `calibrate`",
    note = "methods of `calibrate`: MarginShift, MarginMask, or a type of yours with `impl Calibrate<S, J>`"
)]
pub trait Calibrate<S, J> {
    /// Sets the scores right; returns the number of groups that were changed.
    ///
    /// # Errors
    /// Only what must stop a run.
    fn calibrate(&self, rollouts: &Rollouts<J>, signal: &mut S) -> Result<usize>;

    /// The same rollouts with calibrated scores; timed and counted.
    ///
    /// # Errors
    /// As [`calibrate`](Self::calibrate).
    fn adjust(&self, mut scored: Scored<S, J>) -> Result<Scored<S, J>> {
        let start = Instant::now();
        let changed = self.calibrate(&scored.rollouts, &mut scored.signal)?;
        scored.rollouts.ledger.add("calibrated_groups", changed as f64);
        note_time(&mut scored.rollouts.ledger, "calibrate", start);
        Ok(scored)
    }
}

/// The returns and outcomes of one set of responses; what does not enter the statistics is not judged.
fn observe<S: Signal, J: Outcome>(
    rollouts: &Rollouts<J>,
    signal: &S,
    set: &[usize],
    over: Over,
) -> (Vec<f64>, Vec<Option<bool>>) {
    // of what nobody spoke of there is no return to compare
    let seen = |i: usize| signal.heard(i) && (over == Over::All || rollouts.kept_N[i]);
    let returns = set.iter().map(|&i| signal.rewards(i).map_or(0.0, margin::trajectory_return)).collect();
    let outcomes = set.iter().map(|&i| rollouts.judgement.outcome(i).filter(|_| seen(i))).collect();
    (returns, outcomes)
}
