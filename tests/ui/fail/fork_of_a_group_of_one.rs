// The fork adds margins to a base that asks for one answer a prompt.
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
    loss: PolicyGradient,
    #[with(lr = 1e-5)]
    step: AdamW,
}

#[recipe(base = MyOpd)]
pub struct Calibrated {
    calibrate: MarginShift,
}

fn main() {}
