//! `log`: what is written down of each step.

use crate as limbeck;
use crate::error::Result;
use crate::log::Log;
use crate::recipe::Recipe;
use crate::run::Run;
use limbeck::Settings;

/// A method of the `log` stage. A recipe without this stage logs with [`Jsonl`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a way to log",
    label = "not a method of the stage `log`",
    note = "methods of `log`: Jsonl, or a type of yours with `impl Logs`"
)]
pub trait Logs {
    /// Opens the log of a run.
    ///
    /// # Errors
    /// A file that cannot be written.
    fn open<R: Recipe>(&self, run: &Run, recipe: &R) -> Result<Log>;
}

/// One line of numbers a step in `metrics.jsonl` and for TensorBoard, and some rollouts in `samples.jsonl`.
#[derive(Clone, Debug, Settings)]
pub struct Jsonl {
    /// How many rollouts of a step are written down.
    #[setting(default = 4)]
    pub samples: usize,
}

impl Logs for Jsonl {
    fn open<R: Recipe>(&self, run: &Run, recipe: &R) -> Result<Log> {
        Log::with_samples(run, recipe, self.samples)
    }
}

impl Log {
    /// Opens the log of a run as a recipe without a `log` stage does.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn open<R: Recipe>(run: &Run, recipe: &R) -> Result<Self> {
        Jsonl::DEFAULT.open(run, recipe)
    }
}
