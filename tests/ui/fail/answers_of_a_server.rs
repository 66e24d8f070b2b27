// A teacher behind a server scores the student's answers; its own are never asked for.
use limbeck::prelude::*;

#[recipe]
pub struct MyOpd {
    #[teacher]
    teacher: Remote,

    data: Prompts,
    #[with(on_policy = 0.5, off_policy = OffPolicy::Teacher)]
    rollout: Mixed,
    score: SampledToken,
    loss: PolicyGradient,
    step: AdamW,
}

fn main() {}
