// SampledKl pulls to the teacher itself: lambda and the reference would be read and then dropped.
// (atropos#456: data collected and then dropped)
use limbeck::prelude::*;

#[recipe]
pub struct MyOpd {
    #[teacher]
    teacher: Frozen,
    #[teacher]
    reference: Start,

    data: Prompts,
    #[with(group_size = 8)]
    rollout: Sample,
    verify: TaskAnswer,
    score: Extrapolated,
    loss: SampledKl,
    #[with(lr = 1e-5)]
    step: AdamW,
}

fn main() {}
