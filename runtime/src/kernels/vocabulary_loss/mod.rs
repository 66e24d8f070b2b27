//! A [`TokenLoss`] from hidden states: the output layer and the loss over its logits, a few rows at a time, so that
//! never are all logits there at once.
//!
//! What comes out is what [`linear`](super::linear) and [`token_loss`](super::token_loss) give together, to rounding:
//! the gradient of the output layer's weights is a sum over rows, and it is taken in the order of the rows.

mod cpu;
#[cfg(feature = "cuda")]
mod cuda;
#[cfg(any(test, feature = "cuda"))]
pub(crate) mod gpu;
#[cfg(any(test, feature = "cuda"))]
mod rows;
#[cfg(test)]
mod tests;

pub(crate) use cpu::rows_at_once;

use super::embed::within;
use super::misfit;
use super::token_loss::TokenLoss;
use crate::error::Result;
use crate::tensor::{self, failed, Buffer, Device, Matrix, Storage};

/// Where the gradients of hidden states and of the output layer are added.
pub struct HeadGradients<'a, D: Storage<f32>> {
    /// Of the hidden states, `R * d` values.
    pub hidden: &'a mut Buffer<D>,
    /// Of the output layer's weights, `V * d` values, where they learn.
    pub head: Option<&'a mut Buffer<D>>,
}

/// The output layer and what is made of its logits, on a device.
pub trait VocabularyLossKernel: Storage<f32> {
    /// The unweighted loss of every row of `hidden · headᵀ`, and, if asked for, the gradients of the weighted sum.
    ///
    /// # Errors
    /// When the device fails.
    fn vocabulary_loss(
        &self,
        hidden: &Matrix<Self>,
        head: &Matrix<Self>,
        weights: &[f32],
        loss: &dyn TokenLoss,
        into: Option<HeadGradients<'_, Self>>,
    ) -> Result<Vec<f64>, Self::Err>;

    /// Shows each row of `hidden · headᵀ` to `look`, in any order, from any thread.
    ///
    /// # Errors
    /// When the device fails.
    fn each_row(
        &self,
        hidden: &Matrix<Self>,
        head: &Matrix<Self>,
        look: &(dyn Fn(usize, &[f32]) + Sync),
    ) -> Result<(), Self::Err>;

    /// The log-probability of `ids[r]` at row r of `hidden · headᵀ` and the entropy of the row, where the device finds
    /// them by itself; else the rows are to be looked at.
    ///
    /// # Errors
    /// When the device fails.
    fn said(
        &self,
        _hidden: &Matrix<Self>,
        _head: &Matrix<Self>,
        _ids: &[u32],
    ) -> Result<Option<Vec<(f64, f64)>>, Self::Err> {
        Ok(None)
    }
}

/// The unweighted losses of the rows of `hidden` `[R, d]` under the output layer `head` `[V, d]`. The gradients of
/// `Σ weights[r] * loss(r)` are added to `into`. Rows of weight 0 are evaluated, but add nothing, whatever they give.
///
/// # Errors
/// When there is not one weight a row, or the shapes do not fit.
pub fn vocabulary_loss<D: Device>(
    hidden: &Matrix<D>,
    head: &Matrix<D>,
    weights: &[f32],
    loss: &dyn TokenLoss,
    into: Option<HeadGradients<'_, D>>,
) -> Result<Vec<f64>> {
    let rows = fits(hidden, head)?;
    if weights.len() != rows {
        return Err(misfit("vocabulary_loss", format!("{} weights for {rows} rows", weights.len())));
    }
    hidden.device().vocabulary_loss(hidden, head, weights, loss, into).map_err(failed)
}

/// Shows the logits of each row of `hidden` `[R, d]` under the output layer `head` `[V, d]` to `look`.
///
/// # Errors
/// When the shapes do not fit.
pub fn each_row<D: Device>(
    hidden: &Matrix<D>,
    head: &Matrix<D>,
    look: &(dyn Fn(usize, &[f32]) + Sync),
) -> Result<()> {
    fits(hidden, head)?;
    hidden.device().each_row(hidden, head, look).map_err(failed)
}

/// The natural-log probability of `ids[r]` at row r of `hidden` `[R, d]` under the output layer `head` `[V, d]`, and the
/// entropy of the row in nats, where the device finds them by itself; none where the rows are to be looked at.
///
/// # Errors
/// When there is not one id below V for each row, or the shapes do not fit.
pub fn said<D: Device>(hidden: &Matrix<D>, head: &Matrix<D>, ids: &[u32]) -> Result<Option<Vec<(f64, f64)>>> {
    let (rows, width) = (fits(hidden, head)?, tensor::shape(head).0);
    if rows != ids.len() {
        return Err(misfit("said", format!("{} ids for {rows} rows", ids.len())));
    }
    within(ids, width)?;
    hidden.device().said(hidden, head, ids).map_err(failed)
}

fn fits<D: Device>(hidden: &Matrix<D>, head: &Matrix<D>) -> Result<usize> {
    let ((rows, inner), (outer, expected)) = (tensor::shape(hidden), tensor::shape(head));
    if inner != expected {
        let what = format!("{rows} x {inner} into an output layer {outer} x {expected}");
        return Err(misfit("vocabulary_loss", what));
    }
    Ok(rows)
}
