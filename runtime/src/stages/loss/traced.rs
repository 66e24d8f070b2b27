//! One traced forward and backward over a part of a batch.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use crate::batch::Routed;
use crate::capability::Signal;
use crate::error::{Error, Result};
use crate::kernels::token_loss::{Described, Found as DeviceFound, TokenLoss as RowLoss, Weight};
use crate::log::Log;
use crate::models::Packed;
use crate::stages::loss::row::StudentRow;
use crate::stages::loss::{Loss, TokenLoss};
use crate::tensor::Grads;
use crate::world::World;

/// A loss over the selected rows of one packed batch.
struct OverRows<L, S> {
    loss: L,
    routed: Routed<S>,
    /// Which response and token each row belongs to.
    places: Vec<(usize, usize)>,
    found: Mutex<Vec<Found>>,
}

#[derive(Clone, Copy, Default)]
struct Found {
    token: TokenLoss,
    entropy: f64,
}

impl<S: Signal, L: Loss<S>> RowLoss for OverRows<L, S> {
    fn row(&self, row: usize, logits: &[f32], grad: Option<&mut [f32]>) -> f64 {
        let (i, t) = self.places[row];
        let response = &self.routed.rollouts().responses_N[i];
        let sampled = response.tokens_T[t] as usize;
        let student = match grad {
            Some(grad) => StudentRow::traced(logits, sampled, grad),
            None => StudentRow::whole(logits, sampled),
        };
        let mut student = student.drawn_at(response.log_probs_T.get(t).copied());
        let token = self.loss.token(self.routed.signal(), i, t, &mut student);
        let entropy = student.entropy().map_or(0.0, f64::from);
        if let Ok(mut found) = self.found.lock() {
            found[row] = Found { token, entropy };
        }
        token.loss
    }

    fn described(&self, row: usize) -> Option<Described<'_>> {
        let (i, t) = self.places[row];
        let response = &self.routed.rollouts().responses_N[i];
        let described = self.loss.described(self.routed.signal(), i, t, response.tokens_T[t] as usize)?;
        let old = response.log_probs_T.get(t).copied();
        Some(Described { sampled: response.tokens_T[t], old, ..described })
    }

    fn found(&self, row: usize, described: &Described<'_>, found: &DeviceFound) -> f64 {
        if let Ok(mut all) = self.found.lock() {
            all[row] = Found::told(described, found);
        }
        found.loss
    }
}

impl Found {
    /// What a device found, as the loss tells it.
    fn told(described: &Described<'_>, found: &DeviceFound) -> Self {
        let tells = &described.tells;
        let masses = (f64::from(found.student_mass), f64::from(found.teacher_mass));
        let weight = match tells.weight {
            Weight::Nothing => None,
            Weight::Importance => described.old.map(|_| f64::from(found.weight)),
            Weight::Fixed(weight) => Some(weight),
        };
        let token = TokenLoss {
            loss: found.loss,
            weight,
            masked: tells.masked && found.masked != 0,
            masses: tells.masses.then_some(masses),
        };
        Self { token, entropy: f64::from(found.entropy) }
    }
}

pub(super) fn backward<S: Signal, L: Loss<S>, W: World>(
    loss: &L,
    world: &W,
    micro: &Routed<S>,
    mut grads: Grads<W::Device>,
    log: &mut Log,
) -> Result<Grads<W::Device>> {
    let start = Instant::now();
    let student = world.student();
    let width = student.vocabulary();
    if L::NEEDS_VOCABULARY > width {
        return Err(Error::call(format!(
            "the loss compares the {} likeliest tokens, and the student's vocabulary has {width}",
            L::NEEDS_VOCABULARY
        ))
        .at("loss")
        .next("lower K, or compare the full vocabulary"));
    }
    log.remember(micro);
    let rollouts = micro.rollouts();
    let places: Vec<(usize, usize)> =
        micro.part().flat_map(|i| (0..rollouts.responses_N[i].tokens_T.len()).map(move |t| (i, t))).collect();
    let weights: Vec<f32> = places.iter().map(|&(i, t)| micro.share(i, t) as f32).collect();
    let packed = Packed::seeing(
        micro.part().map(|i| (rollouts.prompt_of(i).before(), &rollouts.responses_N[i].tokens_T[..])),
    );
    let rows = Arc::new(OverRows {
        loss: loss.clone(),
        routed: micro.clone(),
        found: Mutex::new(vec![Found::default(); places.len()]),
        places,
    });
    let as_rows: Arc<dyn RowLoss> = rows.clone();
    student.decoder.backward(&packed, &weights, &as_rows, &mut grads)?;
    let found = rows.found.lock().map_or_else(|_| Vec::new(), |found| found.clone());
    note(log, micro, &rows.places, &found)?;
    log.time("loss", start);
    Ok(grads)
}

/// Writes what the loss found into this step's metrics; stops at numbers that are not finite.
fn note<S: Signal>(
    log: &mut Log,
    micro: &Routed<S>,
    places: &[(usize, usize)],
    found: &[Found],
) -> Result<()> {
    let mut total = 0.0;
    for (&(i, t), found) in places.iter().zip(found) {
        let share = micro.share(i, t);
        if !found.token.loss.is_finite() {
            return Err(log.stop("the loss is not finite", i, t));
        }
        total += share * found.token.loss;
        let routed = micro.weight(i, t);
        log.token_loss(i, routed * found.token.weight.unwrap_or(1.0), routed * found.token.loss);
        log.mean("entropy", found.entropy, 1.0);
        log.mean("masked_share", f64::from(u8::from(found.token.masked)), 1.0);
        if let Some(regime) = micro.signal().regime(i, t) {
            log.mean(&format!("loss/{regime}"), found.token.loss, 1.0);
        }
        if let Some((student, teacher)) = found.token.masses {
            log.mean("student_mass", student, 1.0);
            log.mean("teacher_mass", teacher, 1.0);
        }
    }
    log.add("loss", total);
    Ok(())
}
