//! What is found out about a batch whose responses may lie on several ranks goes through here, so that ranks
//! can come behind it. There is one rank now, and all of it is what this one has.
//!
//! The responses to one prompt lie on one rank: what is found out within a group needs no other.

use crate::log::Metrics;
use crate::stages::calibrate::margin::Tally;
use crate::stages::route::thresholds::{drop_count, Part, Thresholds, Token};
use crate::tensor::{Device, Grads};

/// What a part of a batch says. However a batch is split, its parts, merged in order, say what the whole
/// batch says; so ranks need exchange nothing else.
pub trait Merge {
    /// This part and the one that follows it in the batch.
    #[must_use]
    fn merge(self, later: Self) -> Self;
}

impl Merge for f64 {
    fn merge(self, later: Self) -> Self {
        self + later
    }
}

impl Merge for usize {
    fn merge(self, later: Self) -> Self {
        self + later
    }
}

impl Merge for Tally {
    fn merge(self, later: Self) -> Self {
        Tally::merge(self, later)
    }
}

impl Merge for Part {
    fn merge(self, later: Self) -> Self {
        Part::merge(self, later)
    }
}

impl Merge for Metrics {
    fn merge(mut self, later: Self) -> Self {
        Metrics::merge(&mut self, &later);
        self
    }
}

/// The parts of all ranks, merged in the order of the ranks.
pub fn all<T: Merge>(here: T) -> T {
    here
}

/// The sum over all ranks.
pub fn sum(here: f64) -> f64 {
    all(here)
}

/// The returns and outcomes of all ranks, for a margin over the whole batch.
pub fn tally(here: Tally) -> Tally {
    all(here)
}

/// What the tokens of all ranks are compared with: first how many there are, then what each rank's add.
pub fn thresholds(here: &[Token], trim: f64) -> Thresholds {
    let drop = drop_count(all(here.len()), trim);
    all(Part::of(here, drop)).thresholds()
}

/// The numbers of a step over all ranks. What one sets, all set to the same.
pub fn metrics(here: Metrics) -> Metrics {
    all(here)
}

/// The gradients of all ranks, summed in the order of the ranks.
pub fn gradients<D: Device>(here: Grads<D>) -> Grads<D> {
    here
}
