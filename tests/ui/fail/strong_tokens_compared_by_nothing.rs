//! At beta 1 the divergence is zero for everyone.
use limbeck::prelude::*;

#[recipe]
pub struct Weakened {
    #[teacher(reads = StepHints)]
    teacher: Frozen,
    #[teacher(reads = StepHints)]
    hindsight: Own,

    data: Prompts,
    rollout: Sample,
    score: FullVocab,
    route: AdvantageGap,
    #[with(strong = Divergence::Jsd { beta: 1.0 })]
    loss: Routed<TopK<8>>,
    step: AdamW,
}

fn main() {}
