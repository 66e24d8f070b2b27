//! Importance is entropy and distance, and nobody measured the student.
use limbeck::prelude::*;

#[recipe]
pub struct Blind {
    #[teacher]
    teacher: Frozen,

    data: Prompts,
    rollout: Sample,
    score: FullVocab,
    route: ByImportance,
    loss: ReverseKl,
    step: AdamW,
}

fn main() {}
