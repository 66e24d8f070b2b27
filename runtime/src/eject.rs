//! The names of a recipe that was written out by `limbeck show`, and nothing else.

pub use crate::loops::*;
pub use crate::plan::{Plan, Stage, Teacher};
pub use crate::recipe::{Parts, PartsMut};
pub use crate::settings::Settings;
pub use crate::stages::score::{Asked, Reading};
