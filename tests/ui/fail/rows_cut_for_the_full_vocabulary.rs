//! Eight tokens are left, and the loss compares all.
use limbeck::prelude::*;

#[recipe]
pub struct NotFull {
    #[teacher(reads = StepHints)]
    teacher: Frozen,
    #[teacher(reads = StepHints)]
    hindsight: Own,

    data: Prompts,
    rollout: Sample,
    #[with(keep = 8)]
    score: FullVocab,
    route: AdvantageGap,
    loss: Routed,
    step: AdamW,
}

fn main() {}
