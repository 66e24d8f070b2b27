// A teacher beside demonstrations.
use limbeck::prelude::*;

#[recipe]
pub struct MyOpd {
    #[teacher]
    teacher: Frozen,

    data: Prompts,
    rollout: Reference,
    verify: TaskAnswer,
    score: Demonstrated,
    loss: CrossEntropy,
    #[with(lr = 1e-5)]
    step: AdamW,
}

fn main() {}
