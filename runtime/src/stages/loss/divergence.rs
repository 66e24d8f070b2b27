//! Divergences between the student `s` and a teacher `q` over a whole vocabulary.
//!
//! All of them are sums `Σ_i f(log s_i, log q_i)`, so all of them have the gradient
//! `∂/∂z_j = f'_j − s_j Σ_i f'_i` with `f' = ∂f/∂(log s)`; only `f` and `f'` differ.

use serde::{Deserialize, Serialize};

use super::row::StudentRow;
use crate::real::{log_sum_exp, weighted, Real};

/// How far the student is from the teacher (DOPD, arXiv 2606.30626, eqs 2–4; GKD, arXiv 2306.13649).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Divergence {
    /// `KL(q‖s) = Σ q (log q − log s)`, gradient `s − q`: covers all the teacher does.
    ForwardKl,
    /// `KL(s‖q) = Σ s (log s − log q)`, gradient `s (log s/q − KL)`: keeps to what the teacher does most.
    ReverseKl,
    /// `β KL(q‖m) + (1−β) KL(s‖m)`, `m = βq + (1−β)s`, gradient `(1−β) s (log s/m − KL(s‖m))`;
    /// `β = ½` is Jensen-Shannon. At β = 0 and 1 this is 0: ask for forward or reverse KL by name.
    Jsd {
        /// The weight of the teacher in the mixture.
        beta: f64,
    },
}

impl Divergence {
    /// The divergence of two rows, each of logits or of log-probabilities.
    ///
    /// ```
    /// use limbeck::stages::loss::divergence::Divergence::*;
    /// let student = [0.5f64, 0.3, 0.15, 0.05].map(f64::ln);
    /// let teacher = [0.2f64, 0.6, 0.1, 0.1].map(f64::ln);
    /// let is = |got: f64, want: f64| assert!((got - want).abs() < 1e-9);
    /// is(ForwardKl.value(&student, &teacher), 0.261398369);
    /// is(ReverseKl.value(&student, &teacher), 0.276363619);
    /// is(Jsd { beta: 0.5 }.value(&student, &teacher), 0.065456428);
    /// ```
    pub fn value<R: Real>(self, student: &[R], teacher: &[R]) -> R {
        self.push(&mut StudentRow::whole(student, 0), teacher, R::one()).unwrap_or_default()
    }

    /// The divergence, and its gradient with respect to the student's logits added to `grad`.
    ///
    /// ```
    /// use limbeck::stages::loss::divergence::Divergence;
    /// let mut grad = [0.0; 2];
    /// Divergence::ForwardKl.gradient(&[0.0f64, 0.0], &[3f64.ln(), 0.0], &mut grad);
    /// assert!((grad[0] - (0.5 - 0.75)).abs() < 1e-12);
    /// ```
    pub fn gradient<R: Real>(self, student: &[R], teacher: &[R], grad: &mut [R]) -> R {
        self.push(&mut StudentRow::traced(student, 0, grad), teacher, R::one()).unwrap_or_default()
    }

    /// The divergence of `row` from `teacher`; `weight` times its gradient goes into the row.
    /// None if the row was recorded: one number is no distribution.
    pub fn push<R: Real>(self, row: &mut StudentRow<R>, teacher: &[R], weight: R) -> Option<R> {
        let (student, log_s, log_q) = (row.logits()?, row.log_normaliser(), log_sum_exp(teacher));
        let term = |(&s, &q): (&R, &R)| self.term(s - log_s, q - log_q);
        let terms: Vec<_> = student.iter().zip(teacher).map(term).collect();
        let (value, slope) = Term::sum(&terms);
        row.add_grad(|grad| {
            for (slot, at) in grad.iter_mut().zip(&terms) {
                *slot = *slot + weight * (at.slope - at.s * slope);
            }
        });
        Some(value)
    }

    /// Whether it is zero for any two distributions, which is no fault of theirs.
    pub(crate) const fn is_nothing(self) -> bool {
        match self {
            Self::Jsd { beta } => !(beta > 0.0 && beta < 1.0),
            Self::ForwardKl | Self::ReverseKl => false,
        }
    }

    /// What to say of one that [is nothing](Self::is_nothing).
    pub(crate) const NOTHING: &'static str = "at beta 0 or 1 the Jensen-Shannon divergence is zero for everyone: say `Divergence::ForwardKl` or `Divergence::ReverseKl` instead, or choose a beta between";

    /// `f` and `f'` at one token, from `log s` and `log q`. Reverse KL leaves its constant out of
    /// `f'` (see [`Divergence::constant`]); over a whole distribution it cancels.
    pub(super) fn term<R: Real>(self, log_s: R, log_q: R) -> Term<R> {
        let (s, q, gap) = (log_s.exp(), log_q.exp(), log_s - log_q);
        match self {
            Self::ForwardKl => Term { s, value: weighted(q, -gap), slope: -q },
            Self::ReverseKl => Term { s, value: weighted(s, gap), slope: weighted(s, gap) },
            Self::Jsd { beta } => {
                let (of_s, of_q) = (R::of(1.0 - beta), R::of(beta));
                let (s_over_m, q_over_m) = over_mixture(gap, of_s, of_q);
                let slope = of_s * weighted(s, s_over_m);
                Term { s, value: of_q * weighted(q, q_over_m) + slope, slope }
            }
        }
    }

    /// `c` in the full `∂f/∂(log s) = f' + c·s`, which matters where part of the row is left out.
    pub(super) fn constant<R: Real>(self) -> R {
        match self {
            Self::ReverseKl => R::one(),
            Self::ForwardKl | Self::Jsd { .. } => R::zero(),
        }
    }
}

/// One token's part of a divergence.
pub(super) struct Term<R> {
    /// The student's probability.
    pub s: R,
    /// `f`.
    pub value: R,
    /// `f'`.
    pub slope: R,
}

impl<R: Real> Term<R> {
    /// `Σ f` and `Σ f'`.
    pub fn sum(terms: &[Self]) -> (R, R) {
        let value = terms.iter().map(|at| at.value.f64()).sum();
        let slope = terms.iter().map(|at| at.slope.f64()).sum();
        (R::of(value), R::of(slope))
    }
}

/// `log s/m` and `log q/m` for `m = (1−β)s + βq`, from `gap = log s/q`, without forming `m`:
/// nothing cancels when the two are close, nothing overflows when they are far apart.
fn over_mixture<R: Real>(gap: R, of_s: R, of_q: R) -> (R, R) {
    if gap > R::zero() {
        let s_over_m = -(of_q * (-gap).exp_m1()).ln_1p();
        (s_over_m, s_over_m - gap)
    } else {
        let q_over_m = -(of_s * gap.exp_m1()).ln_1p();
        (q_over_m + gap, q_over_m)
    }
}
