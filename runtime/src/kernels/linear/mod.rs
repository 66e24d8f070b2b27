//! The linear layer: x · Wᵀ + b.

mod cpu;
#[cfg(feature = "cuda")]
mod cuda;
#[cfg(any(test, feature = "cuda"))]
pub(crate) mod gpu;

use super::{misfit, Again};
use crate::error::Result;
use crate::tensor::{self, failed, Buffer, Device, Matrix, Slot, Storage, Tape};
use std::rc::Rc;

/// The linear layer on a device.
pub trait LinearKernel: Storage<f32> {
    /// Weights laid out for repeated use, when they do not change between uses.
    type Prepared;

    /// Lays out `weight` `[out, in]`.
    ///
    /// # Errors
    /// When the device fails.
    fn prepare(&self, weight: &Matrix<Self>) -> Result<Self::Prepared, Self::Err>;

    /// `x · weightᵀ + bias`, with `weight` as it was laid out, if it was.
    ///
    /// # Errors
    /// When the device fails.
    fn linear(
        &self,
        x: &Matrix<Self>,
        weight: &Matrix<Self>,
        prepared: Option<&Self::Prepared>,
        bias: Option<&Matrix<Self>>,
    ) -> Result<Matrix<Self>, Self::Err>;

    /// The gradient of `x`: what the output's gradient `g` makes of it, added to `g_x` if there is one already.
    ///
    /// # Errors
    /// When the device fails.
    fn linear_backward(
        &self,
        weight: &Matrix<Self>,
        g: &Buffer<Self>,
        g_x: Option<Buffer<Self>>,
    ) -> Result<Buffer<Self>, Self::Err>;

    /// Adds to the gradients of the weight and of the bias, if there is one, what the output's gradient `g` makes of
    /// them.
    ///
    /// # Errors
    /// When the device fails.
    fn linear_learn(
        &self,
        x: &Matrix<Self>,
        g: &Buffer<Self>,
        g_weight: &mut Buffer<Self>,
        g_bias: Option<&mut Buffer<Self>>,
    ) -> Result<(), Self::Err>;
}

/// The weight of a linear layer.
pub struct Weight<'a, D: Device> {
    /// `[out, in]`.
    pub value: &'a Matrix<D>,
    /// The same, laid out before.
    pub prepared: Option<&'a D::Prepared>,
    /// Whether it, and the bias beside it, learn: what does not learn costs no gradient.
    pub learns: bool,
}

impl<'a, D: Device> From<&'a Matrix<D>> for Weight<'a, D> {
    fn from(value: &'a Matrix<D>) -> Self {
        Self { value, prepared: None, learns: true }
    }
}

/// `x` `[N, in]` times the transpose of `weight` `[out, in]`, plus `bias` `[1, out]` in every row: `[N,
/// out]`.
///
/// # Errors
/// When the shapes do not fit.
pub fn linear<'a, D: Device, T: Tape<D>>(
    tape: &mut T,
    x: &Matrix<D>,
    weight: impl Into<Weight<'a, D>>,
    bias: Option<&Matrix<D>>,
) -> Result<Matrix<D>> {
    traced(tape, x, (&again(x), true), weight.into(), bias)
}

/// [`linear`] of an `x` that is data: nobody asks for its gradient.
///
/// # Errors
/// When the shapes do not fit.
pub fn linear_of_data<'a, D: Device, T: Tape<D>>(
    tape: &mut T,
    x: &Matrix<D>,
    weight: impl Into<Weight<'a, D>>,
    bias: Option<&Matrix<D>>,
) -> Result<Matrix<D>> {
    traced(tape, x, (&again(x), false), weight.into(), bias)
}

/// [`linear`] of an `x` that `again` gives once more, to the bit: the trace keeps `again` instead of `x`, and that only
/// where the weight learns.
///
/// # Errors
/// When the shapes do not fit.
pub fn linear_of<'a, D: Device, T: Tape<D>>(
    tape: &mut T,
    x: &Matrix<D>,
    again: &Again<D>,
    weight: impl Into<Weight<'a, D>>,
    bias: Option<&Matrix<D>>,
) -> Result<Matrix<D>> {
    traced(tape, x, (again, true), weight.into(), bias)
}

