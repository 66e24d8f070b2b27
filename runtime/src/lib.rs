//! On-policy distillation recipes that are checked by the compiler and expand into a loop you can read.
//!
//! A recipe is a struct that reads in the order its loop runs: who teaches, then the stages. The
//! field's name is the stage, its type is the method, `#[with(…)]` holds the settings.
//! [`recipe`] checks it and writes the loop; `limbeck show` prints it; `limbeck train` runs it.

#![warn(missing_docs)]
// `tokens_T`: the suffix is the shape (see `batch`)
#![allow(non_snake_case)]
// a bound is checked by what must hold, so that NaN fails it
#![allow(clippy::neg_cmp_op_on_partial_ord)]

extern crate self as limbeck;

pub mod batch;
pub mod capability;
pub mod check;
pub mod cli;
pub mod diff;
pub mod dist;
#[doc(hidden)]
pub mod eject;
mod entry;
pub mod error;
#[cfg(feature = "gguf")]
pub mod gguf;
pub mod kernels;
pub mod log;
pub mod loops;
pub mod memory;
pub mod models;
#[doc(hidden)]
pub mod patch;
pub mod plan;
pub mod prelude;
pub mod privileged;
pub mod real;
mod recipe;
pub mod replay;
pub mod rng;
pub mod run;
mod settings;
pub mod signal;
mod snapshot;
pub mod stages;
#[path = "../../macros/core/src/suggest.rs"]
mod suggest;
pub mod sweep;
pub mod tensor;
pub mod world;

pub use check::{Facts, Fault};
pub use cli::main;
pub use diff::{diff, Diff};
pub use entry::Entry;
pub use error::{Error, Result};
pub use limbeck_macros::{recipe, this_file, Domain, Settings};
pub use plan::Plan;
pub use recipe::Recipe;
pub use settings::{Part, Setting, Settings};
pub use world::{scenes, tasks, Domain};

#[doc(hidden)]
pub use limbeck_macros::__fork;
#[doc(hidden)]
pub use {insta, ron, serde};
