//! A recipe in a list of recipes: its texts and its plan, and what the verbs can ask of it.

use crate::check::{Facts, Fault};
use crate::error::Result;
use crate::plan::Plan;
use crate::recipe::{PartsMut, Recipe};
use crate::replay::{Recorded, Replay};
use crate::run::{Report, Run};
use crate::settings::Setting;
use crate::stages::score::{Asked, Reading};
use crate::tensor::{Accelerator, Cpu, Device};
use crate::world::FromFiles;

/// A recipe as the command line sees it.
#[derive(Clone, Copy)]
pub struct Entry {
    pub(crate) name: &'static str,
    pub(crate) doc: &'static str,
    pub(crate) source: &'static str,
    pub(crate) loop_text: &'static str,
    pub(crate) ejected: &'static str,
    pub(crate) plan: Plan,
    pub(crate) base: Option<Plan>,
    pub(crate) default: fn() -> Box<dyn AnyRecipe>,
}

impl Entry {
    /// The recipe `R`.
    #[must_use]
    pub const fn of<R: Recipe>() -> Self {
        Self {
            name: R::NAME,
            doc: R::DOC,
            source: R::SOURCE,
            loop_text: R::LOOP,
            ejected: R::EJECTED,
            plan: R::PLAN,
            base: R::BASE,
            default: || Box::new(R::DEFAULT),
        }
    }

    /// The recipe's name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The recipe as ordinary Rust, without the macro: what `limbeck show` prints.
    #[must_use]
    pub const fn ejected(&self) -> &'static str {
        self.ejected
    }

    /// The recipe's plan.
    #[must_use]
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }
}

/// A recipe whose type is forgotten. The verbs are written over this one and compiled once, not once for
/// each recipe; what is compiled for each is its loop.
pub(crate) trait AnyRecipe: Trains<Cpu> + Trains<Accelerator> {
    fn parts_mut(&mut self) -> PartsMut<'_>;
    fn settings(&self) -> Vec<(&'static str, Vec<Setting>)>;
    fn facts(&self) -> Facts;
    fn faults(&self) -> Vec<Fault>;
    fn replay(&self, recorded: Recorded) -> Result<Replay>;
}

/// What of a recipe runs on a device.
pub(crate) trait Trains<D: Device> {
    fn train(&self, run: &Run, world: &mut FromFiles<D>) -> Result<Report>;
    fn readings(&self, world: &FromFiles<D>, asked: &Asked) -> Result<Vec<Reading>>;
}

impl<R: Recipe, D: Device> Trains<D> for R {
    fn train(&self, run: &Run, world: &mut FromFiles<D>) -> Result<Report> {
        Recipe::train(self, run, world)
    }

    fn readings(&self, world: &FromFiles<D>, asked: &Asked) -> Result<Vec<Reading>> {
        Recipe::readings(self, world, asked)
    }
}

impl<R: Recipe> AnyRecipe for R {
    fn parts_mut(&mut self) -> PartsMut<'_> {
        Recipe::parts_mut(self)
    }

    fn settings(&self) -> Vec<(&'static str, Vec<Setting>)> {
        Recipe::settings(self)
    }

    fn facts(&self) -> Facts {
        Recipe::facts(self)
    }

    fn faults(&self) -> Vec<Fault> {
        Recipe::faults(self)
    }

    fn replay(&self, recorded: Recorded) -> Result<Replay> {
        Recipe::replay(self, recorded)
    }
}
