//! What a loop that stopped leaves behind: enough to go on from its last finished step.

use std::any::Any;
use std::sync::PoisonError;

use super::checkpoint;
use super::state::Run;
use crate::error::{Error, Result};
use crate::kernels::adamw::Moments;
use crate::stages::data::FeedState;
use crate::tensor::{AnyThread, Device};
use crate::world::World;

/// What `data` and `step` held when the loop let go of them.
#[derive(Default)]
pub(crate) struct Left {
    /// The cursor before its last batch was drawn, and after.
    feed: Option<(FeedState, FeedState)>,
    /// The optimiser's moments, of the device they are on.
    moments: Option<AnyThread<Box<dyn Any>>>,
}

impl Left {
    pub fn feed(&mut self, before: FeedState, after: FeedState) {
        self.feed = Some((before, after));
    }

    pub fn moments<D: Device>(&mut self, moments: Moments<D>) {
        self.moments = Some(AnyThread(Box::new(moments)));
    }

    /// Cursor and moments after the last finished step, and how many steps that are.
    ///
    /// Of the steps, `skipped` moved nothing.
    fn finished<D: Device>(self, skipped: u64) -> Option<(u64, FeedState, Box<Moments<D>>)> {
        let moments = self.moments?.0.downcast::<Moments<D>>().ok()?;
        let (before, after) = self.feed?;
        let done = moments.steps() + skipped;
        // a batch was drawn that the student did not learn from: it is drawn again
        let state = if after.draws > done { before } else { after };
        (state.draws == done).then_some((done, state, moments))
    }
}

impl Run {
    /// What a run in code does with the error it stopped with: when that is a teacher's who does not answer any more
    /// ([`Error::is_lost`]), the state after the last finished step is saved, and the error says where and how to go
    /// on. Every other error comes back as it was.
    #[must_use]
    pub fn rescue<W: World>(&self, why: Error, world: &W) -> Error {
        let left = std::mem::take(&mut *self.left.lock().unwrap_or_else(PoisonError::into_inner));
        let (true, Some(directory)) = (why.is_lost(), &self.directory) else { return why };
        let root = directory.root().display();
        match self.save_left(left, world) {
            Ok(Some(done)) => why.next(format!(
                "the state after step {done} is saved; once the servers answer again, `limbeck resume {root}` goes on from it"
            )),
            Ok(None) => why.next(format!(
                "no step was finished; once the servers answer again, `limbeck resume {root}` begins anew"
            )),
            Err(also) => why.next(format!(
                "the state could not be saved ({also}); `limbeck resume {root}` goes on from the checkpoint before"
            )),
        }
    }

    /// Lets go of what the loop left: the run has ended well.
    pub(super) fn let_go(&self) {
        drop(std::mem::take(&mut *self.left.lock().unwrap_or_else(PoisonError::into_inner)));
    }

    /// Saves it, unless it is saved already; how many steps were finished, if any was.
    fn save_left<W: World>(&self, left: Left, world: &W) -> Result<Option<u64>> {
        let Some(directory) = &self.directory else { return Ok(None) };
        let skipped = world.student().decoder.loss_scale().map_or(0, |scale| scale.skipped());
        let Some((done, feed, moments)) = left.finished::<W::Device>(skipped).filter(|(done, ..)| *done > 0)
        else {
            return Ok(None);
        };
        if checkpoint::latest_step(directory)? != Some(done) {
            checkpoint::save(directory, done - 1, &feed, &moments, world, &self.hashes)?;
        }
        Ok(Some(done))
    }
}
