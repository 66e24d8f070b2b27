// A loss over the vocabulary, and a score of one number a token.
use limbeck::prelude::*;

#[recipe]
pub struct MyOpd {
    #[teacher]
    teacher: Frozen,

    data: Prompts,
    #[with(group_size = 8)]
    rollout: Sample,
    verify: TaskAnswer,
    score: SampledToken,
    loss: ReverseKl,
    #[with(lr = 1e-5)]
    step: AdamW,
}

fn main() {}
