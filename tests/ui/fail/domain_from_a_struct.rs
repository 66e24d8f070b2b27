// Domains are the variants of an enum.
use limbeck::prelude::{recipe, AdamW, Frozen, PolicyGradient, Prompts, Sample, SampledToken};
use limbeck::Domain;

#[derive(Clone, Copy, Domain)]
pub struct Subject;

#[recipe]
pub struct MyOpd {
    #[teacher]
    teacher: Frozen,

    data: Prompts,
    rollout: Sample,
    score: SampledToken,
    loss: PolicyGradient,
    step: AdamW,
}

fn main() {}
