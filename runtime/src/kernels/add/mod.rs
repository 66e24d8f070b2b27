//! The residual connection, and sums of gradients.

mod cpu;

pub(crate) use cpu::increase;

use super::misfit;
use crate::error::Result;
use crate::tensor::{self, failed, put_gradient, take_gradient, Buffer, Device, Matrix, Storage, Tape};

/// Addition on a device.
pub trait AddKernel: Storage<f32> {
    /// `a + b`, element by element.
    ///
    /// # Errors
    /// When the device fails.
    fn add(&self, a: &Matrix<Self>, b: &Matrix<Self>) -> Result<Matrix<Self>, Self::Err>;

    /// Adds `from` to `into`, element by element; both have one length.
    ///
    /// # Errors
    /// When the device fails.
    fn accumulate(&self, into: &mut Buffer<Self>, from: &Buffer<Self>) -> Result<(), Self::Err>;
}

/// `a + b`: two matrices of one shape.
///
/// # Errors
/// When the shapes differ.
pub fn add<D: Device, T: Tape<f32, D>>(tape: &mut T, a: &Matrix<D>, b: &Matrix<D>) -> Result<Matrix<D>> {
    if tensor::shape(a) != tensor::shape(b) {
        return Err(misfit("add", format!("{:?} and {:?}", tensor::shape(a), tensor::shape(b))));
    }
    let y = a.device().add(a, b).map_err(failed)?;
    if T::OWNS_TAPE {
        let (a, b, out) = (a.clone(), b.clone(), y.clone());
        tape.add_backward_op(move |flow| {
            let g = take_gradient(flow, &out)?;
            for x in [&a, &b] {
                let mut g_x = take_gradient(flow, x)?;
                x.device().accumulate(&mut g_x, &g)?;
                put_gradient(flow, x, g_x)?;
            }
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
        check::differences(&[(3, 5), (3, 5)], 1e-3, |tape, x| add(tape, &x[0], &x[1]));
        check::differences(&[(2, 4)], 1e-3, |tape, x| add(tape, &x[0], &x[0]));
    }

    #[test]
    fn two_shapes_are_refused() {
        assert!(add(&mut tensor::NoneTape, &check::matrix(2, 3, 1), &check::matrix(3, 2, 1)).is_err());
    }
}