/// `x` itself, kept.
pub(crate) fn again<D: Device>(x: &Matrix<D>) -> Again<D> {
    let kept = x.clone();
    Rc::new(move || Ok(kept.clone()))
}

/// The layer, and on the tape what it does on the way back; the gradient of `x` only where that `leads` somewhere.
fn traced<D: Device, T: Tape<D>>(
    tape: &mut T,
    x: &Matrix<D>,
    (again, leads): (&Again<D>, bool),
    Weight { value: weight, prepared, learns }: Weight<'_, D>,
    bias: Option<&Matrix<D>>,
) -> Result<Matrix<D>> {
    let ((rows, inner), (outer, expected)) = (tensor::shape(x), tensor::shape(weight));
    if inner != expected {
        return Err(misfit("linear", format!("{rows} x {inner} into weights {outer} x {expected}")));
    }
    if let Some(wrong) = bias.map(tensor::shape).filter(|&shape| shape != (1, outer)) {
        return Err(misfit("linear", format!("a bias {wrong:?} for {outer} outputs")));
    }
    let y = x.device().linear(x, weight, prepared, bias).map_err(failed)?;
    if T::OWNS_TAPE && (learns || leads) {
        let out = Slot::of(&y);
        let leading = leads.then(|| (Slot::of(x), weight.clone()));
        let learning = learns.then(|| (Rc::clone(again), Slot::of(weight), bias.map(Slot::of)));
        tape.add_backward_op(move |flow| {
            let g = out.whole(flow)?;
            if let Some((again, of_weight, of_bias)) = learning {
                let mut g_weight = of_weight.take(flow)?;
                let mut g_bias = of_bias.as_ref().map(|slot| slot.take(flow)).transpose()?;
                out.device().linear_learn(&again()?, &g, &mut g_weight, g_bias.as_mut())?;
                of_weight.put(flow, g_weight);
                if let (Some(slot), Some(g_bias)) = (of_bias, g_bias) {
                    slot.put(flow, g_bias);
                }
            }
            if let Some((of_x, weight)) = leading {
                let g_x = out.device().linear_backward(&weight, &g, of_x.some(flow))?;
                of_x.put(flow, g_x);
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
        check::differences(&[(9, 10), (7, 10)], 2e-3, |tape, x| linear(tape, &x[0], &x[1], None));
        check::differences(&[(3, 33), (34, 33), (1, 34)], 2e-3, |tape, x| {
            linear(tape, &x[0], &x[1], Some(&x[2]))
        });
    }

    #[test]
    fn of_data_has_no_gradient_and_weights_the_same() {
        let (x, w) = (check::matrix(3, 4, 1), check::matrix(5, 4, 2));
        let of_weight = |data: bool| {
            let mut tape = tensor::OwnedTape::default();
            let y =
                if data { linear_of_data(&mut tape, &x, &w, None) } else { linear(&mut tape, &x, &w, None) };
            let mut grads = tensor::Grads::zeros(x.device(), [&x, &w]).unwrap();
            let g = tensor::cpu_buffer(x.device(), vec![1.0; 15]).unwrap();
            grads.collect(&y.unwrap(), g, tape, &[&x, &w]).unwrap();
            (grads.to_host(0).unwrap(), grads.to_host(1).unwrap())
        };
        let (of_data, of_some) = (of_weight(true), of_weight(false));
        assert_eq!(of_data.1, of_some.1);
        assert!(of_data.0.iter().all(|&g| g == 0.0) && of_some.0.iter().all(|&g| g != 0.0));
    }

    #[test]
    fn shapes_that_do_not_fit_are_refused() {
        let (x, w, b) = (check::matrix(2, 3, 1), check::matrix(4, 5, 2), check::matrix(1, 3, 3));
        let tape = &mut tensor::NoneTape;
        assert!(linear(tape, &x, &w, None).is_err());
        assert!(linear(tape, &x, &check::matrix(4, 3, 2), Some(&b)).is_err());
    }
}
