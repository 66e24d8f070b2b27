//! Reverse KL on a set that the student can leave.
use limbeck::prelude::*;

#[recipe]
pub struct Leaving {
    #[teacher(reads = StepHints)]
    teacher: Frozen,
    #[teacher(reads = StepHints)]
    hindsight: Own,

    data: Prompts,
    rollout: Sample,
    score: FullVocab,
    route: AdvantageGap,
    #[with(tail = Tail::Drop)]
    loss: Routed<TopK<8>>,
    step: AdamW,
}

fn main() {}
