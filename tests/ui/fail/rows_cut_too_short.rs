//! Eight tokens are left, and the loss compares sixteen.
use limbeck::prelude::*;

#[recipe]
pub struct TooShort {
    #[teacher(reads = StepHints)]
    teacher: Frozen,
    #[teacher(reads = StepHints)]
    hindsight: Own,

    data: Prompts,
    rollout: Sample,
    #[with(keep = 8)]
    score: FullVocab,
    route: AdvantageGap,
    loss: Routed<TopK<16>>,
    step: AdamW,
}

fn main() {}
