//! `data`: where prompts come from, and in which order.

mod by_difficulty;
pub mod difficulty;
mod feed;
mod pictured;
mod prompts;

pub use by_difficulty::ByDifficulty;
pub use difficulty::{Shape, Target};
pub use feed::{Feed, FeedState};
pub use pictured::Pictured;
pub use prompts::Prompts;

use crate::error::Result;
use crate::run::Run;
use crate::world::World;

/// A method of the `data` stage.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a way to draw prompts",
    label = "not a method of the stage `data`",
    note = "methods of `data`: Prompts, ByDifficulty, Pictured, or a type of yours with `impl Data`"
)]
pub trait Data {
    /// Opens the prompts of a run.
    ///
    /// # Errors
    /// A row that does not fit: no text, unknown characters, longer than the model's context.
    fn open<W: World>(&self, run: &Run, world: &W) -> Result<Feed>;
}
