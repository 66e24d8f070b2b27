//! A run: its file, its directory, and how it goes on after it was stopped.

mod before_after;
mod card;
mod checkpoint;
mod contexts;
mod directory;
mod drive;
mod effective;
mod estimate;
mod evaluate;
mod export;
pub(crate) mod file;
mod fingerprints;
mod finish;
mod judged;
mod left;
mod look;
mod overlay;
mod prepare;
mod ready;
mod source;
mod state;

pub use directory::RunDirectory;
pub use drive::{held_out, replay, resume, train, HeldOut, Shown};
pub use evaluate::{evaluate, Answer, Evaluation};
pub use export::export;
pub use file::{recipe_of, EvalFile, RunFile};
pub use look::{check, Findings};
pub use prepare::{read_for, Prepared, RunData, TrainOptions};
pub use state::{Report, Run};

pub(crate) use directory::write_whole;
pub(crate) use file::MOST_SAMPLES;
pub(crate) use left::Left;
pub(crate) use overlay::take_over;
pub(crate) use state::{read_plainly, side};
