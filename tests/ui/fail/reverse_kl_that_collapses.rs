// Reverse KL on a set without a tail falls when the student leaves the set.
// (verl#5041)
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
    #[with(tail = Tail::Drop)]
    loss: ReverseKl<TopK<8>>,
    #[with(lr = 1e-5)]
    step: AdamW,
}

fn main() {}
