// k1 back-propagated has no teacher in its gradient.
// (verl refuses it in its V1; miles#2362, slime#1068)
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
    #[with(estimator = Estimator::K1)]
    loss: SampledKl,
    #[with(lr = 1e-5)]
    step: AdamW,
}

fn main() {}
