// A privileged type that is not there.
use limbeck::prelude::*;

#[recipe]
pub struct MyOpd {
    #[teacher(reads = StepHint)]
    teacher: Frozen,

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
