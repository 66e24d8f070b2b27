//! A route of one's own asks how uncertain the student is, and the score does not say.
use limbeck::batch::{Routed, Scored};
use limbeck::capability::{Judgement, Uncertain};
use limbeck::prelude::{recipe, AdamW, Frozen, FullVocab, Prompts, ReverseKl, Sample, Settings};
use limbeck::stages::route::Route;

#[derive(Clone, Debug, Settings)]
pub struct Unsure {}

impl<S: Uncertain, J: Judgement> Route<S, J> for Unsure {
    type Signal = S;

    fn route(&self, scored: Scored<S, J>) -> limbeck::Result<Routed<S>> {
        Ok(Routed::all(scored))
    }
}

#[recipe]
pub struct Own {
    #[teacher]
    teacher: Frozen,

    data: Prompts,
    rollout: Sample,
    score: FullVocab,
    route: Unsure,
    loss: ReverseKl,
    step: AdamW,
}

fn main() {}
