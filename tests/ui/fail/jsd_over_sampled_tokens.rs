// The same with a truncated divergence: the type under the cursor has parameters.
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
    loss: Jsd<TopK<4>>,
    #[with(lr = 1e-5)]
    step: AdamW,
}

fn main() {}
