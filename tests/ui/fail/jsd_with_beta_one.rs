// At beta 1 too.
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
    #[with(beta = 1.0)]
    loss: Jsd<TopK<16>>,
    #[with(lr = 1e-5)]
    step: AdamW,
}

fn main() {}
