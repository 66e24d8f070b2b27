// One token renormalised is certain. No setting was written, so the method's name is underlined.
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
    loss: ReverseKl<TopK<1>>,
    #[with(lr = 1e-5)]
    step: AdamW,
}

fn main() {}
