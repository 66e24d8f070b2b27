//! A running mean that moves by nothing.
use limbeck::prelude::*;

#[recipe]
pub struct Still {
    #[teacher(reads = StepHints)]
    #[with(rate = 0.0)]
    teacher: Ema,
    data: Prompts,
    rollout: Sample,
    score: FullVocab,
    loss: ReverseKl,
    step: AdamW,
}

fn main() {}
