//! `balance`: which rollouts the loss learns from.

mod by_outcome;
pub mod outcome;

pub use by_outcome::ByOutcome;

use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::batch::Rollouts;
use crate::error::Result;
use crate::stages::note_time;

/// Over what a balance or a calibration looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scope {
    /// The responses to one prompt.
    #[default]
    Group,
    /// All responses of the batch.
    Global,
}

impl Scope {
    /// The responses that are looked at together.
    pub fn sets<J>(self, rollouts: &Rollouts<J>) -> Vec<Vec<usize>> {
        match self {
            Self::Group => rollouts.groups(),
            Self::Global => vec![(0..rollouts.responses_N.len()).collect()],
        }
    }
}

/// A method of the `balance` stage. It masks responses; it removes none.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a way to balance rollouts",
    label = "not a method of the stage `balance`",
    note = "methods of `balance`: ByOutcome, or a type of yours with `impl Balance<J>`"
)]
pub trait Balance<J> {
    /// Which responses the loss learns from.
    ///
    /// # Errors
    /// Only what must stop a run.
    fn choose(&self, rollouts: &Rollouts<J>) -> Result<Vec<bool>>;

    /// The same rollouts with their loss masks; timed and counted.
    ///
    /// # Errors
    /// As [`choose`](Self::choose).
    fn keep(&self, mut rollouts: Rollouts<J>) -> Result<Rollouts<J>> {
        let start = Instant::now();
        rollouts.kept_N = self.choose(&rollouts)?;
        note_time(&mut rollouts.ledger, "balance", start);
        Ok(rollouts)
    }
}
