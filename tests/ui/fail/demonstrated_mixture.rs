//! Some of the tokens to imitate are the student's own.
use limbeck::prelude::*;

#[recipe]
pub struct Wrong {
    data: Prompts,
    rollout: Mixed,
    score: Demonstrated,
    loss: CrossEntropy,
    step: AdamW,
}

fn main() {}
