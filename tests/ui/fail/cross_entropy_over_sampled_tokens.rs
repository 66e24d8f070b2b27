// Cross entropy would imitate the student's own samples.
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
    loss: CrossEntropy,
    #[with(lr = 1e-5)]
    step: AdamW,
}

fn main() {}
