//! Experts that read a right answer of the group, and nobody says which is right.
use limbeck::prelude::*;

#[recipe]
pub struct Unjudged {
    #[teacher(domain = Domain::Math, reads = SiblingSuccess)]
    math: Frozen,
    #[teacher(domain = Domain::Code, reads = SiblingSuccess)]
    code: Frozen,
    data: Prompts,
    rollout: Sample,
    score: SampledToken,
    loss: PolicyGradient,
    step: AdamW,
}

fn main() {}
