//! `step`: gradients move the student.

mod adamw;
mod optimiser;
pub mod schedule;
#[cfg(test)]
mod tests;

pub use adamw::AdamW;
pub use optimiser::Optimiser;
pub use schedule::Schedule;

use crate::error::Result;
use crate::run::Run;
use crate::world::World;

/// A method of the `step` stage.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a way to move the student",
    label = "not a method of the stage `step`",
    note = "methods of `step`: AdamW, or a type of yours with `impl Step`"
)]
pub trait Step {
    /// Gets ready to move this world's student.
    ///
    /// # Errors
    /// Settings that do not fit the run.
    fn open<W: World>(&self, run: &Run, world: &W) -> Result<Optimiser<W::Device>>;
}
