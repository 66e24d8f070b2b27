//! Domains of your own: the routing is a `match` over your enum, so no domain can be forgotten.
//!
//! ```text
//! cargo run --release --example 05_two_teachers -- show TwoSubjects
//! ```
//!
//! Add a variant to `Subject` and the recipe no longer compiles: rustc says that `Subject::Logic` is not
//! covered, under the teachers' domains. Remove a teacher and it says so too.

use std::process::ExitCode;

use limbeck::prelude::{recipe, AdamW, Frozen, PolicyGradient, Prompts, Sample, SampledToken};
use limbeck::{Domain, Entry};

/// What the prompts are about. The `domain` column of the data says `math` or `code`.
#[derive(Clone, Copy, Domain)]
pub enum Subject {
    /// Arithmetic in steps.
    Math,
    /// What a small program prints.
    Code,
}

/// Each prompt hears the expert of its subject, and no other.
#[recipe]
pub struct TwoSubjects {
    #[teacher(domain = Subject::Math)]
    numbers: Frozen,
    #[teacher(domain = Subject::Code)]
    programs: Frozen,

    data: Prompts,
    #[with(group_size = 8, max_response_tokens = 32)]
    rollout: Sample,
    score: SampledToken,
    #[with(gap_mask = 20.0)]
    loss: PolicyGradient,
    #[with(lr = 6e-4, warmup = 5)]
    step: AdamW,
}

fn main() -> ExitCode {
    const RECIPES: &[Entry] = &[Entry::of::<TwoSubjects>()];
    limbeck::main(RECIPES)
}
