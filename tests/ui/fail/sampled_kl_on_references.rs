// An estimate from samples the student did not draw.
use limbeck::prelude::*;

#[recipe]
pub struct MyOpd {
    #[teacher]
    teacher: Frozen,

    data: Prompts,
    rollout: Reference,
    verify: TaskAnswer,
    score: SampledToken,
    loss: SampledKl,
    #[with(lr = 1e-5)]
    step: AdamW,
}

fn main() {}
