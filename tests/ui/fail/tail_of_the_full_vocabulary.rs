// The full vocabulary has no tail.
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
    #[with(tail = Tail::Bucket)]
    loss: ForwardKl,
    #[with(lr = 1e-5)]
    step: AdamW,
}

fn main() {}
