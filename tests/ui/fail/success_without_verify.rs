//! The teacher reads what came out right, and nobody says what did.
use limbeck::prelude::*;

#[recipe]
pub struct Unjudged {
    #[teacher(reads = SuccessOrFeedback)]
    teacher: Ema,
    data: Prompts,
    rollout: Sample,
    score: FullVocab,
    loss: Jsd,
    step: AdamW,
}

fn main() {}
