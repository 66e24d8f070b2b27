//! Root-mean-square normalisation, of whole rows or of each head of a row.

mod cpu;
#[cfg(feature = "cuda")]
mod cuda;
#[cfg(any(test, feature = "cuda"))]
pub(crate) mod gpu;

#[cfg(any(test, feature = "cuda"))]
pub(crate) use gpu::sum_shares;

use super::misfit;
use crate::error::Result;
use crate::tensor::{self, failed, Buffer, Device, Matrix, Slot, Storage, Tape};

/// RMSNorm on a device.
pub trait RmsNormKernel: Storage<f32> {
    /// `x / sqrt(mean(x²) + epsilon) * weight` over each group of as many values as `weight` has.
    ///
    /// # Errors
    /// When the device fails.
    fn rms_norm(
        &self,
        x: &Matrix<Self>,
        weight: &Matrix<Self>,
        epsilon: f32,
    ) -> Result<Matrix<Self>, Self::Err>;

    /// Adds to the gradients of `x` and `weight` what the output's gradient `g` makes of them.
    ///
    /// # Errors
    /// When the device fails.
    fn rms_norm_backward(
        &self,
        x: &Matrix<Self>,
        weight: &Matrix<Self>,
        epsilon: f32,
        g: &Buffer<Self>,
        g_x: &mut Buffer<Self>,
        g_weight: &mut Buffer<Self>,
    ) -> Result<(), Self::Err>;
}

/// RMSNorm of `x` `[N, d]` with `weight` `[1, w]`, where d is a multiple of w: w = d normalises rows, w = the
/// size of a head normalises each head. `epsilon` is added to the mean of squares.
///
/// # Errors
/// When d is not a multiple of w.
pub fn rms_norm<D: Device, T: Tape<D>>(
    tape: &mut T,
    x: &Matrix<D>,
    weight: &Matrix<D>,
    epsilon: f32,
) -> Result<Matrix<D>> {
    let ((_, width), (one, group)) = (tensor::shape(x), tensor::shape(weight));
    if one != 1 || group == 0 || width % group != 0 {
        return Err(misfit("rms_norm", format!("rows of {width} with weights {one} x {group}")));
    }
    let y = x.device().rms_norm(x, weight, epsilon).map_err(failed)?;
    if T::OWNS_TAPE {
        let (x, weight) = (x.clone(), weight.clone());
        let [of_x, of_weight, out] = [&x, &weight, &y].map(Slot::of);
        tape.add_backward_op(move |flow| {
            let g = out.whole(flow)?;
            let (mut g_x, mut g_weight) = (of_x.take(flow)?, of_weight.take(flow)?);
            x.device().rms_norm_backward(&x, &weight, epsilon, &g, &mut g_x, &mut g_weight)?;
            of_x.put(flow, g_x);
            of_weight.put(flow, g_weight);
            Ok(())
        });
    }
    Ok(y)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::check;

    #[test]
    fn backward_agrees_with_differences() {
        check::differences(&[(5, 24), (1, 24)], 2e-3, |tape, x| rms_norm(tape, &x[0], &x[1], 1e-5));
        check::differences(&[(3, 40), (1, 20)], 2e-3, |tape, x| rms_norm(tape, &x[0], &x[1], 1e-2));
    }

    #[test]
    fn forward_is_its_formula() {
        let (x, w) = (check::matrix(2, 38, 1), check::matrix(1, 19, 2));
        let y = rms_norm(&mut tensor::NoneTape, &x, &w, 1e-6).unwrap();
        for (y, x) in tensor::slice(&y).chunks(19).zip(tensor::slice(&x).chunks(19)) {
            let mean = x.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>() / 19.0;
            for ((&y, &x), &w) in y.iter().zip(x).zip(tensor::slice(&w)) {
                assert!((f64::from(y) - f64::from(x) / (mean + 1e-6).sqrt() * f64::from(w)).abs() < 1e-6);
            }
        }
    }
}
