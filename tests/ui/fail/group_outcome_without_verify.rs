// GRPO's score is the outcome, and no outcome is known.
use limbeck::prelude::*;

#[recipe]
pub struct MyOpd {
    data: Prompts,
    #[with(group_size = 8)]
    rollout: Sample,
    score: GroupOutcome,
    loss: PolicyGradient,
    #[with(lr = 1e-5)]
    step: AdamW,
}

fn main() {}
