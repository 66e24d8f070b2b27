//! Layer normalisation of whole rows.

mod cpu;
#[cfg(feature = "cuda")]
mod cuda;
#[cfg(any(test, feature = "cuda"))]
pub(crate) mod gpu;

use super::misfit;
use crate::error::Result;
use crate::tensor::{self, failed, Buffer, Device, Matrix, Slot, Storage, Tape};

/// LayerNorm on a device.
pub trait LayerNormKernel: Storage<f32> {
    /// `(x - mean(x)) / sqrt(var(x) + epsilon) * weight + bias` over each row; var divides by the row's length.
    ///
    /// # Errors
    /// When the device fails.
    fn layer_norm(
        &self,
        x: &Matrix<Self>,
        weight: &Matrix<Self>,
        bias: &Matrix<Self>,
        epsilon: f32,
    ) -> Result<Matrix<Self>, Self::Err>;

    /// Adds to the gradients of `x`, the weight and the bias (in this order in `into`) what the output's gradient `g`
    /// makes of them.
    ///
    /// # Errors
    /// When the device fails.
    fn layer_norm_backward(
        &self,
        x: &Matrix<Self>,
        weight: &Matrix<Self>,
        epsilon: f32,
        g: &Buffer<Self>,
        into: [&mut Buffer<Self>; 3],
    ) -> Result<(), Self::Err>;
}

/// LayerNorm of `x` `[N, d]` with `weight` and `bias` `[1, d]`. `epsilon` is added to the variance.
///
/// # Errors
/// When the shapes do not fit.
pub fn layer_norm<D: Device, T: Tape<D>>(
    tape: &mut T,
    x: &Matrix<D>,
    [weight, bias]: [&Matrix<D>; 2],
    epsilon: f32,
) -> Result<Matrix<D>> {
    let (shape, own) = (tensor::shape(x), [weight, bias].map(tensor::shape));
    if own != [(1, shape.1); 2] || shape.1 == 0 {
        return Err(misfit("layer_norm", format!("{shape:?} with weight and bias {own:?}")));
    }
    let y = x.device().layer_norm(x, weight, bias, epsilon).map_err(failed)?;
    if T::OWNS_TAPE {
        let (x, weight) = (x.clone(), weight.clone());
        let [of_x, of_weight, of_bias, out] = [&x, &weight, bias, &y].map(Slot::of);
        tape.add_backward_op(move |flow| {
            let g = out.whole(flow)?;
            let (mut g_x, mut g_weight, mut g_bias) =
                (of_x.take(flow)?, of_weight.take(flow)?, of_bias.take(flow)?);
            let into = [&mut g_x, &mut g_weight, &mut g_bias];
            x.device().layer_norm_backward(&x, &weight, epsilon, &g, into)?;
            of_x.put(flow, g_x);
            of_weight.put(flow, g_weight);
            of_bias.put(flow, g_bias);
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
        check::differences(&[(5, 24), (1, 24), (1, 24)], 2e-3, |tape, x| {
            layer_norm(tape, &x[0], [&x[1], &x[2]], 1e-5)
        });
        check::differences(&[(3, 7), (1, 7), (1, 7)], 2e-3, |tape, x| {
            layer_norm(tape, &x[0], [&x[1], &x[2]], 1e-1)
        });
    }

    #[test]
    fn forward_is_its_formula() {
        let (x, w, b) = (check::matrix(3, 19, 1), check::matrix(1, 19, 2), check::matrix(1, 19, 3));
        let y = layer_norm(&mut tensor::NoneTape, &x, [&w, &b], 1e-6).unwrap();
        for (y, x) in tensor::slice(&y).chunks(19).zip(tensor::slice(&x).chunks(19)) {
            let mean = x.iter().map(|&v| f64::from(v)).sum::<f64>() / 19.0;
            let var = x.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / 19.0;
            let own = tensor::slice(&w).iter().zip(tensor::slice(&b));
            for ((&y, &x), (&w, &b)) in y.iter().zip(x).zip(own) {
                let expected = (f64::from(x) - mean) / (var + 1e-6).sqrt() * f64::from(w) + f64::from(b);
                assert!((f64::from(y) - expected).abs() < 1e-5);
            }
        }
    }

    #[test]
    fn shapes_that_do_not_fit_are_refused() {
        let (x, w, b) = (check::matrix(3, 19, 1), check::matrix(1, 19, 2), check::matrix(1, 18, 3));
        assert!(layer_norm(&mut tensor::NoneTape, &x, [&w, &b], 1e-6).is_err());
    }
}
