// A check that is not there.
use limbeck::batch::Rollouts;
use limbeck::capability::Unjudged;
use limbeck::prelude::*;
use limbeck::stages::verify::Verify;

/// Long answers are right.
#[derive(Clone, Debug, Settings)]
#[settings(check = chek)]
pub struct ByLength {
    /// In tokens.
    #[setting(default = 100)]
    pub at_least: usize,
}

impl Verify for ByLength {
    fn outcomes(&self, rollouts: &Rollouts<Unjudged>) -> limbeck::Result<(Vec<Option<bool>>, usize)> {
        Ok((rollouts.responses_N.iter().map(|one| Some(one.tokens_T.len() >= self.at_least)).collect(), 0))
    }
}

#[recipe]
pub struct MyOpd {
    #[teacher]
    teacher: Frozen,

    data: Prompts,
    rollout: Sample,
    #[with(at_least = 200)]
    verify: ByLength,
    score: SampledToken,
    loss: PolicyGradient,
    step: AdamW,
}

fn main() {}
