//! The importance ratio as a weight.

use crate::real::Real;

/// The weight `ρ̄ = min(ρ, limit)`, `ρ = s_new(y)/s_old(y)`, of the divergence at a token that an older
/// student sampled (SDPO, arXiv 2601.20802, `core_algos.py`, limit 2); the logarithm of `ρ` is held
/// within ±20 before.
///
/// The loss is an expectation under the student, `E_{y~s_new}[D] = E_{y~s_old}[ρD]`; at one token,
/// with the prefix as it was drawn. The limit bounds the variance and takes weight from tokens that
/// have become likelier. `ρ̄` is a constant for the gradient: it is `ρ̄ ∇D`, never `D ∇ρ̄`. Multiply
/// both value and gradient by it; do not push it through [`StudentRow`](super::row::StudentRow).
/// After one step per rollout `ρ` is 1.
///
/// ```
/// use limbeck::stages::loss::importance::clipped_importance;
/// assert_eq!(clipped_importance(-1.0f64, -1.0, 2.0), 1.0);
/// assert!((clipped_importance(0.3f64.ln(), 0.2f64.ln(), 2.0) - 1.5).abs() < 1e-12);
/// assert_eq!(clipped_importance(-0.1f64, -3.0, 2.0), 2.0);
/// ```
pub fn clipped_importance<R: Real>(new: R, old: R, limit: R) -> R {
    let bound = R::of(20.0);
    (new - old).max(-bound).min(bound).exp().min(limit)
}
