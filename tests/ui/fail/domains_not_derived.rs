// An enum that nobody told to be a set of domains.
use limbeck::prelude::{recipe, AdamW, Frozen, PolicyGradient, Prompts, Sample, SampledToken};

#[derive(Clone, Copy)]
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
