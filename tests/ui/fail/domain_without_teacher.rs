// Three domains, two teachers.
// (G-OPD routes an unknown domain to its first teacher; only `math` and `code` are honoured)
use limbeck::prelude::{recipe, AdamW, Frozen, PolicyGradient, Prompts, Sample, SampledToken};
use limbeck::Domain;

#[derive(Clone, Copy, Domain)]
pub enum Subject {
    Math,
    Code,
    Logic,
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
