//! Two voices are heard, and nothing chooses between them.
use limbeck::prelude::*;

#[recipe]
pub struct Wrong {
    #[teacher(reads = StepHints)]
    teacher: Frozen,
    #[teacher(reads = StepHints)]
    hindsight: Own,
    data: Prompts,
    rollout: Sample,
    score: FullVocab,
    loss: ReverseKl,
    step: AdamW,
}

fn main() {}
