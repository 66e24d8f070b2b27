//! What rustc says of a method in the wrong stage.

use crate::batch::{Prompts, Rollouts, Routed, Scored};
use crate::capability::{Judged, Signal, Unjudged};
use crate::error::{Error, Result};
use crate::log::Log;
use crate::recipe::Recipe;
use crate::replay::{Recorded, Replay};
use crate::run::Run;
use crate::stages::balance::Balance;
use crate::stages::calibrate::Calibrate;
use crate::stages::checkpoint::Checkpoints;
use crate::stages::data::Feed;
use crate::stages::log::Logs;
use crate::stages::loss::Loss;
use crate::stages::rollout::Rollout;
use crate::stages::route::Route;
use crate::stages::score::Score;
use crate::stages::step::Optimiser;
use crate::stages::verify::Verify;
use crate::tensor::{Device, Grads};
use crate::world::roster::{Kind, Seat};
use crate::world::World;

/// A method of `data` or of `step`, which a loop opens in the same words before its first step.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither a way to draw prompts nor a way to move the student",
    label = "not a method of this stage",
    note = "methods of `data`: Prompts, ByDifficulty, Pictured; of `step`: AdamW; or a type of yours with the stage's trait"
)]
pub trait Opens {
    /// What it opens.
    type Opened;
}

/// What a method `M` is opened over: `data` and `step` over the world, `log` over the recipe. So rustc
/// tells a wrong log from the others.
pub trait Opening<M> {
    /// What is opened.
    type Opened;
}

impl<M: Opens, W: World> Opening<M> for &mut W {
    type Opened = M::Opened;
}

impl<M: Logs, R: Recipe> Opening<M> for &R {
    type Opened = Log;
}

/// What the two lines of `loss` give, as types of the loss: rustc then stumbles over both in the same
/// words, and says them once.
pub trait Losing<S> {
    /// What training gets.
    type Grads<D: Device>;
    /// What a replay gets.
    type Replay;
}

impl<S: Signal, L: Loss<S>> Losing<S> for L {
    type Grads<D: Device> = Grads<D>;
    type Replay = Replay;
}

/// Every line of a loop once more, for types that are no method of the line's stage.
///
/// The stages' own traits take `&self`, this one takes `&mut self`, and rustc looks for a method in that
/// order. So a method in its own stage never gets here; of any other, rustc finds the line here, finds
/// that the type lacks the stage's trait, and says that trait's own sentence instead of "no method named …".
pub trait Misplaced: Sized {
    /// As the line of a teacher.
    fn seat(&mut self, name: &'static str) -> Seat<Self>
    where
        Self: Kind,
    {
        Kind::seat(self, name)
    }

    /// As the lines that open `data`, `step` and `log`.
    ///
    /// # Errors
    /// Always: nothing can be opened.
    fn open<A, B: Opening<Self>>(&mut self, _: A, _: B) -> Result<B::Opened> {
        Err(Error::call("this method does not belong here"))
    }

    /// As the line of `rollout`.
    ///
    /// # Errors
    /// As that line.
    fn sample<W: World>(&mut self, world: &W, prompts: Prompts) -> Result<Rollouts<Unjudged>>
    where
        Self: Rollout,
    {
        Rollout::sample(self, world, prompts)
    }

    /// As the line of `verify`.
    ///
    /// # Errors
    /// As that line.
    fn judge(&mut self, rollouts: Rollouts<Unjudged>) -> Result<Rollouts<Judged>>
    where
        Self: Verify,
    {
        Verify::judge(self, rollouts)
    }

    /// As the line of `balance`.
    ///
    /// # Errors
    /// As that line.
    fn keep<J>(&mut self, rollouts: Rollouts<J>) -> Result<Rollouts<J>>
    where
        Self: Balance<J>,
    {
        Balance::keep(self, rollouts)
    }

    /// As the line of `score`.
    ///
    /// # Errors
    /// As that line.
    fn score<W: World, R, J>(
        &mut self,
        world: &W,
        teachers: &R,
        rollouts: Rollouts<J>,
    ) -> Result<Scored<<Self as Score<R, J>>::Signal, J>>
    where
        Self: Score<R, J>,
    {
        Score::score(self, world, teachers, rollouts)
    }

    /// As the line of `score` in a replay.
    ///
    /// # Errors
    /// As that line.
    fn recall<R, J>(
        &mut self,
        recorded: &Recorded,
        teachers: &R,
        rollouts: Rollouts<J>,
    ) -> Result<Scored<<Self as Score<R, J>>::Signal, J>>
    where
        Self: Score<R, J>,
    {
        Score::recall(self, recorded, teachers, rollouts)
    }

    /// As the line of `calibrate`.
    ///
    /// # Errors
    /// As that line.
    fn adjust<S, J>(&mut self, scored: Scored<S, J>) -> Result<Scored<S, J>>
    where
        Self: Calibrate<S, J>,
    {
        Calibrate::adjust(self, scored)
    }

    /// As the line of `route`.
    ///
    /// # Errors
    /// As that line.
    fn route<S, J>(&mut self, scored: Scored<S, J>) -> Result<Routed<<Self as Route<S, J>>::Signal>>
    where
        Self: Route<S, J>,
    {
        Route::route(self, scored)
    }

    /// As the line of `loss`.
    ///
    /// # Errors
    /// As that line.
    fn backward<W: World, S: Signal>(
        &mut self,
        world: &W,
        micro: &Routed<S>,
        grads: Grads<W::Device>,
        log: &mut Log,
    ) -> Result<<Self as Losing<S>>::Grads<W::Device>>
    where
        Self: Loss<S>,
    {
        Loss::backward(self, world, micro, grads, log)
    }

    /// As the line of `loss` in a replay.
    ///
    /// # Errors
    /// As that line.
    fn replay<S: Signal>(
        &mut self,
        recorded: &Recorded,
        routed: Routed<S>,
    ) -> Result<<Self as Losing<S>>::Replay>
    where
        Self: Loss<S>,
    {
        Loss::replay(self, recorded, routed)
    }

    /// As the line of `checkpoint` before the first step.
    ///
    /// # Errors
    /// As that line.
    fn resume<W: World>(
        &mut self,
        run: &Run,
        data: &mut Feed,
        step: &mut Optimiser<W::Device>,
        world: &mut W,
        log: &mut Log,
    ) -> Result<u64>
    where
        Self: Checkpoints,
    {
        Checkpoints::resume(self, run, data, step, world, log)
    }

    /// As the line of `checkpoint`.
    ///
    /// # Errors
    /// As that line.
    fn save<W: World>(
        &mut self,
        run: &Run,
        it: u64,
        data: &Feed,
        step: &Optimiser<W::Device>,
        world: &W,
        log: &mut Log,
    ) -> Result<()>
    where
        Self: Checkpoints,
    {
        Checkpoints::save(self, run, it, data, step, world, log)
    }
}

impl<T> Misplaced for T {}
