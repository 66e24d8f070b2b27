// An advantage compares answers to one prompt.
use limbeck::prelude::*;

#[recipe]
pub struct MyOpd {
    data: Prompts,
    #[with(group_size = 1)]
    rollout: Sample,
    verify: TaskAnswer,
    score: GroupOutcome,
    loss: PolicyGradient,
    #[with(lr = 1e-5)]
    step: AdamW,
}

fn main() {}
