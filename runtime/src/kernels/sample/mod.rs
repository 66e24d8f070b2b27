//! A token of each row of logits.

mod cpu;
#[cfg(feature = "cuda")]
mod cuda;
#[cfg(any(test, feature = "cuda"))]
pub(crate) mod gpu;

use super::misfit;
use crate::error::Result;
use crate::models::Sampling;
use crate::tensor::{self, failed, Device, Matrix, Storage};

/// A token, and the natural logarithm of its probability at temperature 1 among all tokens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drawn {
    /// The token's id.
    pub token: u32,
    /// Its log-probability.
    pub log_prob: f32,
}

/// Drawing tokens on a device.
pub trait SampleKernel: Storage<f32> {
    /// The token at `uniforms[r]` of what `sampling` makes of row r; none of a row that is not finite.
    ///
    /// # Errors
    /// When the device fails.
    fn draw(
        &self,
        logits: &Matrix<Self>,
        sampling: &Sampling,
        uniforms: &[f64],
    ) -> Result<Vec<Option<Drawn>>, Self::Err>;
}

/// The token at `uniforms[r]`, in `[0, 1)`, of what `sampling` makes of row r of `logits` `[R, V]`; none of a row that
/// is not finite.
///
/// # Errors
/// When there is not a number for each row.
pub fn sample<D: Device>(
    logits: &Matrix<D>,
    sampling: &Sampling,
    uniforms: &[f64],
) -> Result<Vec<Option<Drawn>>> {
    let (rows, _) = tensor::shape(logits);
    if rows != uniforms.len() {
        return Err(misfit("sample", format!("{} numbers for {rows} rows", uniforms.len())));
    }
    logits.device().draw(logits, sampling, uniforms).map_err(failed)
}
