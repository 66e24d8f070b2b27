//! GELU (Hendrycks and Gimpel, 2016) in its tanh form, `gelu_pytorch_tanh`.

mod cpu;
#[cfg(feature = "cuda")]
mod cuda;
#[cfg(any(test, feature = "cuda"))]
pub(crate) mod gpu;

use crate::error::Result;
use crate::tensor::{failed, Buffer, Device, Matrix, Slot, Storage, Tape};

/// GELU on a device.
pub trait GeluKernel: Storage<f32> {
    /// `x / 2 * (1 + tanh(sqrt(2 / π) (x + 0.044715 x³)))`, element by element.
    ///
    /// # Errors
    /// When the device fails.
    fn gelu(&self, x: &Matrix<Self>) -> Result<Matrix<Self>, Self::Err>;

    /// The gradient of `x`: what the output's gradient `g` makes of it.
    ///
    /// # Errors
    /// When the device fails.
    fn gelu_backward(&self, x: &Matrix<Self>, g: &Buffer<Self>) -> Result<Buffer<Self>, Self::Err>;
}

/// GELU of every element of `x`.
///
/// # Errors
/// When the device fails.
pub fn gelu<D: Device, T: Tape<D>>(tape: &mut T, x: &Matrix<D>) -> Result<Matrix<D>> {
    let y = x.device().gelu(x).map_err(failed)?;
    if T::OWNS_TAPE {
        let x = x.clone();
        let [of_x, out] = [&x, &y].map(Slot::of);
        tape.add_backward_op(move |flow| {
            let g = out.whole(flow)?;
            of_x.add(flow, x.device().gelu_backward(&x, &g)?, 1.0)
        });
    }
    Ok(y)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::check;
    use crate::tensor::{slice, NoneTape};

    #[test]
    fn backward_agrees_with_differences() {
        check::differences(&[(4, 9)], 2e-3, |tape, x| gelu(tape, &x[0]));
    }

    #[test]
    fn forward_is_its_formula() {
        let x = check::matrix(3, 50, 1);
        let y = gelu(&mut NoneTape, &x).unwrap();
        for (&y, &x) in slice(&y).iter().zip(slice(&x)) {
            let x = f64::from(x);
            let inner = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x.powi(3));
            assert!((f64::from(y) - 0.5 * x * (1.0 + inner.tanh())).abs() < 1e-6);
        }
    }
}
