// The sampled token alone is compared with nothing: the others must count as one.
use limbeck::prelude::*;

#[recipe]
pub struct MyOpd {
    #[teacher]
    teacher: Frozen,

    data: Prompts,
    #[with(group_size = 8)]
    rollout: Sample,
    score: FullVocab,
    #[with(support = Support::Sampled, tail = Tail::Renormalise)]
    loss: ReverseKl<TopK<8>>,
    #[with(lr = 1e-5)]
    step: AdamW,
}

fn main() {}
