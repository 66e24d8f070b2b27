//! EOPD, arXiv 2603.07079: the clipped policy gradient everywhere, and forward KL as well where the
//! teacher itself is uncertain.

use super::policy::{PolicyLoss, PolicyToken};
use super::row::StudentRow;
use super::top_k::top_k;
use crate::real::{entropy, log_softmax, weighted, Real};

/// What EOPD needs of the teacher at one position.
#[derive(Clone, Debug, PartialEq)]
pub struct TeacherTop<R> {
    /// The entropy `H(q)` of its whole distribution, in nats.
    pub entropy: R,
    /// Its k likeliest tokens, ascending.
    pub ids: Vec<usize>,
    /// `log q̃`, renormalised on them.
    pub log_probs: Vec<R>,
}

impl<R: Real> TeacherTop<R> {
    /// From the teacher's whole row of logits or log-probabilities.
    ///
    /// ```
    /// use limbeck::stages::loss::eopd::TeacherTop;
    /// let top = TeacherTop::of(&[0.3f64, 0.25, 0.25, 0.2].map(f64::ln), 2);
    /// assert_eq!(top.ids, [0, 1]);
    /// assert!((top.entropy - 1.3762266).abs() < 1e-7);
    /// assert!((top.log_probs[1] - (0.25f64 / 0.55).ln()).abs() < 1e-12);
    /// ```
    pub fn of(row: &[R], k: usize) -> Self {
        let ids = top_k(row, k);
        let mut log_probs: Vec<R> = ids.iter().map(|&id| row[id]).collect();
        log_softmax(&mut log_probs);
        Self { entropy: entropy(row), ids, log_probs }
    }

    /// `F = Σ_{i∈K} q̃_i (log q̃_i − log s_i)` with `s` over the whole vocabulary (eq 10); `weight` times
    /// its gradient `s − q̃` goes into `row`. Never negative, and 0 only if the student leaves nothing
    /// outside `K`. None if the row was recorded.
    ///
    /// ```
    /// use limbeck::stages::loss::{eopd::TeacherTop, row::StudentRow};
    /// let top = TeacherTop::of(&[0.3f64, 0.25, 0.25, 0.2].map(f64::ln), 2);
    /// let student = [0.5f64, 0.3, 0.15, 0.05].map(f64::ln);
    /// let mut grad = [0.0; 4];
    /// let f = top.forward_kl(&mut StudentRow::traced(&student, 0, &mut grad), 1.0).unwrap();
    /// assert!((f - 0.236331407).abs() < 1e-9);
    /// assert!((grad[0] - (0.5 - 0.3 / 0.55)).abs() < 1e-12 && (grad[2] - 0.15).abs() < 1e-12);
    /// ```
    pub fn forward_kl(&self, row: &mut StudentRow<R>, weight: R) -> Option<R> {
        let (logits, log_s) = (row.logits()?, row.log_normaliser());
        let at = |(&id, &log_q): (&usize, &R)| {
            let student = logits.get(id).map_or(R::neg_infinity(), |&z| z - log_s);
            weighted(log_q.exp(), log_q - student).f64()
        };
        let value = self.ids.iter().zip(&self.log_probs).map(at).sum();
        row.add_grad(|grad| R::add_exp(logits, log_s, weight, grad));
        for (&id, &log_q) in self.ids.iter().zip(&self.log_probs) {
            row.push_logit(id, -weight * log_q.exp());
        }
        Some(R::of(value))
    }
}

/// What [`push`] finds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Eopd<R> {
    /// `L`.
    pub value: R,
    /// The clipped sampled term.
    pub sampled: PolicyLoss<R>,
    /// The forward KL; none where the gate is shut.
    pub forward: Option<R>,
}

/// `L = L_sampled + 1[H(q) > τ]·F` of one token (eq 9), its gradient into `row`; the paper has `τ` = 0.8
/// and k = 16. `L_sampled` is the clipped loss of `token` (eqs 7, 8), whose advantage is
/// `log q(y) − log s_old(y)` and whose `new` is taken from `row`; EOPD has no gap mask
/// (`gap_mask = ∞`). None if the gate is open and the row was recorded.
///
/// ```
/// use limbeck::stages::loss::{eopd::*, policy::*, row::StudentRow};
/// let (student, teacher) = ([0.5f64, 0.3, 0.2].map(f64::ln), [0.3f64, 0.4, 0.3].map(f64::ln));
/// let token = PolicyToken {
///     old: student[0],
///     new: student[0],
///     teacher: Some(teacher[0]),
///     advantage: advantage(teacher[0], student[0]),
///     clip_low: 0.2,
///     clip_high: 0.2,
///     gap_mask: f64::INFINITY,
/// };
/// let mut row = StudentRow::whole(&student, 0);
/// let got = push(token, &TeacherTop::of(&teacher, 3), 0.8, &mut row).unwrap();
/// assert!((got.sampled.loss - (0.5f64 / 0.3).ln()).abs() < 1e-12); // −ρA with ρ = 1
/// assert!((got.forward.unwrap() - 0.083465).abs() < 1e-6);
/// assert_eq!(push(token, &TeacherTop::of(&teacher, 3), 1.2, &mut row).unwrap().forward, None);
/// ```
pub fn push<R: Real>(
    token: PolicyToken<R>,
    teacher: &TeacherTop<R>,
    threshold: R,
    row: &mut StudentRow<R>,
) -> Option<Eopd<R>> {
    let sampled = PolicyToken { new: row.log_prob(), ..token }.loss();
    let forward = match teacher.entropy > threshold {
        true => Some(teacher.forward_kl(row, R::one())?),
        false => None,
    };
    row.push_log_prob(sampled.slope);
    Some(Eopd { value: sampled.loss + forward.unwrap_or_default(), sampled, forward })
}
