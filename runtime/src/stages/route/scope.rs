//! Training on a part of the tokens: which tokens are compared with each other, and what they weigh.

use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::batch::{Routed, Scored};
use crate::capability::{Judgement, Signal, Uncertain};
use crate::error::Result;

/// Among which tokens a share of them is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum TokenScope {
    /// All tokens of the batch, however it is split.
    #[default]
    Batch,
    /// The tokens of one response.
    Sequence,
}

/// A response, and one of its tokens.
pub(super) type At = (usize, usize);

impl TokenScope {
    /// What `say` says of each token of a scope becomes the token's weight. Responses that the loss does
    /// not learn from are in no scope and weigh 0.
    pub(super) fn weigh<S: Signal, J>(
        self,
        scored: &Scored<S, J>,
        say: impl Fn(&[At]) -> Vec<bool>,
    ) -> Vec<Vec<f64>> {
        let responses_N = &scored.rollouts.responses_N;
        let mut weight_N_T: Vec<Vec<f64>> =
            responses_N.iter().map(|response| vec![0.0; response.tokens_T.len()]).collect();
        let learnt = |&i: &usize| scored.rollouts.kept_N[i] && scored.signal.heard(i);
        let tokens = |i: usize| (0..responses_N[i].tokens_T.len()).map(move |t| (i, t));
        let each = (0..responses_N.len()).filter(learnt);
        let scopes: Vec<Vec<At>> = match self {
            Self::Batch => vec![each.flat_map(tokens).collect()],
            Self::Sequence => each.map(|i| tokens(i).collect()).collect(),
        };
        for scope in scopes {
            for (&(i, t), keep) in scope.iter().zip(say(&scope)) {
                weight_N_T[i][t] = f64::from(u8::from(keep));
            }
        }
        weight_N_T
    }
}

/// Routes by these weights, and notes which share of the tokens that could be learnt from keeps one.
pub(super) fn settle<S: Signal, J: Judgement>(
    mut scored: Scored<S, J>,
    weight_N_T: Vec<Vec<f64>>,
    start: Instant,
) -> Routed<S> {
    for (i, weights) in weight_N_T.iter().enumerate() {
        if scored.rollouts.kept_N[i] && scored.signal.heard(i) {
            for &weight in weights {
                scored.rollouts.ledger.mean("kept_tokens", f64::from(u8::from(weight > 0.0)), 1.0);
            }
        }
    }
    crate::stages::note_time(&mut scored.rollouts.ledger, "route", start);
    Routed::weighted(scored, weight_N_T)
}

/// Notes the student's mean entropy where it learns.
///
/// # Errors
/// As [`Uncertain::entropies`].
pub(super) fn note_entropy<S: Uncertain, J>(
    scored: &mut Scored<S, J>,
    weight_N_T: &[Vec<f64>],
) -> Result<()> {
    for (weights, entropies) in weight_N_T.iter().zip(scored.signal.entropies()?) {
        for (&weight, &entropy) in weights.iter().zip(entropies) {
            scored.rollouts.ledger.mean("kept_entropy", entropy, weight);
        }
    }
    Ok(())
}
