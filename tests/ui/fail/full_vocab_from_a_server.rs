// A teacher of one's own that answers with one probability a token, and a score that asks for all.
use limbeck::prelude::*;
use limbeck::world::roster::Kind;

/// A server that says how likely the sampled token is.
#[derive(Clone, Debug, Settings)]
pub struct Server {}

impl Kind for Server {
    const SELF: bool = false;
}

#[recipe]
pub struct MyOpd {
    #[teacher]
    teacher: Server,

    data: Prompts,
    rollout: Sample,
    score: FullVocab,
    loss: ReverseKl,
    step: AdamW,
}

fn main() {}
