//! The residual connection, what a layer learns beside its weights, and sums of gradients.

mod cpu;
#[cfg(feature = "cuda")]
mod cuda;
#[cfg(any(test, feature = "cuda"))]
pub(crate) mod gpu;

pub(crate) use cpu::increase;

use super::misfit;
use crate::error::Result;
use crate::tensor::{self, failed, Buffer, Device, Matrix, Slot, Storage, Tape};
use std::rc::Rc;

/// Addition on a device.
pub trait AddKernel: Storage<f32> {
    /// `a + scale · b`, element by element.
    ///
    /// # Errors
    /// When the device fails.
    fn add(&self, a: &Matrix<Self>, b: &Matrix<Self>, scale: f32) -> Result<Matrix<Self>, Self::Err>;

    /// Adds `scale` times `from` to `into`, element by element; both have one length.
    ///
    /// # Errors
    /// When the device fails.
    fn accumulate(&self, into: &mut Buffer<Self>, from: &Buffer<Self>, scale: f32) -> Result<(), Self::Err>;
}

/// `a + b`: two matrices of one shape.
///
/// # Errors
/// When the shapes differ.
pub fn add<D: Device, T: Tape<D>>(tape: &mut T, a: &Matrix<D>, b: &Matrix<D>) -> Result<Matrix<D>> {
    add_scaled(tape, a, b, 1.0)
}

/// `a + scale · b`: two matrices of one shape.
///
/// # Errors
/// When the shapes differ.
pub fn add_scaled<D: Device, T: Tape<D>>(
    tape: &mut T,
    a: &Matrix<D>,
    b: &Matrix<D>,
    scale: f32,
) -> Result<Matrix<D>> {
    if tensor::shape(a) != tensor::shape(b) {
        return Err(misfit("add", format!("{:?} and {:?}", tensor::shape(a), tensor::shape(b))));
    }
    let y = a.device().add(a, b, scale).map_err(failed)?;
    if T::OWNS_TAPE {
        let [a, b, out] = [a, b, &y].map(Slot::of);
        tape.add_backward_op(move |flow| {
            let g = out.whole(flow)?;
            a.add(flow, Rc::clone(&g), 1.0)?;
            b.add(flow, g, scale)
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
        check::differences(&[(3, 5), (3, 5)], 1e-3, |tape, x| add(tape, &x[0], &x[1]));
        check::differences(&[(2, 4)], 1e-3, |tape, x| add(tape, &x[0], &x[0]));
        check::differences(&[(3, 5), (3, 5)], 1e-3, |tape, x| add_scaled(tape, &x[0], &x[1], -2.5));
    }

    #[test]
    fn two_shapes_are_refused() {
        assert!(add(&mut tensor::NoneTape, &check::matrix(2, 3, 1), &check::matrix(3, 2, 1)).is_err());
    }
}
