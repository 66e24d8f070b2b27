// An estimate of the divergence from a teacher, and no teacher.
use limbeck::prelude::*;

#[recipe]
pub struct MyOpd {
    data: Prompts,
    #[with(group_size = 8)]
    rollout: Sample,
    verify: TaskAnswer,
    score: GroupOutcome,
    loss: SampledKl,
    #[with(lr = 1e-5)]
    step: AdamW,
}

fn main() {}
