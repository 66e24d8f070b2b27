//! Every regime is left out.
use limbeck::prelude::*;

#[recipe]
pub struct Idle {
    #[teacher(reads = StepHints)]
    teacher: Frozen,
    #[teacher(reads = StepHints)]
    hindsight: Own,

    data: Prompts,
    rollout: Sample,
    score: FullVocab,
    route: AdvantageGap,
    #[with(learn = RegimeSet { lh: false, ll: false, ht: false, hs: false })]
    loss: Routed<TopK<8>>,
    step: AdamW,
}

fn main() {}
