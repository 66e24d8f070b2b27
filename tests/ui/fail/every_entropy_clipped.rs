//! All entropies would be one.
use limbeck::prelude::*;

#[recipe]
pub struct Clipped {
    #[teacher]
    teacher: Frozen,

    data: Prompts,
    rollout: Sample,
    score: Contrasted,
    #[with(clip = 1.0)]
    route: ByImportance,
    loss: ReverseKl,
    step: AdamW,
}

fn main() {}
