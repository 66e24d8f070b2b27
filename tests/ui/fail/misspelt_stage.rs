// What the macro refuses is one error too.
use limbeck::prelude::*;

#[recipe]
pub struct MyOpd {
    #[teacher]
    teacher: Frozen,

    data: Prompts,
    #[with(group_size = 8)]
    rollout: Sample,
    verify: TaskAnswer,
    score: SampledToken,
    los: PolicyGradient,
    #[with(lr = 1e-5)]
    step: AdamW,
}

fn main() {}
