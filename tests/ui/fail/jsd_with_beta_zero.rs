// At beta 0 the divergence is zero for everyone.
// (ms-swift#10078, verl-recipe#151)
use limbeck::prelude::*;

#[recipe]
pub struct MyOpd {
    #[teacher]
    teacher: Frozen,

    data: Prompts,
    #[with(group_size = 8)]
    rollout: Sample,
    verify: TaskAnswer,
    score: FullVocab,
    #[with(beta = 0.0)]
    loss: Jsd,
    #[with(lr = 1e-5)]
    step: AdamW,
}

fn main() {}
