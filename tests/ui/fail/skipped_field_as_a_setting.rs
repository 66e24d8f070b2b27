// Width is a type, not a setting.
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
    #[with(k = 8)]
    loss: ReverseKl,
    #[with(lr = 1e-5)]
    step: AdamW,
}

fn main() {}
