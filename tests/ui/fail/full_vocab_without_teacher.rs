// The same over the whole vocabulary.
use limbeck::prelude::*;

#[recipe]
pub struct MyOpd {
    data: Prompts,
    #[with(group_size = 8)]
    rollout: Sample,
    verify: TaskAnswer,
    score: FullVocab,
    loss: ReverseKl,
    #[with(lr = 1e-5)]
    step: AdamW,
}

fn main() {}
