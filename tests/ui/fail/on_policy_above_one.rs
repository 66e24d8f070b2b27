//! A share of batches above all of them.
use limbeck::prelude::*;

#[recipe]
pub struct Wrong {
    #[teacher]
    teacher: Frozen,
    data: Prompts,
    #[with(on_policy = 1.5)]
    rollout: Mixed,
    score: FullVocab,
    loss: Jsd,
    step: AdamW,
}

fn main() {}
