//! `route`: which signal reaches which token, and with which weight.
//!
//! A recipe without this stage routes every token to its prompt's teacher, with weight 1.

mod advantage_gap;
mod by_importance;
mod by_visual_advantage;
pub mod exact;
mod explore_then_refine;
pub mod gap;
pub mod prune;
mod prune_by_gap;
pub mod reopold;
mod scope;
pub mod thresholds;
pub mod tip;
pub mod visual;

pub use advantage_gap::{AdvantageGap, GapScope};
pub use by_importance::{ByImportance, Importance};
pub use by_visual_advantage::ByVisualAdvantage;
pub use explore_then_refine::ExploreThenRefine;
pub use gap::RegimeSet;
pub use prune_by_gap::{PruneByGap, Pruned};
pub use scope::TokenScope;

use crate::batch::{Routed, Scored};
use crate::error::Result;

/// A method of the `route` stage, for a signal `S` and rollouts judged as `J`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a way to route tokens",
    label = "not a method of the stage `route`",
    note = "methods of `route`: AdvantageGap, ByImportance, ExploreThenRefine, ByVisualAdvantage, PruneByGap, or a type of yours with `impl Route<S, J>`; a recipe without this stage routes every token to its prompt's teacher"
)]
pub trait Route<S, J> {
    /// The signal that reaches the loss.
    type Signal;

    /// Says which signal each token hears, and how loudly.
    ///
    /// # Errors
    /// Only what must stop a run.
    fn route(&self, scored: Scored<S, J>) -> Result<Routed<Self::Signal>>;
}
