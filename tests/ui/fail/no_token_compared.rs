// The zero likeliest tokens.
use limbeck::prelude::*;

#[recipe]
pub struct MyOpd {
    #[teacher]
    teacher: Frozen,

    data: Prompts,
    #[with(group_size = 8)]
    rollout: Sample,
    verify: TaskAnswer,
    score: FullVocab,
    loss: ForwardKl<TopK<0>>,
    #[with(lr = 1e-5)]
    step: AdamW,
}

fn main() {}
