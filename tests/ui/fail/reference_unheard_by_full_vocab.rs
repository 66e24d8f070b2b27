// A reference that FullVocab never listens to.
use limbeck::prelude::*;

#[recipe]
pub struct MyOpd {
    #[teacher]
    teacher: Frozen,
    #[teacher]
    reference: Start,

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
