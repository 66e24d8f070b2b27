// Reference answers are never wrong.
use limbeck::prelude::*;

#[recipe]
pub struct MyOpd {
    data: Prompts,
    rollout: Reference,
    verify: TaskAnswer,
    balance: ByOutcome,
    score: Demonstrated,
    loss: CrossEntropy,
    #[with(lr = 1e-5)]
    step: AdamW,
}

fn main() {}
