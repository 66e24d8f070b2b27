// A response of no tokens.
use limbeck::prelude::*;

#[recipe]
pub struct MyOpd {
    #[teacher]
    teacher: Frozen,

    data: Prompts,
    #[with(max_response_tokens = 0)]
    rollout: Sample,
    verify: TaskAnswer,
    score: SampledToken,
    loss: PolicyGradient,
    #[with(lr = 1e-5)]
    step: AdamW,
}

fn main() {}
