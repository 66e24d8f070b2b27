//! The two recipes of `minilab.py`, on the command line: a small study beside the prototype it was first tried in.
//!
//! ```text
//! cargo bench --bench minilab -- show ExpertsOrSelf
//! ```

use std::process::ExitCode;

use limbeck::prelude::*;
use limbeck::privileged::{Found, Known, Reads, RowAlone};
use limbeck::Entry;

/// The whole prompt with its hint: the column `hinted`.
#[derive(Clone, Copy, Debug)]
pub struct Hinted;

impl Reads for Hinted {
    type Needs = RowAlone;

    fn find(&self, known: &Known<'_>) -> Found {
        known.column("hinted").map_or(Found::Missing("hinted"), Found::Instead)
    }
}

/// Each token is worth what the expert of its prompt thinks of it.
#[recipe]
pub struct Vanilla {
    #[teacher(domain = Domain::Math)]
    math: Frozen,
    #[teacher(domain = Domain::Code)]
    code: Frozen,

    data: Prompts,
    #[with(group_size = 8, max_response_tokens = 29)]
    rollout: Sample,
    score: SampledToken,
    #[with(clip_low = 0.2, clip_high = 0.28, gap_mask = 10.0)]
    loss: PolicyGradient,
    #[with(lr = 6e-4, beta2 = 0.98, weight_decay = 0.01, decay_all = true, warmup = 5, schedule = Schedule::Cosine)]
    step: AdamW,
}

/// Two hinted experts and the student's own hinted self; each token learns from one of them.
#[recipe]
pub struct ExpertsOrSelf {
    #[teacher(domain = Domain::Math, reads = Hinted)]
    math: Frozen,
    #[teacher(domain = Domain::Code, reads = Hinted)]
    code: Frozen,
    #[teacher(reads = Hinted)]
    hindsight: Own,

    data: Prompts,
    #[with(group_size = 8, max_response_tokens = 29)]
    rollout: Sample,
    score: FullVocab,
    #[with(trim = 0.05)]
    route: AdvantageGap,
    #[with(light = 0.6, weak = 0.3)]
    loss: Routed<UpTo<128>>,
    #[with(lr = 6e-4, beta2 = 0.98, weight_decay = 0.01, decay_all = true, warmup = 5, schedule = Schedule::Cosine)]
    step: AdamW,
}

fn main() -> ExitCode {
    const RECIPES: &[Entry] = &[Entry::of::<Vanilla>(), Entry::of::<ExpertsOrSelf>()];
    limbeck::main(RECIPES)
}
