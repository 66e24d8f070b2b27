// A domain that the enum does not have.
use limbeck::prelude::{recipe, AdamW, Frozen, PolicyGradient, Prompts, Sample, SampledToken};
use limbeck::Domain;

#[derive(Clone, Copy, Domain)]
pub enum Subject {
    Math,
    Code,
}

#[recipe]
pub struct MyOpd {
    #[teacher(domain = Subject::Math)]
    math: Frozen,
    #[teacher(domain = Subject::Cod)]
    code: Frozen,

    data: Prompts,
    rollout: Sample,
    score: SampledToken,
    loss: PolicyGradient,
    step: AdamW,
}

fn main() {}
