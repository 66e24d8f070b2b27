// A set of domains that cannot be copied.
use limbeck::prelude::{recipe, AdamW, Frozen, PolicyGradient, Prompts, Sample, SampledToken};
use limbeck::Domain;

#[derive(Domain)]
pub enum Subject {
    Math,
    Code,
}

#[recipe]
pub struct MyOpd {
    #[teacher(domain = Subject::Math)]
    math: Frozen,
    #[teacher(domain = Subject::Code)]
    code: Frozen,

    data: Prompts,
    rollout: Sample,
    score: SampledToken,
    loss: PolicyGradient,
    step: AdamW,
}

fn main() {}
