//! Two readings, and one teacher.
use limbeck::prelude::*;

#[recipe]
pub struct OneReader {
    #[teacher]
    teacher: Frozen,

    data: Prompts,
    rollout: Sample,
    score: BothViews,
    route: ByVisualAdvantage,
    loss: ReverseKl,
    step: AdamW,
}

fn main() {}
