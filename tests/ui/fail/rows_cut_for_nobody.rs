//! Rows are cut, and the loss compares them whole.
use limbeck::prelude::*;

#[recipe]
pub struct CutShort {
    #[teacher]
    teacher: Frozen,

    data: Prompts,
    rollout: Sample,
    #[with(keep = 8)]
    score: FullVocab,
    loss: ReverseKl,
    step: AdamW,
}

fn main() {}
