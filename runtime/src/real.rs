//! Single and double precision under one name, and the few functions of a row of logits.
//!
//! Training computes in `f32`, replay and the tests in `f64`; the mathematics is written once.
//! Sums over a vocabulary run in `f64` for both, so that a long row does not drift.

use std::borrow::Cow;
use std::fmt::Debug;
use std::iter::Sum;

use num_traits::{Float, FromPrimitive};

use crate::kernels::exp;

/// `f32` or `f64`.
pub trait Real: Float + FromPrimitive + Sum + Send + Sync + Debug + Default + 'static {
    /// The nearest number of this type.
    fn of(x: f64) -> Self;
    /// The same number in double precision.
    fn f64(self) -> f64;
    /// A row of single precision as this type: itself, or a copy.
    fn view32(row: &[f32]) -> Cow<'_, [Self]>;
    /// A row of double precision as this type: itself, or a copy.
    fn view64(row: &[f64]) -> Cow<'_, [Self]>;
    /// The log-probability of entry `id` of a row of logits, to the bit as the sampler writes it down;
    /// `-∞` outside the row.
    fn log_prob(row: &[Self], id: usize) -> Self;
    /// `log Σ_i exp(row_i)`; of nothing, `-∞`.
    fn log_sum_exp(row: &[Self]) -> Self;
    /// The entropy in nats of a row whose `log Σ exp` is `normaliser`.
    fn entropy_under(row: &[Self], normaliser: Self) -> Self;
    /// `into_i += factor · exp(row_i − normaliser)`.
    fn add_exp(row: &[Self], normaliser: Self, factor: Self, into: &mut [Self]);
}

impl Real for f32 {
    fn of(x: f64) -> Self {
        x as f32
    }
    fn f64(self) -> f64 {
        f64::from(self)
    }
    fn view32(row: &[f32]) -> Cow<'_, [Self]> {
        Cow::Borrowed(row)
    }
    fn view64(row: &[f64]) -> Cow<'_, [Self]> {
        row.iter().map(|&x| x as f32).collect()
    }
    fn log_prob(row: &[Self], id: usize) -> Self {
        let sum = exp::log_sum_exp(row);
        row.get(id).map_or(f32::NEG_INFINITY, |&z| (f64::from(z) - sum) as f32)
    }
    fn log_sum_exp(row: &[Self]) -> Self {
        exp::log_sum_exp(row) as f32
    }
    fn entropy_under(row: &[Self], normaliser: Self) -> Self {
        exp::entropy(row, f64::from(normaliser)) as f32
    }
    fn add_exp(row: &[Self], normaliser: Self, factor: Self, into: &mut [Self]) {
        exp::add_exp(row, normaliser, factor, into);
    }
}

impl Real for f64 {
    fn of(x: f64) -> Self {
        x
    }
    fn f64(self) -> f64 {
        self
    }
    fn view32(row: &[f32]) -> Cow<'_, [Self]> {
        row.iter().map(|&x| f64::from(x)).collect()
    }
    fn view64(row: &[f64]) -> Cow<'_, [Self]> {
        Cow::Borrowed(row)
    }
    fn log_prob(row: &[Self], id: usize) -> Self {
        row.get(id).map_or(f64::NEG_INFINITY, |&z| z - log_sum_exp(row))
    }
    fn log_sum_exp(row: &[Self]) -> Self {
        log_sum_exp_over(row.iter().copied())
    }
    fn entropy_under(row: &[Self], normaliser: Self) -> Self {
        row.iter().map(|&x| weighted((x - normaliser).exp(), normaliser - x)).sum()
    }
    fn add_exp(row: &[Self], normaliser: Self, factor: Self, into: &mut [Self]) {
        for (slot, &x) in into.iter_mut().zip(row) {
            *slot += factor * (x - normaliser).exp();
        }
    }
}

/// `log Σ_i exp(x_i)`; of nothing, `-∞`.
///
/// ```
/// use limbeck::real::log_sum_exp;
/// let sum = log_sum_exp(&[2f64.ln() + 1000.0, 3f64.ln() + 1000.0]);
/// assert!((sum - 1000.0 - 5f64.ln()).abs() < 1e-12);
/// ```
pub fn log_sum_exp<R: Real>(row: &[R]) -> R {
    R::log_sum_exp(row)
}

/// [`log_sum_exp`] of whatever can be walked twice.
pub(crate) fn log_sum_exp_over<R: Real>(row: impl Iterator<Item = R> + Clone) -> R {
    let max = row.clone().fold(R::neg_infinity(), R::max);
    if max.is_infinite() {
        return max;
    }
    let sum: f64 = row.map(|x| (x - max).exp().f64()).sum();
    R::of(max.f64() + sum.ln())
}

/// `out_i = x_i − log Σ_j exp(x_j)`.
///
/// ```
/// let mut out = [0.0; 2];
/// limbeck::real::log_softmax_into(&[3f64.ln(), 1f64.ln()], &mut out);
/// assert!((out[0] - 0.75f64.ln()).abs() < 1e-12);
/// ```
pub fn log_softmax_into<R: Real>(row: &[R], out: &mut [R]) {
    let normaliser = log_sum_exp(row);
    for (out, &x) in out.iter_mut().zip(row) {
        *out = x - normaliser;
    }
}

/// [`log_softmax_into`] in place.
///
/// ```
/// let mut row = [3f32.ln(), 0.0];
/// limbeck::real::log_softmax(&mut row);
/// assert!((row[0] - 0.75f32.ln()).abs() < 1e-6);
/// ```
pub fn log_softmax<R: Real>(row: &mut [R]) {
    let normaliser = log_sum_exp(row);
    row.iter_mut().for_each(|x| *x = *x - normaliser);
}

/// `H = −Σ_i p_i log p_i` in nats, `p = softmax(x)`.
///
/// ```
/// let uniform = [7.0f64; 4];
/// assert!((limbeck::real::entropy(&uniform) - 4f64.ln()).abs() < 1e-12);
/// ```
pub fn entropy<R: Real>(row: &[R]) -> R {
    R::entropy_under(row, log_sum_exp(row))
}

/// `p·x`, where a probability of zero wins over any `x` (`0 log 0 = 0`).
pub(crate) fn weighted<R: Real>(p: R, x: R) -> R {
    if p == R::zero() {
        p
    } else {
        p * x
    }
}
