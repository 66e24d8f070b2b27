// Whole distributions are no rewards per token.
// (verl refuses it in its V1; miles#2362, slime#1068: a top-k KL used as a reward has no gradient)
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
    loss: PolicyGradient,
    #[with(lr = 1e-5)]
    step: AdamW,
}

fn main() {}
