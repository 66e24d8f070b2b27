//! At beta 0 nobody is far from anybody.
use limbeck::prelude::*;

#[recipe]
pub struct Alike {
    #[teacher]
    teacher: Frozen,

    data: Prompts,
    rollout: Sample,
    #[with(divergence = Divergence::Jsd { beta: 0.0 })]
    score: Contrasted,
    route: ByImportance,
    loss: ReverseKl,
    step: AdamW,
}

fn main() {}
