// The same, and the recipe sets something.
use limbeck::batch::{Prompts as Batch, Response, Rollouts};
use limbeck::capability::Unjudged;
use limbeck::prelude::*;
use limbeck::stages::rollout::Rollout;
use limbeck::world::World;

/// The student says nothing.
#[derive(Clone, Debug)]
pub struct Silence {
    pub length: usize,
}

impl Rollout for Silence {
    fn respond<W: World>(&self, _: &W, prompts: Batch) -> limbeck::Result<Rollouts<Unjudged>> {
        let Batch { place, prompts_P, ledger } = prompts;
        let responses_N: Vec<Response> = Vec::new();
        Ok(Rollouts { place, prompts_P, responses_N, judgement: Unjudged, kept_N: Vec::new(), ledger })
    }
}

#[recipe]
pub struct MyOpd {
    #[teacher]
    teacher: Frozen,

    data: Prompts,
    #[with(length = 3)]
    rollout: Silence,
    score: SampledToken,
    loss: PolicyGradient,
    step: AdamW,
}

fn main() {}
