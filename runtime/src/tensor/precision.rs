//! What a GPU's products of matrices round what they multiply to.

use serde::{Deserialize, Serialize};

/// What a GPU's products of matrices round what they multiply to, forward and backward. They are summed in `f32`, and
/// everything else is `f32`: weights, moments, norms, softmax, attention, losses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Precision {
    /// Nothing is rounded.
    #[default]
    F32,
    /// TF32: 10 bits of mantissa, the exponents of `f32`.
    Tf32,
    /// IEEE halves: 10 bits of mantissa, and nothing beyond 65504. Losses must be scaled
    /// ([`LossScale`](crate::models::LossScale)), for gradients are small.
    F16,
}

impl Precision {
    /// As people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Tf32 => "TF32",
            Self::F16 => "f16",
        }
    }
}
