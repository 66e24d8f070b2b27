//! How often a policy is right on prompts it never trains on.

use std::collections::BTreeMap;

use crate::batch::{Place, Prompts};
use crate::error::Result;
use crate::log::{Accuracy, Metrics, Side};
use crate::rng::Purpose;
use crate::run::state::prompts;
use crate::stages::rollout::Sample;
use crate::tensor::Device;
use crate::world::rows::Row;
use crate::world::verifier::{verdicts, Judges};
use crate::world::Policy;

/// How many prompts are answered at once.
const AT_ONCE: usize = 64;

/// Held-out prompts and how they are answered.
pub struct Evaluation {
    /// The prompts.
    pub rows: Vec<Row>,
    /// What messages call them.
    pub name: String,
    /// Look every so many steps; 0 looks only before and after.
    pub every: u64,
    /// How each is answered.
    pub sample: Sample,
    /// Who judges the answers.
    pub judges: Judges,
}

/// What one policy said to one prompt.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Which of the held-out prompts it is to, counted from 0.
    pub row: usize,
    /// The prompt.
    pub prompt: String,
    /// The response.
    pub response: String,
    /// Whether it was right.
    pub correct: Option<bool>,
}

impl Evaluation {
    /// The accuracy of `policy` by domain.
    ///
    /// # Errors
    /// A policy whose numbers are not finite.
    pub fn look<D: Device>(
        &self,
        policy: &Policy<D>,
        seed: u64,
        side: impl Fn(&str, usize) -> Side,
    ) -> Result<BTreeMap<String, Accuracy>> {
        let side = side(&format!("evaluating {}", policy.name), self.rows.len());
        let mut found: BTreeMap<String, Accuracy> = BTreeMap::new();
        evaluate(
            policy,
            self,
            |_| true,
            seed,
            |domain, answer| {
                found.entry(domain.to_string()).or_default().count(answer.correct);
            },
            |done| side.inc(done as u64),
        )?;
        Ok(found)
    }
}

/// Lets `policy` answer every prompt of the rows that it is `asked`; `each` sees every answer.
///
/// # Errors
/// A policy whose numbers are not finite, a prompt that does not fit.
pub fn evaluate<D: Device>(
    policy: &Policy<D>,
    evaluation: &Evaluation,
    asked: impl Fn(&Row) -> bool,
    seed: u64,
    mut each: impl FnMut(&str, Answer),
    progress: impl Fn(usize),
) -> Result<()> {
    let rows = evaluation.rows.iter().enumerate().filter(|(_, row)| asked(row));
    let all = prompts(rows, &evaluation.name, policy, &Default::default(), &evaluation.judges)?;
    for (number, some) in all.chunks(AT_ONCE).enumerate() {
        let place = Place { seed, step: number as u64 };
        let batch = Prompts { place, prompts_P: some.to_vec(), ledger: Metrics::default() };
        let rollouts = evaluation.sample.answer(policy, batch, Purpose::Evaluation)?;
        let verdicts = verdicts(some, &rollouts.responses_N);
        for (response, verdict) in rollouts.responses_N.into_iter().zip(verdicts) {
            let prompt = &some[response.prompt];
            let correct = verdict.unwrap_or(None);
            let (row, text) = (prompt.index, prompt.text.clone());
            each(prompt.domain(), Answer { row, prompt: text, response: response.text, correct });
        }
        progress(some.len());
    }
    Ok(())
}
