use crate::error::Result;
use crate::plan::Plan;
use crate::recipe::Recipe;
use crate::replay::Replay;
use crate::run::{self, Findings, Shown, TrainOptions};

/// A recipe as the command line sees it.
#[derive(Clone, Copy)]
pub struct Entry {
    pub(super) name: &'static str,
    pub(super) doc: &'static str,
    pub(super) source: &'static str,
    pub(super) loop_text: &'static str,
    pub(super) plan: Plan,
    pub(super) train: fn(&TrainOptions) -> Result<Shown>,
    pub(super) resume: fn(&std::path::Path, bool) -> Result<Shown>,
    pub(super) check: fn(&TrainOptions) -> Findings,
    pub(super) replay: fn(&std::path::Path, &[String], u64) -> Result<Replay>,
    pub(super) held_out: fn(&TrainOptions) -> Result<run::HeldOut>,
}

impl Entry {
    /// The verbs of `R`.
    pub const fn of<R: Recipe>() -> Self {
        Self {
            name: R::NAME,
            doc: R::DOC,
            source: R::SOURCE,
            loop_text: R::LOOP,
            plan: R::PLAN,
            train: run::train::<R>,
            resume: run::resume::<R>,
            check: run::check::<R>,
            replay: run::replay::<R>,
            held_out: run::held_out::<R>,
        }
    }

    /// The recipe's name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The recipe's plan.
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }
}
