//! A clip that takes every weight away.
use limbeck::prelude::*;

#[recipe]
pub struct Weightless {
    #[teacher]
    teacher: Frozen,
    data: Prompts,
    rollout: Sample,
    score: FullVocab,
    #[with(importance_clip = 0.0)]
    loss: ReverseKl,
    step: AdamW,
}

fn main() {}
