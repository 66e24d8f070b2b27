//! One voice with more than everything.
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
    #[with(teacher_share = 1.2)]
    loss: JsdToBoth,
    step: AdamW,
}

fn main() {}
