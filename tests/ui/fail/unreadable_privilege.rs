// A teacher that reads a type which is nothing to read.
use limbeck::prelude::*;

#[derive(Clone, Debug)]
pub struct Letter;

#[recipe]
pub struct MyOpd {
    #[teacher(reads = Letter)]
    teacher: Frozen,

    data: Prompts,
    #[with(group_size = 8)]
    rollout: Sample,
    score: SampledToken,
    loss: PolicyGradient,
    #[with(lr = 1e-5)]
    step: AdamW,
}

fn main() {}
