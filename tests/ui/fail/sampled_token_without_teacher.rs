// A score that asks a teacher, and no teacher.
use limbeck::prelude::*;

#[recipe]
pub struct MyOpd {
    data: Prompts,
    #[with(group_size = 8)]
    rollout: Sample,
    verify: TaskAnswer,
    score: SampledToken,
    loss: PolicyGradient,
    #[with(lr = 1e-5)]
    step: AdamW,
}

fn main() {}
