//! What flows through the loop: `Prompts → Rollouts<J> → Scored<S, J> → Routed<S>`.
//!
//! Shape suffixes: `_P` prompts of a batch, `_N` responses, `_T` tokens of one response, `_V` vocabulary.

use std::sync::Arc;

use crate::capability::{Judgement, Signal};
use crate::log::Metrics;
use crate::models::{Before, Sight};
use crate::privileged::Placement;
use crate::world::rows::Row;
use crate::world::verifier::Verifier;

/// One prompt: what the student sees, and what others may know about it.
pub struct Prompt {
    /// The row's place in its source.
    pub index: usize,
    /// The prompt as the student's tokenizer reads it, never empty.
    pub tokens: Vec<u32>,
    /// The prompt as text.
    pub text: String,
    /// The reference response under the student's tokenizer, when the row has one.
    pub reference: Option<Vec<u32>>,
    pub(crate) sights: Vec<Sight>,
    pub(crate) row: Row,
    pub(crate) verifier: Arc<dyn Verifier>,
    pub(crate) placement: Arc<Placement>,
}

impl Prompt {
    /// What stands before each response: the student's own tokens and images, and nothing else.
    pub fn before(&self) -> Before<'_> {
        Before { tokens: &self.tokens, sights: &self.sights }
    }

    /// The domain whose teacher scores this prompt.
    pub fn domain(&self) -> &str {
        &self.row.domain
    }
}

/// Where in a run a batch was drawn: everything random about it follows from this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The run's seed.
    pub seed: u64,
    /// The step, from 0.
    pub step: u64,
}

/// A batch of prompts.
pub struct Prompts {
    /// Where it was drawn.
    pub place: Place,
    /// The prompts.
    pub prompts_P: Vec<Arc<Prompt>>,
    /// What is known of this step so far.
    pub ledger: Metrics,
}

/// One response of the student.
#[derive(Clone, Debug)]
pub struct Response {
    /// Which prompt of the batch it answers.
    pub prompt: usize,
    /// Its token ids, the end token included.
    pub tokens_T: Vec<u32>,
    /// Its text, without the end token.
    pub text: String,
    /// The student's log-probabilities while it was sampling, at temperature 1; empty when it did not sample.
    pub log_probs_T: Vec<f32>,
    /// Whether it ended by itself.
    pub finished: bool,
}

/// The student's responses to a batch of prompts. `J` says whether they have been judged.
#[derive(Clone)]
pub struct Rollouts<J> {
    /// Where the batch was drawn.
    pub place: Place,
    /// The prompts.
    pub prompts_P: Vec<Arc<Prompt>>,
    /// The responses; those of one prompt form a group.
    pub responses_N: Vec<Response>,
    /// What is known of right and wrong.
    pub judgement: J,
    /// Which responses the loss learns from; all of them until `balance` says otherwise.
    pub kept_N: Vec<bool>,
    /// What is known of this step so far.
    pub ledger: Metrics,
}

impl<J> Rollouts<J> {
    /// The responses of each prompt, by index, in batch order.
    pub fn groups(&self) -> Vec<Vec<usize>> {
        let mut groups = vec![Vec::new(); self.prompts_P.len()];
        for (i, response) in self.responses_N.iter().enumerate() {
            groups[response.prompt].push(i);
        }
        groups
    }

    /// The prompt that response `i` answers.
    pub fn prompt_of(&self, i: usize) -> &Arc<Prompt> {
        &self.prompts_P[self.responses_N[i].prompt]
    }

    /// The same rollouts under another judgement.
    pub fn judged_as<K>(self, judgement: K) -> Rollouts<K> {
        Rollouts {
            place: self.place,
            prompts_P: self.prompts_P,
            responses_N: self.responses_N,
            judgement,
            kept_N: self.kept_N,
            ledger: self.ledger,
        }
    }
}

