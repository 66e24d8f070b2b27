//! The second reading sees more than the prompt.
use limbeck::prelude::*;

#[recipe]
pub struct Hinted {
    #[teacher]
    teacher: Frozen,
    #[teacher(reads = StepHints)]
    hinted: Frozen,

    data: Prompts,
    rollout: Sample,
    score: BothViews,
    route: ByVisualAdvantage,
    loss: ReverseKl,
    step: AdamW,
}

fn main() {}
