//! A top share that leaves no rest.
use limbeck::prelude::*;

#[recipe]
pub struct AllTop {
    #[teacher]
    teacher: Frozen,
    #[teacher(reads = Pixelated)]
    pixelated: Frozen,

    data: Prompts,
    rollout: Sample,
    score: BothViews,
    #[with(share = 1.0)]
    route: ByVisualAdvantage,
    loss: ReverseKl,
    step: AdamW,
}

fn main() {}