/// Rollouts with what the teachers said of them.
#[derive(Clone)]
pub struct Scored<S, J> {
    /// The rollouts.
    pub rollouts: Rollouts<J>,
    /// What the teachers said.
    pub signal: S,
}

/// Which signal reaches which token, and with which weight: what the loss learns from.
#[derive(Clone)]
pub struct Routed<S> {
    batch: Arc<Whole<S>>,
    /// The responses of this part of the batch, by index into the whole.
    part: std::ops::Range<usize>,
}

/// The whole batch behind every part of it, so that no result depends on how it is split.
pub(crate) struct Whole<S> {
    pub rollouts: Rollouts<()>,
    pub outcomes_N: Vec<Option<bool>>,
    pub heard_N: Vec<bool>,
    pub signal: S,
    pub weight_N_T: Vec<Vec<f64>>,
}

impl<S: Signal> Routed<S> {
    /// Every token hears its prompt's teacher, with weight 1.
    pub fn all<J: Judgement>(scored: Scored<S, J>) -> Self {
        let weight_N_T = scored.rollouts.responses_N.iter().map(|r| vec![1.0; r.tokens_T.len()]).collect();
        Self::weighted(scored, weight_N_T)
    }

    /// Every token hears its signal with its own weight.
    pub fn weighted<J: Judgement>(scored: Scored<S, J>, weight_N_T: Vec<Vec<f64>>) -> Self {
        let Scored { rollouts, signal } = scored;
        let outcomes_N = (0..rollouts.responses_N.len()).map(|i| rollouts.judgement.outcome(i)).collect();
        let heard_N = (0..rollouts.responses_N.len()).map(|i| signal.heard(i)).collect();
        let part = 0..rollouts.responses_N.len();
        let rollouts = rollouts.judged_as(());
        Self { batch: Arc::new(Whole { rollouts, outcomes_N, heard_N, signal, weight_N_T }), part }
    }

    /// The batch in parts of at most `size` responses; one part when `size` is 0.
    pub fn chunks(&self, size: usize) -> Vec<Self> {
        let size = if size == 0 { self.part.len().max(1) } else { size };
        let starts = self.part.clone().step_by(size);
        starts
            .map(|start| Self {
                batch: Arc::clone(&self.batch),
                part: start..start.saturating_add(size).min(self.part.end),
            })
            .collect()
    }
}

impl<S> Routed<S> {
    /// The responses of this part, by index into the whole batch.
    pub fn part(&self) -> std::ops::Range<usize> {
        self.part.clone()
    }

    /// The signal of the whole batch.
    pub fn signal(&self) -> &S {
        &self.batch.signal
    }

    /// The rollouts of the whole batch.
    pub fn rollouts(&self) -> &Rollouts<()> {
        &self.batch.rollouts
    }

    /// What the verifier said of response `i`.
    pub fn outcome(&self, i: usize) -> Option<bool> {
        self.batch.outcomes_N[i]
    }

    /// Every outcome of the whole batch.
    pub fn outcomes(&self) -> &[Option<bool>] {
        &self.batch.outcomes_N
    }

    /// Whether the loss learns from response `i`: it was kept, and there was something to hear.
    pub fn learnt_from(&self, i: usize) -> bool {
        self.batch.rollouts.kept_N[i] && self.batch.heard_N[i]
    }

    /// The weight of token `t` of response `i`, as routed.
    pub fn weight(&self, i: usize, t: usize) -> f64 {
        self.batch.weight_N_T[i][t]
    }

    /// The share of the batch's loss that token `t` of response `i` has: its routed weight over the
    /// response's length and over *all* responses of the batch; 0 when the response is not kept.
    pub fn share(&self, i: usize, t: usize) -> f64 {
        let rollouts = &self.batch.rollouts;
        if !rollouts.kept_N[i] || !self.batch.heard_N[i] {
            return 0.0;
        }
        let length = rollouts.responses_N[i].tokens_T.len() as f64;
        self.weight(i, t) / length / crate::dist::sum(rollouts.responses_N.len() as f64)
    }
}
