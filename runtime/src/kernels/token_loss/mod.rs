//! Any loss that is a weighted sum over tokens of a function of the logits there.

mod cpu;
#[cfg(feature = "cuda")]
mod cuda;
mod described;

pub use described::{Among, Described, Found, Kind, Own, Part, Rest, Teacher, Tells, Weight};

use super::misfit;
use crate::error::Result;
use crate::tensor::{self, failed, Buffer, Device, Matrix, Slot, Storage, Tape};
use std::sync::Arc;

/// The loss of one token as a function of the student's logits at that position.
pub trait TokenLoss: Send + Sync {
    /// The loss of row `row`, from its logits, as many as the vocabulary has tokens. When `grad` is given,
    /// writes d loss / d logits into it; it comes zeroed and is as long as `logits`.
    fn row(&self, row: usize, logits: &[f32], grad: Option<&mut [f32]>) -> f64;

    /// The same loss in numbers, so that a device other than the CPU can work it out where the logits are. A loss that
    /// has no such description is asked row by row on the host, which is much slower there.
    fn described(&self, _: usize) -> Option<Described<'_>> {
        None
    }

    /// Takes what a device found at row `row`, and gives its loss back.
    fn found(&self, _: usize, _: &Described<'_>, found: &Found) -> f64 {
        found.loss
    }
}

/// What a device gives back for a [`TokenLoss`]: the loss of each row, and the weighted gradient if asked
/// for.
pub type Rows<D> = (Vec<f64>, Option<Matrix<D>>);

/// Token losses on a device.
pub trait LossKernel: Storage<f32> {
    /// The unweighted loss of every row of `logits`, and, if `traced`, the gradient of the weighted sum.
    ///
    /// # Errors
    /// When the device fails.
    fn token_loss(
        &self,
        logits: &Matrix<Self>,
        weights: &[f32],
        loss: &dyn TokenLoss,
        traced: bool,
    ) -> Result<Rows<Self>, Self::Err>;

    /// Adds `upstream * gradient` to `g_logits`; `upstream` is one value.
    ///
    /// # Errors
    /// When the device fails.
    fn token_loss_backward(
        &self,
        upstream: &Buffer<Self>,
        gradient: &Matrix<Self>,
        g_logits: &mut Buffer<Self>,
    ) -> Result<(), Self::Err>;
}

/// The total `Σ weights[r] * loss(r)` over the rows of `logits` `[R, V]` as a 1 x 1 matrix, and the
/// unweighted losses. Rows of weight 0 are evaluated, but add nothing to the total and get no gradient,
/// whatever they give.
///
/// # Errors
/// When there is not one weight a row.
pub fn token_loss<D: Device, T: Tape<D>>(
    tape: &mut T,
    logits: &Matrix<D>,
    weights: &[f32],
    loss: &Arc<dyn TokenLoss>,
) -> Result<(Matrix<D>, Vec<f64>)> {
    let (rows, _) = tensor::shape(logits);
    if weights.len() != rows {
        return Err(misfit("token_loss", format!("{} weights for {rows} rows", weights.len())));
    }
    let device = logits.device();
    let (losses, gradient) = device.token_loss(logits, weights, &**loss, T::OWNS_TAPE).map_err(failed)?;
    let weighted = losses.iter().zip(weights).filter(|&(_, &w)| w != 0.0);
    let total: f64 = weighted.map(|(loss, &w)| loss * f64::from(w)).sum();
    let total = tensor::matrix(device, 1, 1, vec![total as f32])?;
    if let Some(gradient) = gradient {
        let [logits, out] = [logits, &total].map(Slot::of);
        tape.add_backward_op(move |flow| {
            let g = out.whole(flow)?;
            let mut g_logits = logits.take(flow)?;
            logits.device().token_loss_backward(&g, &gradient, &mut g_logits)?;
            logits.put(flow, g_logits);
            Ok(())
        });
    }
    Ok((total, losses))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::check;
    use crate::tensor::{Cpu, Grads, NoneTape, OwnedTape};

    /// Half the sum of squares; infinite in row 1.
    struct Squares;

    impl TokenLoss for Squares {
        fn row(&self, row: usize, logits: &[f32], grad: Option<&mut [f32]>) -> f64 {
            if let Some(grad) = grad {
                assert!(grad.iter().all(|&g| g == 0.0));
                grad.copy_from_slice(logits);
            }
            let half = logits.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>() / 2.0;
            if row == 1 {
                f64::INFINITY
            } else {
                half
            }
        }
    }

    #[test]
    fn weights_scale_gradients_and_weight_zero_takes_none() {
        let (logits, weights) = (check::matrix(300, 7, 1), |r: usize| if r == 1 { 0.0 } else { r as f32 });
        let loss: Arc<dyn TokenLoss> = Arc::new(Squares);
        let weights: Vec<f32> = (0..300).map(weights).collect();
        let mut tape = OwnedTape::<Cpu>::default();
        let (total, losses) = token_loss(&mut tape, &logits, &weights, &loss).unwrap();
        assert!(losses[1].is_infinite() && tensor::slice(&total)[0].is_finite());
        let mut grads = Grads::zeros(logits.device(), [&logits]).unwrap();
        grads.collect(&total, check::one(), tape, &[&logits]).unwrap();
        let values = tensor::slice(&logits);
        for (i, g) in grads.to_host(0).unwrap().into_iter().enumerate() {
            assert_eq!(g, values[i] * weights[i / 7], "{i}");
        }
        let untraced = token_loss(&mut NoneTape, &logits, &weights, &loss).unwrap();
        assert_eq!(untraced.1, losses);
        assert!(token_loss(&mut NoneTape, &logits, &weights[1..], &loss).is_err());
    }
}
