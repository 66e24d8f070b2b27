//! `checkpoint`: what a run keeps so that it can go on.

use crate as limbeck;
use crate::check::{Facts, Fault};
use crate::error::Result;
use crate::log::Log;
use crate::run::Run;
use crate::stages::data::Feed;
use crate::stages::step::Optimiser;
use crate::world::World;
use limbeck::Settings;

/// A method of the `checkpoint` stage. A recipe without this stage keeps every checkpoint.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a way to keep checkpoints",
    label = "not a method of the stage `checkpoint`",
    note = "methods of `checkpoint`: Safetensors, or a type of yours with `impl Checkpoints`"
)]
pub trait Checkpoints {
    /// The step to start from, with everything as it was then.
    ///
    /// # Errors
    /// A checkpoint that is damaged or belongs to another run.
    fn resume<W: World>(
        &self,
        run: &Run,
        data: &mut Feed,
        step: &mut Optimiser<W::Device>,
        world: &mut W,
        log: &mut Log,
    ) -> Result<u64>;

    /// Writes a checkpoint after step `it`, whole or not at all.
    ///
    /// # Errors
    /// A full disk, say; earlier checkpoints are intact.
    fn save<W: World>(
        &self,
        run: &Run,
        it: u64,
        data: &Feed,
        step: &Optimiser<W::Device>,
        world: &W,
        log: &mut Log,
    ) -> Result<()>;
}

/// The student in Hugging Face layout, the moments beside it, and the cursor: written whole or not at all.
#[derive(Clone, Debug, Settings)]
#[settings(check = check)]
pub struct Safetensors {
    /// How many of the latest checkpoints stay; `None` keeps them all.
    #[setting(default = None)]
    pub keep: Option<usize>,
}

const fn check(method: &Safetensors, _: &Facts) -> Option<Fault> {
    if let Some(0) = method.keep {
        let says =
            "a run that keeps no checkpoint cannot go on: `keep` must be at least 1 (or `None` for all)";
        return Some(Fault { stage: "checkpoint", field: "keep", says });
    }
    None
}

impl Checkpoints for Safetensors {
    fn resume<W: World>(
        &self,
        run: &Run,
        data: &mut Feed,
        step: &mut Optimiser<W::Device>,
        world: &mut W,
        log: &mut Log,
    ) -> Result<u64> {
        run.resume(data, step, world, log)
    }

    fn save<W: World>(
        &self,
        run: &Run,
        it: u64,
        data: &Feed,
        step: &Optimiser<W::Device>,
        world: &W,
        log: &mut Log,
    ) -> Result<()> {
        run.save(it, data, step, world, log)?;
        match self.keep {
            Some(keep) => run.forget_all_but(keep),
            None => Ok(()),
        }
    }
}
