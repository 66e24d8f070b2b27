//! A recipe of your own, with a `main` of your own.
//!
//! ```text
//! cargo run --release --example 01_first_recipe -- show MyOpd
//! cargo run --release --example 01_first_recipe -- train examples/runs/first.ron
//! ```
//!
//! The first prints the loop that the struct below became; the second runs it on two built-in domains
//! and ends with a table in which the student has gained on both.

use std::process::ExitCode;

use limbeck::prelude::*;
use limbeck::Entry;

/// Two experts into one student, over the whole vocabulary.
///
/// Read it from top to bottom: who teaches, then what happens in one step of the loop.
#[recipe]
pub struct MyOpd {
    #[teacher(domain = Domain::Math)]
    math: Frozen,
    #[teacher(domain = Domain::Code)]
    code: Frozen,

    data: Prompts,
    #[with(group_size = 8, max_response_tokens = 32)]
    rollout: Sample,
    verify: TaskAnswer,
    score: FullVocab,
    #[with(beta = 0.5)]
    loss: Jsd,
    #[with(lr = 6e-4, beta2 = 0.98, warmup = 5, schedule = Schedule::Cosine)]
    step: AdamW,
}

fn main() -> ExitCode {
    // every verb of `limbeck`, over your recipes
    const RECIPES: &[Entry] = &[Entry::of::<MyOpd>()];
    limbeck::main(RECIPES)
}
