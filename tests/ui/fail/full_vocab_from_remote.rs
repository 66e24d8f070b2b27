// A server gives the sampled token's log-probability, or its likeliest tokens, and never all of them.
use limbeck::prelude::*;

#[recipe]
pub struct MyOpd {
    #[teacher]
    teacher: Remote,

    data: Prompts,
    rollout: Sample,
    score: FullVocab,
    loss: ReverseKl,
    step: AdamW,
}

fn main() {}
