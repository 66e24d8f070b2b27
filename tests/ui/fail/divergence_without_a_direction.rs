// A divergence that does not say from whom to whom: nothing is called so.
// (trl#3043, twinkle#112, OPSD#14: arguments or weights swapped, and nobody sees it)
use limbeck::prelude::*;

#[recipe]
pub struct MyOpd {
    #[teacher]
    teacher: Frozen,

    data: Prompts,
    #[with(group_size = 8)]
    rollout: Sample,
    score: FullVocab,
    loss: Kl,
    #[with(lr = 1e-5)]
    step: AdamW,
}

fn main() {}
