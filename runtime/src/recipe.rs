//! What `#[recipe]` writes for a struct.

use serde::de::DeserializeOwned;

use crate::check::{Facts, Fault};
use crate::error::Result;
use crate::plan::Plan;
use crate::replay::{Recorded, Replay};
use crate::run::{Report, Run};
use crate::settings::Setting;
use crate::stages::score::{Asked, Reading};
use crate::world::World;

/// A recipe: a plan, the loop it runs, and that loop itself. Written by `#[recipe]`.
pub trait Recipe: Sized + Clone + 'static {
    /// The struct's name.
    const NAME: &'static str;
    /// The struct's doc comment.
    const DOC: &'static str;
    /// The struct as it was written; a fork's with all that it has from its base.
    const SOURCE: &'static str;
    /// Who teaches, which method fills which stage, every setting.
    const PLAN: Plan;
    /// The text of [`train`](Self::train), comments included: token for token what runs.
    const LOOP: &'static str;
    /// Every setting as the recipe declares it.
    const DEFAULT: Self;
    /// What its stages let each other know, with the settings as declared.
    const FACTS: Facts;
    /// What a run file may change: every setting of every stage, and nothing else.
    type Patch: Default + DeserializeOwned;

    /// How to take over what a run file says. A constant and no method: a body that owned the patch
    /// would have to drop it, and rustc would miss a method's settings once more.
    #[doc(hidden)]
    const APPLY: fn(&mut Self, Self::Patch);

    /// Takes over what a run file says.
    fn apply(&mut self, patch: Self::Patch) {
        Self::APPLY(self, patch);
    }

    /// Every setting with its present value, by teacher or stage.
    fn settings(&self) -> Vec<(&'static str, Vec<Setting>)>;

    /// What is wrong with the present settings: the same checks the compiler made on the literals.
    fn faults(&self) -> Vec<Fault>;

    /// Trains `world`'s student: the generated loop.
    ///
    /// # Errors
    /// A file that cannot be read or written, a batch whose numbers are not finite.
    fn train<W: World>(&self, run: &Run, world: &mut W) -> Result<Report>;

    /// The recipe's balance, score, calibrate, route and loss on recorded rollouts, without a model.
    ///
    /// # Errors
    /// A recording that lacks what the recipe needs.
    fn replay(&self, recorded: Recorded) -> Result<Replay>;

    /// What each teacher reads before the responses to a prompt, by the functions [`train`](Self::train)
    /// reads with; for `limbeck check`.
    ///
    /// # Errors
    /// A row without what a teacher reads.
    #[doc(hidden)]
    fn readings<W: World>(&self, world: &W, asked: &Asked) -> Result<Vec<Reading>>;
}
