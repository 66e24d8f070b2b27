//! A teacher that is all student has no floor.
use limbeck::prelude::*;

#[recipe]
pub struct Sunken {
    #[teacher]
    teacher: Frozen,

    data: Prompts,
    rollout: Sample,
    score: SampledToken,
    #[with(lambda = 1.0)]
    route: ExploreThenRefine,
    loss: PolicyGradient,
    step: AdamW,
}

fn main() {}
