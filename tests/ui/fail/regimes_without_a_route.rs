//! A loss by regime, and no route that finds them.
use limbeck::prelude::*;

#[recipe]
pub struct Unrouted {
    #[teacher]
    teacher: Frozen,
    data: Prompts,
    rollout: Sample,
    score: FullVocab,
    loss: Routed<TopK<8>>,
    step: AdamW,
}

fn main() {}
