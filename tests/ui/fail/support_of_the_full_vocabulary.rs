// The full vocabulary is nobody's choice.
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
    #[with(support = Support::Union)]
    loss: ForwardKl,
    #[with(lr = 1e-5)]
    step: AdamW,
}

fn main() {}
