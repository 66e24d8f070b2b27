// A method is a struct.
use limbeck::batch::Rollouts;
use limbeck::capability::Unjudged;
use limbeck::prelude::*;
use limbeck::stages::verify::Verify;

/// Long answers are right.
#[derive(Clone, Debug, Settings)]
pub enum ByLength {
    Words,
    Tokens,
}

impl Verify for ByLength {
    fn outcomes(&self, rollouts: &Rollouts<Unjudged>) -> limbeck::Result<(Vec<Option<bool>>, usize)> {
        Ok((rollouts.responses_N.iter().map(|one| Some(one.tokens_T.len() >= 100)).collect(), 0))
    }
}

#[recipe]
pub struct MyOpd {
    #[teacher]
    teacher: Frozen,

    data: Prompts,
    rollout: Sample,
    verify: ByLength,
    score: SampledToken,
    loss: PolicyGradient,
    step: AdamW,
}

fn main() {}
