// GRPO's rewards are the outcomes already: there is no teacher to set right.
use limbeck::prelude::*;

#[recipe]
pub struct MyOpd {
    data: Prompts,
    #[with(group_size = 8)]
    rollout: Sample,
    verify: TaskAnswer,
    score: GroupOutcome,
    calibrate: MarginShift,
    loss: PolicyGradient,
    #[with(lr = 1e-5)]
    step: AdamW,
}

fn main() {}
