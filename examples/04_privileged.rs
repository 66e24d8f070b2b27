//! A teacher that may read what the student may not: its type says so.
//!
//! ```text
//! cargo run --release --example 04_privileged -- show Whispered
//! cargo run --release --example 04_privileged -- train examples/runs/privileged.ron
//! ```
//!
//! The hints live in `Privileged`, which shows itself to nobody: they reach the teacher's context and
//! nothing else. The student that trains sees the plain prompt.

use std::process::ExitCode;

use limbeck::prelude::*;
use limbeck::privileged::{Found, Known, Reads, RowAlone};
use limbeck::Entry;

/// What our teacher reads: the hints, spoken softly.
#[derive(Clone, Copy, Debug)]
pub struct Whisper;

impl Reads for Whisper {
    type Needs = RowAlone; // the data row is enough; `Outcomes` would also ask for a `verify` stage

    fn find(&self, known: &Known<'_>) -> Found {
        match known.column("hints") {
            Some(hints) => Found::Text(hints),
            // problems of one step have no hints: such a response is left out of the loss
            None => Found::Nothing,
        }
    }
}

/// A hinted expert, and a student that never sees the hint.
#[recipe]
pub struct Whispered {
    #[teacher(reads = Whisper)]
    teacher: Frozen,

    data: Prompts,
    #[with(group_size = 8, max_response_tokens = 32)]
    rollout: Sample,
    score: FullVocab,
    loss: ReverseKl,
    #[with(lr = 6e-4, warmup = 5, schedule = Schedule::Cosine)]
    step: AdamW,
}

fn main() -> ExitCode {
    const RECIPES: &[Entry] = &[Entry::of::<Whispered>()];
    limbeck::main(RECIPES)
}
