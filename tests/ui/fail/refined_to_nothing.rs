//! The second phase would train on no token.
use limbeck::prelude::*;

#[recipe]
pub struct Refined {
    #[teacher]
    teacher: Frozen,

    data: Prompts,
    rollout: Sample,
    score: SampledToken,
    #[with(keep = 0.0)]
    route: ExploreThenRefine,
    loss: PolicyGradient,
    step: AdamW,
}

fn main() {}
