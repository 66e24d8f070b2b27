// A type with settings and no stage.
use limbeck::prelude::*;

#[derive(Clone, Debug, Settings)]
pub struct Greedy {}

#[recipe]
pub struct MyOpd {
    #[teacher]
    teacher: Frozen,

    data: Prompts,
    rollout: Greedy,
    verify: TaskAnswer,
    score: SampledToken,
    loss: PolicyGradient,
    #[with(lr = 1e-5)]
    step: AdamW,
}

fn main() {}
