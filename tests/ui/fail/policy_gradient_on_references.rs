// A policy gradient on words that are not the student's.
use limbeck::prelude::*;

#[recipe]
pub struct MyOpd {
    #[teacher]
    teacher: Frozen,

    data: Prompts,
    rollout: Reference,
    verify: TaskAnswer,
    score: SampledToken,
    loss: PolicyGradient,
    #[with(lr = 1e-5)]
    step: AdamW,
}

fn main() {}
