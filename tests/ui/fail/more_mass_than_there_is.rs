//! The top would have more than all of the weight.
use limbeck::prelude::*;

#[recipe]
pub struct Massive {
    #[teacher]
    teacher: Frozen,
    #[teacher(reads = Pixelated)]
    pixelated: Frozen,

    data: Prompts,
    rollout: Sample,
    score: BothViews,
    #[with(mass = 1.5)]
    route: ByVisualAdvantage,
    loss: ReverseKl,
    step: AdamW,
}

fn main() {}
