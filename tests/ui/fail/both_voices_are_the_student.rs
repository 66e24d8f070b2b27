//! Teacher and hindsight are the same weights: every token would be the teacher's.
use limbeck::prelude::*;

#[recipe]
pub struct Mirror {
    #[teacher(reads = StepHints)]
    teacher: Own,
    #[teacher(reads = StepHints)]
    hindsight: Own,
    data: Prompts,
    rollout: Sample,
    score: FullVocab,
    route: AdvantageGap,
    loss: Routed<TopK<8>>,
    step: AdamW,
}

fn main() {}
