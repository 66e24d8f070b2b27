//! `rollout`: the student answers in its own words.

mod mixed;
mod reference;
mod sample;

pub use mixed::{Mixed, OffPolicy};
pub use reference::Reference;
pub use sample::Sample;

use std::time::Instant;

use crate::batch::{Prompts, Rollouts};
use crate::capability::Unjudged;
use crate::error::Result;
use crate::stages::note_time;
use crate::world::World;

/// A method of the `rollout` stage.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a way to get responses",
    label = "not a method of the stage `rollout`",
    note = "methods of `rollout`: Sample, Reference, Mixed, or a type of yours with `impl Rollout`"
)]
pub trait Rollout {
    /// Responses to every prompt of the batch.
    ///
    /// # Errors
    /// A student whose numbers are not finite.
    fn respond<W: World>(&self, world: &W, prompts: Prompts) -> Result<Rollouts<Unjudged>>;

    /// Responses to every prompt of the batch, timed.
    ///
    /// # Errors
    /// As [`respond`](Self::respond).
    fn sample<W: World>(&self, world: &W, prompts: Prompts) -> Result<Rollouts<Unjudged>> {
        let start = Instant::now();
        let mut rollouts = self.respond(world, prompts)?;
        note_time(&mut rollouts.ledger, "rollout", start);
        Ok(rollouts)
    }
}
