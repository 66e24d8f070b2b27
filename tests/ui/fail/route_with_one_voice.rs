//! A route between two voices, and only one is declared.
use limbeck::prelude::*;

#[recipe]
pub struct Lonely {
    #[teacher(reads = StepHints)]
    teacher: Frozen,
    data: Prompts,
    rollout: Sample,
    score: FullVocab,
    route: AdvantageGap,
    loss: Routed<TopK<8>>,
    step: AdamW,
}

fn main() {}
