//! The gate of the feed-forward block: silu(gate) * up.

mod cpu;
#[cfg(feature = "cuda")]
mod cuda;
#[cfg(any(test, feature = "cuda"))]
pub(crate) mod gpu;

use super::{misfit, Again};
use crate::error::Result;
use crate::tensor::{self, failed, Buffer, Device, Matrix, Slot, Storage, Tape};
use std::rc::Rc;

/// SwiGLU on a device.
pub trait SwigluKernel: Storage<f32> {
    /// `gate * sigmoid(gate) * up`, element by element.
    ///
    /// # Errors
    /// When the device fails.
    fn swiglu(&self, gate: &Matrix<Self>, up: &Matrix<Self>) -> Result<Matrix<Self>, Self::Err>;

    /// The gradients of `gate` and `up`: what the output's gradient `g` makes of them.
    ///
    /// # Errors
    /// When the device fails.
    fn swiglu_backward(
        &self,
        gate: &Matrix<Self>,
        up: &Matrix<Self>,
        g: &Buffer<Self>,
    ) -> Result<[Buffer<Self>; 2], Self::Err>;
}

/// `silu(gate) * up`: two different matrices of one shape.
///
/// # Errors
/// When the shapes differ.
pub fn swiglu<D: Device, T: Tape<D>>(tape: &mut T, gate: &Matrix<D>, up: &Matrix<D>) -> Result<Matrix<D>> {
    if tensor::shape(gate) != tensor::shape(up) {
        return Err(misfit("swiglu", format!("{:?} and {:?}", tensor::shape(gate), tensor::shape(up))));
    }
    let y = gate.device().swiglu(gate, up).map_err(failed)?;
    if T::OWNS_TAPE {
        let (gate, up) = (gate.clone(), up.clone());
        let [of_gate, of_up, out] = [&gate, &up, &y].map(Slot::of);
        tape.add_backward_op(move |flow| {
            let g = out.whole(flow)?;
            let [g_gate, g_up] = gate.device().swiglu_backward(&gate, &up, &g)?;
            of_gate.add(flow, g_gate, 1.0)?;
            of_up.add(flow, g_up, 1.0)
        });
    }
    Ok(y)
}

/// [`swiglu`] of these two once more, without a tape.
pub fn swiglu_again<D: Device>(gate: &Matrix<D>, up: &Matrix<D>) -> Again<D> {
    let (gate, up) = (gate.clone(), up.clone());
    Rc::new(move || gate.device().swiglu(&gate, &up))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::check;

    #[test]
    fn backward_agrees_with_differences() {
        check::differences(&[(4, 9), (4, 9)], 2e-3, |tape, x| swiglu(tape, &x[0], &x[1]));
    }

    #[test]
    fn forward_is_its_formula() {
        let (gate, up) = (check::matrix(3, 50, 1), check::matrix(3, 50, 2));
        let y = swiglu(&mut tensor::NoneTape, &gate, &up).unwrap();
        for ((&y, &g), &u) in tensor::slice(&y).iter().zip(tensor::slice(&gate)).zip(tensor::slice(&up)) {
            let (g, u) = (f64::from(g), f64::from(u));
            assert!((f64::from(y) - g / (1.0 + (-g).exp()) * u).abs() < 1e-6);
        }
    }
}
