// A method of one's own whose default its own check refuses, in a recipe that does not set it.
use limbeck::batch::{Prompts as Batch, Response, Rollouts};
use limbeck::capability::Unjudged;
use limbeck::prelude::*;
use limbeck::stages::rollout::Rollout;
use limbeck::world::World;
use limbeck::{Facts, Fault};

/// The student says nothing.
#[derive(Clone, Debug, Settings)]
#[settings(check = check)]
pub struct Silence {
    /// For how long, in tokens.
    #[setting(default = 0)]
    pub length: usize,
}

const fn check(method: &Silence, _: &Facts) -> Option<Fault> {
    if method.length == 0 {
        return Some(Fault {
            stage: "",
            field: "length",
            says: "a silence of 0 tokens is none: `length` must be at least 1",
        });
    }
    None
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
    rollout: Silence,
    score: SampledToken,
    loss: PolicyGradient,
    step: AdamW,
}

fn main() {}
