//! The clipped policy-gradient loss of one token, and the token rewards it takes.

use crate::real::Real;

/// One sampled token, as the Uni-OPD release computes its loss (arXiv 2605.03677, `loss.py`):
///
/// `L = max(−ρA, −clip(ρ, 1−ε_low, 1+ε_high)·A)`, `ρ = exp(new − old)`, and 0 where
/// `|new − teacher| ≥ gap_mask`. A masked token still counts in the mean over its response.
///
/// ```
/// use limbeck::stages::loss::policy::PolicyToken;
/// let token = PolicyToken {
///     old: -1.0f64,
///     new: -0.7,
///     teacher: Some(-0.4),
///     advantage: 0.6,
///     clip_low: 0.2,
///     clip_high: 0.28,
///     gap_mask: 10.0,
/// };
/// let at = token.loss();
/// assert!((at.loss + 1.28 * 0.6).abs() < 1e-12); // ρ = 1.35 is clipped to 1.28 …
/// assert_eq!(at.slope, 0.0); // … and pushes no further
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PolicyToken<R> {
    /// The student's log-probability when it sampled the token.
    pub old: R,
    /// The student's log-probability now.
    pub new: R,
    /// The teacher's log-probability; without one there is no gap to mask.
    pub teacher: Option<R>,
    /// `A`.
    pub advantage: R,
    /// `ε_low`.
    pub clip_low: R,
    /// `ε_high`.
    pub clip_high: R,
    /// The gap between student and teacher, in nats, from which on a token is left out.
    pub gap_mask: R,
}

/// What [`PolicyToken::loss`] finds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PolicyLoss<R> {
    /// `L`.
    pub loss: R,
    /// `∂L/∂new`: `−ρA`, or 0 where the clip holds.
    pub slope: R,
    /// Whether the gap mask took the token out.
    pub masked: bool,
}

impl<R: Real> PolicyToken<R> {
    /// `L` and `∂L/∂new`.
    pub fn loss(&self) -> PolicyLoss<R> {
        let (one, zero) = (R::one(), R::zero());
        let masked = self.teacher.is_some_and(|teacher| (self.new - teacher).abs() >= self.gap_mask);
        if masked || self.advantage == zero {
            return PolicyLoss { loss: zero, slope: zero, masked };
        }
        let ratio = (self.new - self.old).exp();
        let clipped = ratio.max(one - self.clip_low).min(one + self.clip_high);
        let (free, held) = (-ratio * self.advantage, -clipped * self.advantage);
        let slope = if free >= held { free } else { zero };
        PolicyLoss { loss: free.max(held), slope, masked }
    }
}

/// The token reward of on-policy distillation, `r = log q(y) − log s(y)` (Uni-OPD, arXiv 2605.03677, §2):
/// positive where the teacher likes the token more than the student does.
///
/// ```
/// assert_eq!(limbeck::stages::loss::policy::advantage(-0.5, -1.5), 1.0);
/// ```
pub fn advantage<R: Real>(teacher: R, student: R) -> R {
    teacher - student
}

/// ExOPD (arXiv 2602.12125): `A = λ log q + (1−λ) log π_ref − log s`. At λ = 1 the reference has no
/// say, not even in the last bit.
///
/// ```
/// use limbeck::stages::loss::policy::{advantage, extrapolated};
/// assert!((extrapolated(-0.4, -1.2, -1.0, 1.25) - 0.8f64).abs() < 1e-12);
/// assert_eq!(extrapolated(-0.4, -1.2, -1.0, 1.0), advantage(-0.4, -1.0));
/// ```
pub fn extrapolated<R: Real>(teacher: R, reference: R, student: R, lambda: R) -> R {
    if lambda == R::one() {
        return advantage(teacher, student);
    }
    advantage(lambda * teacher + (R::one() - lambda) * reference, student)
}
