// A margin compares answers to one prompt.
use limbeck::prelude::*;

#[recipe]
pub struct MyOpd {
    #[teacher]
    teacher: Frozen,

    data: Prompts,
    #[with(group_size = 1)]
    rollout: Sample,
    verify: TaskAnswer,
    score: SampledToken,
    calibrate: MarginShift,
    loss: PolicyGradient,
    #[with(lr = 1e-5)]
    step: AdamW,
}

fn main() {}
