//! What a loss sees of the student at one position, and where it leaves its gradient.

use super::importance::clipped_importance;
use crate::real::{log_sum_exp, Real};

/// The student at one position: the token it sampled, and, where they are at hand, the whole row of
/// logits `z` and a row that collects `∂loss/∂z`.
///
/// ```
/// use limbeck::stages::loss::row::StudentRow;
/// let (z, mut grad) = ([0.0f64, 0.0], [0.0; 2]);
/// let mut row = StudentRow::traced(&z, 1, &mut grad);
/// assert!((row.log_prob() - 0.5f64.ln()).abs() < 1e-12);
/// row.push_log_prob(2.0); // ∂ log s(y) / ∂z = onehot(y) − s
/// assert_eq!(grad, [-1.0, 1.0]);
/// ```
#[derive(Debug)]
pub struct StudentRow<'a, R: Real> {
    sampled: usize,
    log_prob: R,
    log_normaliser: R,
    old: Option<R>,
    logits: Option<&'a [R]>,
    grad: Option<&'a mut [R]>,
}

impl<'a, R: Real> StudentRow<'a, R> {
    /// A whole row, looked at only. A `sampled` outside of it has probability zero.
    pub fn whole(logits: &'a [R], sampled: usize) -> Self {
        let log_normaliser = log_sum_exp(logits);
        let log_prob = logits.get(sampled).map_or(R::neg_infinity(), |&z| z - log_normaliser);
        Self { sampled, log_prob, log_normaliser, old: None, logits: Some(logits), grad: None }
    }

    /// A whole row whose gradient is added to `grad`.
    pub fn traced(logits: &'a [R], sampled: usize, grad: &'a mut [R]) -> Self {
        Self { grad: Some(grad), ..Self::whole(logits, sampled) }
    }

    /// No row: only the log-probability of the sampled token was written down.
    pub fn recorded(log_prob: R) -> Self {
        Self { sampled: 0, log_prob, log_normaliser: R::zero(), old: None, logits: None, grad: None }
    }

    /// The same row; when the token was sampled, its log-probability was `old`.
    pub fn drawn_at(self, old: Option<R>) -> Self {
        Self { old, ..self }
    }

    /// `ρ̄ = min(s(y)/s_old(y), limit)`, the [weight](super::importance) of a token that an older student
    /// sampled; none if that is not known, as of a recording, which holds one student.
    pub fn importance(&self, limit: f64) -> Option<R> {
        let new = R::log_prob(self.logits?, self.sampled);
        Some(clipped_importance(new, self.old?, R::of(limit)))
    }

    /// `log s(y)` of the sampled token `y`.
    pub fn log_prob(&self) -> R {
        self.log_prob
    }

    /// The sampled token.
    pub fn sampled(&self) -> usize {
        self.sampled
    }

    /// The logits `z`; none if the row was recorded.
    pub fn logits(&self) -> Option<&'a [R]> {
        self.logits
    }

    /// `log Σ exp(z)`, so that `log s = z − log_normaliser`; 0 if the row was recorded.
    pub fn log_normaliser(&self) -> R {
        self.log_normaliser
    }

    /// The entropy of the row in nats; none if the row was recorded.
    pub fn entropy(&self) -> Option<R> {
        self.logits.map(|logits| R::entropy_under(logits, self.log_normaliser))
    }

    /// Chain rule for a loss that sees only `log s(y)`: `∂loss/∂z += g·(onehot(y) − s)`.
    pub fn push_log_prob(&mut self, g: R) {
        let (Some(logits), true) = (self.logits, g != R::zero()) else { return };
        let normaliser = self.log_normaliser;
        self.add_grad(|grad| R::add_exp(logits, normaliser, -g, grad));
        self.push_logit(self.sampled, g);
    }

    /// `∂loss/∂z_i += g`.
    pub fn push_logit(&mut self, i: usize, g: R) {
        if let Some(slot) = self.grad.as_mut().and_then(|grad| grad.get_mut(i)) {
            *slot = *slot + g;
        }
    }

    /// Hands the gradient row to `add`, if there is one: `add` must add, never set.
    pub fn add_grad(&mut self, add: impl FnOnce(&mut [R])) {
        if let Some(grad) = self.grad.as_deref_mut() {
            add(grad);
        }
    }
}
