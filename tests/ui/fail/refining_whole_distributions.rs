//! Rewards with a floor, and the score gives distributions.
use limbeck::prelude::*;

#[recipe]
pub struct Floorless {
    #[teacher]
    teacher: Frozen,

    data: Prompts,
    rollout: Sample,
    score: FullVocab,
    route: ExploreThenRefine,
    loss: PolicyGradient,
    step: AdamW,
}

fn main() {}
