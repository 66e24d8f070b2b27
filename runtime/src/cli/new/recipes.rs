//! My recipes.

use limbeck::prelude::*;
use limbeck::Entry;

/// Two experts into one student; the student answers, and each prompt's expert corrects it.
#[recipe]
pub struct MyOpd {
    #[teacher(domain = Domain::Math)]
    math: Frozen,
    #[teacher(domain = Domain::Code)]
    code: Frozen,

    data: Prompts,
    #[with(group_size = 8, max_response_tokens = 32)]
    rollout: Sample,
    verify: TaskAnswer,
    #[with(ratio = 1.0)]
    balance: ByOutcome,
    score: FullVocab,
    #[with(beta = 0.5)]
    loss: Jsd,
    #[with(lr = 6e-4, warmup = 5, schedule = Schedule::Cosine)]
    step: AdamW,
}

/// The same, learning from every answer: what is the balancing worth?
#[recipe(base = MyOpd, without(balance))]
pub struct Unbalanced;

/// Every recipe of this crate, for the command line.
pub static RECIPES: &[Entry] = &[Entry::of::<MyOpd>(), Entry::of::<Unbalanced>()];
