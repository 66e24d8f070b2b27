// The student imitates itself.
use limbeck::prelude::*;

#[recipe]
pub struct MyOpd {
    data: Prompts,
    #[with(group_size = 8)]
    rollout: Sample,
    verify: TaskAnswer,
    score: Demonstrated,
    loss: CrossEntropy,
    #[with(lr = 1e-5)]
    step: AdamW,
}

fn main() {}
