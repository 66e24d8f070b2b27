//! The student's likeliest tokens are left, and the loss asks for the teacher's.
use limbeck::prelude::*;

#[recipe]
pub struct Another {
    #[teacher(reads = StepHints)]
    teacher: Frozen,
    #[teacher(reads = StepHints)]
    hindsight: Own,

    data: Prompts,
    rollout: Sample,
    #[with(keep = 8)]
    score: FullVocab,
    route: AdvantageGap,
    #[with(support = Support::Teacher)]
    loss: Routed<TopK<8>>,
    step: AdamW,
}

fn main() {}
