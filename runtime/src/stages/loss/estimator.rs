//! Estimates of `KL(s‖q)` from one token sampled from the student.

use serde::{Deserialize, Serialize};

use crate::real::Real;

/// With `d = log s(y) − log q(y)`, `y ~ s` (Schulman, "Approximating KL divergence", 2020).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Estimator {
    /// `d`: unbiased. Back-propagated as a loss it teaches nothing, for `E[∇log s] = 0`:
    /// it belongs into a policy gradient, as the advantage `−d`.
    K1,
    /// `½d²`: biased, but as a loss its gradient `d ∇log s` is that of `KL(s‖q)` in expectation.
    K2,
    /// `exp(−d) − 1 + d`: unbiased and never negative; as a loss its gradient is that of the
    /// *forward* `KL(q‖s)` in expectation.
    K3,
}

impl Estimator {
    /// The estimate, from the log-probabilities of the sampled token.
    ///
    /// ```
    /// use limbeck::stages::loss::estimator::Estimator::*;
    /// let (student, teacher) = (0.5f64.ln(), 0.2f64.ln());
    /// assert!((K1.value(student, teacher) - 2.5f64.ln()).abs() < 1e-12);
    /// assert!((K3.value(student, teacher) - (0.4 - 1.0 + 2.5f64.ln())).abs() < 1e-12);
    /// ```
    pub fn value<R: Real>(self, student: R, teacher: R) -> R {
        let gap = student - teacher;
        match self {
            Self::K1 => gap,
            Self::K2 => R::of(0.5) * gap * gap,
            Self::K3 => (-gap).exp_m1() + gap,
        }
    }

    /// `∂value/∂log s(y)`: 1, `d`, `1 − exp(−d)`.
    ///
    /// ```
    /// use limbeck::stages::loss::estimator::Estimator::*;
    /// assert_eq!(K2.slope(-1.0, -3.0), 2.0);
    /// assert!((K3.slope(0.5f64.ln(), 0.2f64.ln()) - 0.6).abs() < 1e-12);
    /// ```
    pub fn slope<R: Real>(self, student: R, teacher: R) -> R {
        let gap = student - teacher;
        match self {
            Self::K1 => R::one(),
            Self::K2 => gap,
            Self::K3 => -(-gap).exp_m1(),
        }
    }
}
