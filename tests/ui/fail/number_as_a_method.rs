// A number where a method belongs.
use limbeck::prelude::*;

#[recipe]
pub struct MyOpd {
    #[teacher]
    teacher: Frozen,

    data: Prompts,
    #[with(group_size = 8)]
    rollout: Sample,
    score: FullVocab,
    loss: f64,
    #[with(lr = 1e-5)]
    step: AdamW,
}

fn main() {}
