//! A gap between two voices, and only one speaks.
use limbeck::prelude::*;

#[recipe]
pub struct OneVoiced {
    #[teacher]
    teacher: Frozen,

    data: Prompts,
    rollout: Sample,
    score: FullVocab,
    route: PruneByGap,
    loss: ReverseKl,
    step: AdamW,
}

fn main() {}
