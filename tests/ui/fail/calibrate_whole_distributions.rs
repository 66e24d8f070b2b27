// A shift moves rewards, and whole distributions are none.
use limbeck::prelude::*;

#[recipe]
pub struct MyOpd {
    #[teacher]
    teacher: Frozen,

    data: Prompts,
    #[with(group_size = 8)]
    rollout: Sample,
    verify: TaskAnswer,
    score: FullVocab,
    calibrate: MarginShift,
    loss: ReverseKl,
    #[with(lr = 1e-5)]
    step: AdamW,
}

fn main() {}
