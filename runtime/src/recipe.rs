//! What `#[recipe]` writes for a struct.

use crate::check::{at, Facts, Fault};
use crate::error::Result;
use crate::plan::Plan;
use crate::replay::{Recorded, Replay};
use crate::run::{take_over, Report, Run};
use crate::settings::{Part, Setting};
use crate::stages::score::{Asked, Reading};
use crate::world::World;

/// The methods of a recipe by name, their types forgotten.
pub type Parts<'a> = Vec<(&'static str, &'a dyn Part)>;

/// The same, to be changed.
pub type PartsMut<'a> = Vec<(&'static str, &'a mut dyn Part)>;

/// A recipe: a plan, the loop it runs, and that loop itself. Written by `#[recipe]`, or by hand once
/// `limbeck show` has printed it.
pub trait Recipe: Sized + Clone + 'static {
    /// The struct's name.
    const NAME: &'static str = Self::PLAN.name;
    /// The struct's doc comment.
    const DOC: &'static str = Self::PLAN.doc;
    /// Who teaches, which method fills which stage, every setting.
    const PLAN: Plan;
    /// The plan of the recipe it was forked from.
    const BASE: Option<Plan> = None;
    /// The text of [`train`](Self::train), comments included: token for token what runs. A recipe without
    /// the macro gives its own file, with `limbeck::this_file!()`.
    const LOOP: &'static str;
    /// The recipe as ordinary Rust, without the macro.
    const EJECTED: &'static str = Self::LOOP;
    /// The struct as it was written; a fork's with all that it has from its base.
    const SOURCE: &'static str = Self::LOOP;
    /// Every setting as the recipe declares it.
    const DEFAULT: Self;
    /// What its stages let each other know, with the settings as declared.
    const FACTS: Facts = Facts::NONE;

    /// Every teacher and stage with its name, types forgotten, in the order of the struct.
    fn parts(&self) -> Parts<'_>;

    /// The same, to be changed by a run file.
    fn parts_mut(&mut self) -> PartsMut<'_>;

    /// Takes over settings as a run file gives them: `(rollout: (temperature: 0.8))`.
    ///
    /// # Errors
    /// The first thing that does not fit, at its line and column.
    fn set(&mut self, settings: &str) -> Result<()> {
        take_over(self.parts_mut(), settings, settings, "settings")
    }

    /// Every setting with its present value, by teacher or stage.
    fn settings(&self) -> Vec<(&'static str, Vec<Setting>)> {
        self.parts().into_iter().map(|(name, part)| (name, part.list())).collect()
    }

    /// What the stages let each other know, with the present settings.
    fn facts(&self) -> Facts {
        self.parts().iter().fold(Facts::NONE, |facts, (_, part)| part.facts(facts))
    }

    /// What is wrong with the present settings: the same checks the compiler made on the literals.
    fn faults(&self) -> Vec<Fault> {
        let (parts, facts) = (self.parts(), self.facts());
        parts.iter().filter_map(|(name, part)| at(name, part.fault(&facts))).collect()
    }

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
