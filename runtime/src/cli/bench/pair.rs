//! A student with one teacher, and the recipe whose steps are timed on them.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::prelude::*;
use crate::run::{Report, Run};
use crate::tensor::{Cpu, Device};
use crate::world::rows::Row;
use crate::world::{AnyVocabulary, Policy, World};

/// On-policy distillation over the full vocabulary: one teacher, reverse KL at every token.
#[recipe]
pub struct TimedSteps {
    #[teacher]
    teacher: Frozen,

    pub data: Prompts,
    #[with(group_size = 1, temperature = 1.0)]
    rollout: Sample,
    score: FullVocab,
    loss: ReverseKl,
    #[with(lr = 1e-5, beta2 = 0.999, weight_decay = 0.0)]
    pub step: AdamW,
}

/// What a step of the recipe is made of, as its metrics call it.
pub(super) const STAGES: [&str; 5] = ["data", "rollout", "score", "loss", "update"];

/// A student and its teacher, here.
pub(super) struct Pair<D: Device = Cpu> {
    pub student: Policy<D>,
    pub teacher: Policy<D>,
}

impl<D: Device> Pair<D> {
    /// The two, with the student's tokenizer; no end token ends what the student says.
    pub fn of(mut student: Policy<D>, mut teacher: Policy<D>) -> Self {
        student.decoder.speak_on();
        teacher.tokenizer = Arc::clone(&student.tokenizer);
        Self { student, teacher }
    }

    /// The recipe's own loop: `steps` steps on `batch` of `rows`, each answered `group` times with exactly `new`
    /// tokens. Nothing is written.
    ///
    /// # Errors
    /// Rows that do not fit the student.
    pub fn train(
        &mut self,
        rows: Vec<Row>,
        steps: u64,
        (batch, group, new): (usize, usize, usize),
    ) -> Result<Report> {
        let mut recipe = TimedSteps::DEFAULT;
        (recipe.rollout.group_size, recipe.rollout.max_response_tokens) = (group, new);
        let report = recipe.train(&Run::new(rows, steps, batch), self)?;
        let said = (batch * group * new) as f64;
        match report.metrics.iter().find(|(_, metrics)| metrics.get("tokens") != Some(said)) {
            None => Ok(report),
            Some((step, metrics)) => Err(Error::run(format!(
                "step {step} had {} tokens, not {said}: the model's context ends before",
                metrics.get("tokens").unwrap_or(0.0)
            ))
            .next("ask for shorter responses")),
        }
    }
}

impl<D: Device> World for Pair<D> {
    type Device = D;
    type Vocabulary = AnyVocabulary;

    fn student(&self) -> &Policy<D> {
        &self.student
    }

    fn student_mut(&mut self) -> &mut Policy<D> {
        &mut self.student
    }

    fn seated(&self) -> Vec<(&str, &Policy<D>)> {
        vec![("teacher", &self.teacher)]
    }

    fn teacher(&self, _: &str) -> Result<&Policy<D>> {
        Ok(&self.teacher)
    }
}
