// A margin that no group can reach.
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
    #[with(delta = f64::INFINITY)]
    calibrate: MarginShift,
    loss: PolicyGradient,
    #[with(lr = 1e-5)]
    step: AdamW,
}

fn main() {}
