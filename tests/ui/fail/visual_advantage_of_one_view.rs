//! What a poorer view loses, and nobody looked at one.
use limbeck::prelude::*;

#[recipe]
pub struct OneEyed {
    #[teacher]
    teacher: Frozen,

    data: Prompts,
    rollout: Sample,
    score: FullVocab,
    route: ByVisualAdvantage,
    loss: ReverseKl,
    step: AdamW,
}

fn main() {}
