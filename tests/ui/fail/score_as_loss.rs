// A method in the wrong stage: a score is asked for gradients.
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
    loss: SampledToken,
    #[with(lr = 1e-5)]
    step: AdamW,
}

fn main() {}
