//! Nothing would be left to learn from.
use limbeck::prelude::*;

#[recipe]
pub struct Bare {
    #[teacher(reads = StepHints)]
    teacher: Frozen,
    #[teacher(reads = StepHints)]
    hindsight: Own,

    data: Prompts,
    rollout: Sample,
    score: FullVocab,
    #[with(share = 1.0)]
    route: PruneByGap,
    loss: ReverseKl,
    step: AdamW,
}

fn main() {}
