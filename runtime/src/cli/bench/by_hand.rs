//! What the abstraction costs: a recipe's own loop beside the same steps written by hand.

use std::sync::Arc;
use std::time::Instant;

use rayon::prelude::*;

use super::growth::Sizes;
use super::measured::{milliseconds, Measured};
use super::pair::{Pair, TimedSteps};
use crate::error::{Error, Result};
use crate::kernels::adamw::{grad_norm, Hyper, Moments};
use crate::kernels::token_loss::TokenLoss;
use crate::log::metrics::STEP_TIME;
use crate::models::{Packed, Request, Sampling};
use crate::prelude::*;
use crate::real::log_softmax;
use crate::rng::{Purpose, Stream};
use crate::run::Run;
use crate::stages::data::Data;
use crate::stages::loss::divergence::Divergence;
use crate::stages::loss::row::StudentRow;
use crate::tasks::{generate, TaskSpec};
use crate::world::rows::Row;

/// Prompts a step, and responses to each.
const BATCH: (usize, usize) = (2, 8);

/// `rounds` of `steps` steps of each, on the same model from the same start, in turn, and in every other round the other
/// way round; the first step of each is not counted. What the log takes is part of the recipe's own steps.
///
/// # Errors
/// When the two do not end in the same bits.
pub(super) fn measure(rounds: usize, steps: u64, new: usize) -> Result<Measured> {
    let sizes = Sizes { vocabulary: 2048, layers: 2, room: new + 128 };
    let rows = generate(&TaskSpec { levels: (2, 2), per_level: 16, ..TaskSpec::default() })?;
    let (mut own, mut log, mut hand) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..rounds {
        let (mut first, mut second) = (sizes.pair()?, sizes.pair()?);
        let mut by_recipe = || first.train(rows.clone(), steps, (BATCH.0, BATCH.1, new));
        let mut by_hand = || by_hand(&mut second, rows.clone(), steps, new);
        let (report, seconds) = if round % 2 == 0 {
            let report = by_recipe()?;
            (report, by_hand()?)
        } else {
            let seconds = by_hand()?;
            (by_recipe()?, seconds)
        };
        for (_, metrics) in report.metrics.iter().skip(1) {
            let logged = metrics.get("log_time").unwrap_or(0.0);
            own.extend(metrics.get(STEP_TIME).map(|step| step + logged));
            log.push(logged);
        }
        hand.extend(seconds.into_iter().skip(1));
        if bits(&first) != bits(&second) {
            return Err(Error::run("the recipe's loop and the one written by hand end in different weights"));
        }
    }
    let ratios: Vec<f64> = own.iter().zip(&hand).map(|(own, hand)| own / hand).collect();
    let mut measured = Measured::of("loop").on("rounds", rounds).on("steps", steps);
    measured.add("the recipe's own", "ms", milliseconds(&own));
    measured.add("of these, the log", "ms", milliseconds(&log));
    measured.add("by hand", "ms", milliseconds(&hand));
    measured.add("own / by hand", "", ratios);
    Ok(measured)
}

/// The student's weights.
fn bits(pair: &Pair) -> Vec<Vec<u32>> {
    let bits = |values: Vec<f32>| values.into_iter().map(f32::to_bits).collect();
    pair.student.decoder.parameters().iter().map(|p| bits(p.to_host())).collect()
}

/// The steps of [`TimedSteps`] with nothing between the caller and the model; the seconds of each.
fn by_hand(pair: &mut Pair, rows: Vec<Row>, steps: u64, new: usize) -> Result<Vec<f64>> {
    let (recipe, group) = (TimedSteps::DEFAULT, BATCH.1);
    let mut data = recipe.data.open(&Run::new(rows, steps, BATCH.0), pair)?;
    let mut moments = Moments::new(&pair.student.decoder)?;
    let mut seconds = Vec::new();
    for step in 0..steps {
        let start = Instant::now();
        let prompts = data.draw(BATCH.0)?.prompts_P;
        let requests: Vec<Request> = prompts
            .iter()
            .enumerate()
            .map(|(at, prompt)| {
                let streams = (at * group..(at + 1) * group)
                    .map(|row| Stream::new(0, Purpose::Rollout, step, row as u64));
                Request { prompt: prompt.tokens.clone(), copies: group, streams: streams.collect() }
            })
            .collect();
        let sampling = Sampling { max_tokens: new, eos: pair.student.eos(), ..Sampling::default() };
        let said = pair.student.decoder.generate(&requests, &sampling, None)?;
        let pairs = said.iter().enumerate().map(|(i, g)| (&prompts[i / group].tokens[..], &g.tokens[..]));
        let packed = Packed::of(pairs);

        let (width, lengths) = (pair.student.vocabulary(), said.iter().map(|g| g.tokens.len()));
        let lengths: Vec<usize> = lengths.collect();
        let teacher = pair.teacher.decoder.logits_of_each(&packed, &lengths, |_, rows| {
            rows.par_chunks_exact_mut(width).for_each(log_softmax);
            rows.to_vec()
        })?;
        let share = |length: usize| (1.0 / length as f64 / said.len() as f64) as f32;
        let weights: Vec<f32> = lengths.iter().flat_map(|&n| std::iter::repeat_n(share(n), n)).collect();
        let loss: Arc<dyn TokenLoss> = Arc::new(ReverseKlTo { teacher: teacher.concat(), width });
        let mut grads = pair.student.decoder.zero_grads()?;
        pair.student.decoder.backward(&packed, &weights, &loss, &mut grads)?;

        let (norm, method) = (grad_norm(&pair.student.decoder, &grads)?, &recipe.step);
        let grad_scale = if norm > method.clip_norm { method.clip_norm / norm } else { 1.0 };
        let AdamW { lr, beta1, beta2, eps, weight_decay, .. } = *method;
        let hyper = Hyper { lr, beta1, beta2, eps, weight_decay, grad_scale };
        moments.update(&mut pair.student.decoder, &grads, &hyper, |name| !name.contains("norm"))?;
        seconds.push(start.elapsed().as_secs_f64());
    }
    Ok(seconds)
}

/// `KL(s‖q)` at every token, from the teacher's rows one after the other.
struct ReverseKlTo {
    teacher: Vec<f32>,
    width: usize,
}

impl TokenLoss for ReverseKlTo {
    fn row(&self, row: usize, logits: &[f32], grad: Option<&mut [f32]>) -> f64 {
        let teacher = &self.teacher[row * self.width..][..self.width];
        let mut student = match grad {
            Some(grad) => StudentRow::traced(logits, 0, grad),
            None => StudentRow::whole(logits, 0),
        };
        // every loss of the runtime looks at the student's entropy as well
        std::hint::black_box(student.entropy());
        Divergence::ReverseKl.push(&mut student, teacher, 1.0).map_or(f64::NAN, f64::from)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_recipe_and_the_hand_end_in_the_same_bits() {
        let measured = super::measure(1, 2, 4).unwrap().to_json();
        assert!(measured["series"]["own / by hand"]["median"].as_f64().is_some_and(|ratio| ratio > 0.0));
    }
}
