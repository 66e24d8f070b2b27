//! The stages of a loop: each a trait, its sentence, and its methods.

pub mod balance;
pub mod calibrate;
pub mod checkpoint;
pub mod data;
pub mod log;
pub mod loss;
mod misplaced;
pub mod rollout;
pub mod route;
pub mod score;
pub mod step;
pub mod verify;

#[doc(hidden)]
pub use misplaced::{Misplaced, Opening, Opens};

use std::time::Instant;

use crate::log::Metrics;

/// Adds the seconds since `start` to `<stage>_time`.
pub(crate) fn note_time(ledger: &mut Metrics, stage: &str, start: Instant) {
    ledger.add(&format!("{stage}_time"), start.elapsed().as_secs_f64());
}
