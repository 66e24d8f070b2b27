//! AdamW (Loshchilov and Hutter, "Decoupled weight decay regularization", 2019), fused and in place.

mod cpu;
#[cfg(feature = "cuda")]
mod cuda;
#[cfg(any(test, feature = "cuda"))]
pub(crate) mod gpu;
mod moments;

pub use moments::{grad_norm, Moment, Moments};

use crate::tensor::{Buffer, Matrix, Storage};

/// The settings of one update.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hyper {
    /// Learning rate of this step.
    pub lr: f64,
    /// Decay of the mean of gradients.
    pub beta1: f64,
    /// Decay of the mean of squared gradients.
    pub beta2: f64,
    /// Added to the root of the mean square.
    pub eps: f64,
    /// Share of `lr` by which a parameter shrinks each step, where it decays at all.
    pub weight_decay: f64,
    /// Gradients are multiplied by this first: clipping, or a mean over micro-batches.
    pub grad_scale: f64,
}

impl Default for Hyper {
    /// As `torch.optim.AdamW`, with a learning rate of 1e-3.
    fn default() -> Self {
        Self { lr: 1e-3, beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 0.01, grad_scale: 1.0 }
    }
}

/// [`Hyper`] worked out for one step and one parameter:
/// `m ← β₁ m + (1 - β₁) g; v ← β₂ v + (1 - β₂) g²; p ← keep p - rate m / (√v root + eps)`, with `g` scaled.
#[derive(Clone, Copy, Debug)]
pub struct Rates {
    /// β₁.
    pub beta1: f32,
    /// 1 - β₁.
    pub rest1: f32,
    /// β₂.
    pub beta2: f32,
    /// 1 - β₂.
    pub rest2: f32,
    /// lr / (1 - β₁^t).
    pub rate: f32,
    /// 1 / √(1 - β₂^t).
    pub root: f32,
    /// ε.
    pub eps: f32,
    /// 1 - lr * weight decay.
    pub keep: f32,
    /// What gradients are multiplied by.
    pub scale: f32,
}

impl Rates {
    /// The rates of step `step`, counted from 1.
    pub fn new(hyper: &Hyper, step: u64, decays: bool) -> Self {
        let corrected = |beta: f64| 1.0 - beta.powf(step as f64);
        let decay = if decays { hyper.lr * hyper.weight_decay } else { 0.0 };
        Self {
            beta1: hyper.beta1 as f32,
            rest1: (1.0 - hyper.beta1) as f32,
            beta2: hyper.beta2 as f32,
            rest2: (1.0 - hyper.beta2) as f32,
            rate: (hyper.lr / corrected(hyper.beta1)) as f32,
            root: (1.0 / corrected(hyper.beta2).sqrt()) as f32,
            eps: hyper.eps as f32,
            keep: (1.0 - decay) as f32,
            scale: hyper.grad_scale as f32,
        }
    }
}

/// AdamW on a device.
pub trait AdamWKernel: Storage<f32> {
    /// One update of `parameter` and its two moments from gradient `g`.
    ///
    /// # Errors
    /// When the device fails.
    fn adamw(
        &self,
        parameter: &mut Matrix<Self>,
        g: &Buffer<Self>,
        first: &mut Matrix<Self>,
        second: &mut Matrix<Self>,
        rates: &Rates,
    ) -> Result<(), Self::Err>;

    /// Σ g², in `f64`.
    ///
    /// # Errors
    /// When the device fails.
    fn sum_squares(&self, g: &Buffer<Self>) -> Result<f64, Self::Err>;

    /// Whether every number of a parameter is finite.
    ///
    /// # Errors
    /// When the device fails.
    fn is_finite(&self, parameter: &Matrix<Self>) -> Result<bool, Self::Err>;
}

#[cfg(test)]
mod tests;
