//! The names a generated loop uses, and nothing else.

pub use crate::batch::Routed;
pub use crate::error::Result;
pub use crate::log::Log;
pub use crate::recipe::Recipe;
pub use crate::replay::{Recorded, Replay};
pub use crate::run::{Report, Run};
pub use crate::stages::balance::Balance as _;
pub use crate::stages::calibrate::Calibrate as _;
pub use crate::stages::checkpoint::Checkpoints as _;
pub use crate::stages::data::Data as _;
pub use crate::stages::log::Logs as _;
pub use crate::stages::loss::Loss as _;
pub use crate::stages::rollout::Rollout as _;
pub use crate::stages::route::Route as _;
pub use crate::stages::score::Score as _;
pub use crate::stages::step::Step as _;
pub use crate::stages::verify::Verify as _;
pub use crate::stages::Misplaced as _;
pub use crate::world::roster::Kind as _;
pub use crate::world::{Experts, Nobody, World};
