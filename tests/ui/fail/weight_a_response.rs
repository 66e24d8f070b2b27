// One weight a response, where every token has its own.
// (miles guards its advantages against numbers that broadcast over tokens)
use limbeck::batch::{Routed, Scored};
use limbeck::capability::{Judgement, Signal};

/// Long answers count less.
fn shorter_is_better<S: Signal, J: Judgement>(scored: Scored<S, J>) -> Routed<S> {
    let lengths = scored.rollouts.responses_N.iter().map(|response| response.tokens_T.len() as f64);
    let weights: Vec<f64> = lengths.map(|length| 1.0 / (1.0 + length)).collect();
    Routed::weighted(scored, weights)
}

fn main() {}
