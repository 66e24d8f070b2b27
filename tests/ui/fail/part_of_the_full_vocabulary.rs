//! A part of the vocabulary, and no width that says which.
use limbeck::prelude::*;

#[recipe]
pub struct Parted {
    #[teacher(reads = StepHints)]
    teacher: Frozen,
    #[teacher(reads = StepHints)]
    hindsight: Own,

    data: Prompts,
    rollout: Sample,
    score: FullVocab,
    route: AdvantageGap,
    #[with(strong_whole = false)]
    loss: Routed,
    step: AdamW,
}

fn main() {}
