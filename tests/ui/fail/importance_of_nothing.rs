//! No token would be kept.
use limbeck::prelude::*;

#[recipe]
pub struct Keepless {
    #[teacher]
    teacher: Frozen,

    data: Prompts,
    rollout: Sample,
    score: Contrasted,
    #[with(keep = 0.0)]
    route: ByImportance,
    loss: ReverseKl,
    step: AdamW,
}

fn main() {}
