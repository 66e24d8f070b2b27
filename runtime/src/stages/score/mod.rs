//! `score`: teachers read exactly the student's token ids, without a tape.

mod both_views;
mod contrasted;
mod demonstrated;
mod extrapolated;
mod full_vocab;
mod group_outcome;
mod read;
mod reading;
mod sampled_token;
mod teacher_top_k;

pub use both_views::BothViews;
pub use contrasted::Contrasted;
pub use demonstrated::Demonstrated;
pub use extrapolated::Extrapolated;
pub use full_vocab::FullVocab;
pub use group_outcome::GroupOutcome;
#[doc(hidden)]
pub use reading::{Asked, Reading};
pub use sampled_token::SampledToken;
pub use teacher_top_k::TeacherTopK;

pub(crate) use read::AT_ONCE;

use std::time::Instant;

use crate::batch::{Rollouts, Scored};
use crate::error::Result;
use crate::replay::Recorded;
use crate::stages::note_time;
use crate::world::World;

/// A method of the `score` stage, for a roster `R` of teachers and rollouts judged as `J`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a way to score rollouts",
    label = "not a method of the stage `score`",
    note = "methods of `score`: SampledToken, FullVocab, TeacherTopK, Contrasted, BothViews, Extrapolated, GroupOutcome, Demonstrated, or a type of yours with `impl Score<R, J>`"
)]
pub trait Score<R, J> {
    /// What this score finds out.
    type Signal;

    /// Asks the teachers.
    ///
    /// # Errors
    /// A domain nobody teaches, numbers that are not finite.
    fn ask<W: World>(&self, world: &W, teachers: &R, rollouts: &Rollouts<J>) -> Result<Self::Signal>;

    /// Takes from a recording what the teachers said.
    ///
    /// # Errors
    /// A line that lacks what this score needs.
    fn remember(&self, recorded: &Recorded, teachers: &R, rollouts: &Rollouts<J>) -> Result<Self::Signal>;

    /// Asks the teachers, timed.
    ///
    /// # Errors
    /// As [`ask`](Self::ask).
    fn score<W: World>(
        &self,
        world: &W,
        teachers: &R,
        mut rollouts: Rollouts<J>,
    ) -> Result<Scored<Self::Signal, J>> {
        let start = Instant::now();
        let signal = self.ask(world, teachers, &rollouts)?;
        note_time(&mut rollouts.ledger, "score", start);
        Ok(Scored { rollouts, signal })
    }

    /// Takes from a recording what the teachers said.
    ///
    /// # Errors
    /// As [`remember`](Self::remember).
    fn recall(
        &self,
        recorded: &Recorded,
        teachers: &R,
        rollouts: Rollouts<J>,
    ) -> Result<Scored<Self::Signal, J>> {
        let signal = self.remember(recorded, teachers, &rollouts)?;
        Ok(Scored { rollouts, signal })
    }
}
