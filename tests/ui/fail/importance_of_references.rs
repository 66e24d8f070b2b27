//! Importance weights of tokens that no student sampled.
use limbeck::prelude::*;

#[recipe]
pub struct Read {
    #[teacher]
    teacher: Frozen,
    data: Prompts,
    rollout: Reference,
    score: FullVocab,
    #[with(importance_clip = 2.0)]
    loss: Jsd,
    step: AdamW,
}

fn main() {}
