//! At beta 0 too, and for the other tokens.
use limbeck::prelude::*;

#[recipe]
pub struct Numbed {
    #[teacher(reads = StepHints)]
    teacher: Frozen,
    #[teacher(reads = StepHints)]
    hindsight: Own,

    data: Prompts,
    rollout: Sample,
    score: FullVocab,
    route: AdvantageGap,
    #[with(gentle = Divergence::Jsd { beta: 0.0 })]
    loss: Routed<TopK<8>>,
    step: AdamW,
}

fn main() {}
