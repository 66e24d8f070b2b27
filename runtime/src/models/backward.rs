//! The backward pass: from one trace of the whole model, or layer by layer from what went into each.

use super::decoder::Decoder;
use super::forward::Pass;
use super::loss_scale::LossScale;
use super::packed::Packed;
use super::vision::Part;
use crate::error::{Error, Result};
use crate::kernels::attention::{attention, Layout};
use crate::kernels::select_rows::select_rows;
use crate::kernels::token_loss::TokenLoss;
use crate::kernels::vocabulary_loss::{vocabulary_loss, HeadGradients};
use crate::tensor::{self, Buffer, Device, Grads, Matrix, NoneTape, OwnedTape};
use std::sync::Arc;

impl<D: Device> Decoder<D> {
    /// Activation checkpointing (arXiv 1604.06174), by layer: where it is on, a backward pass keeps what went into each
    /// layer and computes the rest again when it is needed. Gradients are the same, bit for bit.
    pub fn checkpoint_activations(&mut self, on: bool) {
        self.checkpointing = on;
    }

    /// Whether the backward pass computes activations again.
    pub fn checkpoints_activations(&self) -> bool {
        self.checkpointing
    }

    /// How losses are scaled before a backward pass; none, and they are not.
    pub fn scale_losses(&mut self, scale: Option<LossScale>) {
        self.loss_scale = scale;
    }

    /// How losses are scaled before a backward pass, where they are.
    pub fn loss_scale(&self) -> Option<LossScale> {
        self.loss_scale
    }

    /// One traced forward pass over `batch`, the loss `Σ weights[r] * loss(r)` over its rows, and one
    /// backward pass that **adds** to `grads`, at their loss scale. Returns the unweighted loss of each row, as the loss gave
    /// it, finite or not.
    ///
    /// # Errors
    /// As [`Decoder::logits`], or when there is not one weight for each row. If the device fails half way,
    /// `grads` is not to be used further.
    pub fn backward(
        &self,
        batch: &Packed,
        weights: &[f32],
        loss: &Arc<dyn TokenLoss>,
        grads: &mut Grads<D>,
    ) -> Result<Vec<f64>> {
        if weights.len() != batch.rows().len() {
            return Err(Error::call(format!("{} weights for {} rows", weights.len(), batch.rows().len())));
        }
        if weights.is_empty() {
            return self.logits(batch).map(|_| Vec::new());
        }
        batch.check(self.config.max_position_embeddings)?;
        let scaled: Vec<f32> = weights.iter().map(|weight| weight * grads.scale()).collect();
        let losses = tensor::within(&self.device, || self.traced(batch, &scaled, loss, grads))?;
        self.still_the_rest(grads)?;
        Ok(losses)
    }

    fn traced(
        &self,
        batch: &Packed,
        weights: &[f32],
        loss: &Arc<dyn TokenLoss>,
        grads: &mut Grads<D>,
    ) -> Result<Vec<f64>> {
        let (pass, mut tape) = (Pass::new(self), OwnedTape::default());
        let layout = pass.layout(batch);
        let mut went_in = Vec::new();
        let x = match self.checkpointing {
            false => pass.hidden_of(&mut tape, batch, &mut |tape, _, qkv| attention(tape, qkv, &layout))?,
            true => self.untraced(&pass, &layout, batch, &mut went_in)?,
        };
        let hidden = select_rows(&mut tape, &x, batch.rows().to_vec())?;
        let hidden = pass.last_norm(&mut tape, &hidden)?;
        let (losses, gradient) = self.loss(&hidden, weights, loss, grads)?;
        if !self.checkpointing {
            grads.collect(&hidden, gradient, tape, &self.learners()?)?;
            return Ok(losses);
        }
        let mut gradient = grads.collect_to(&x, &hidden, gradient, tape, &self.learners()?)?;
        while let Some(input) = went_in.pop() {
            gradient = self.layer_back(&pass, &layout, (went_in.len(), input), gradient, grads)?;
        }
        let mut tape = OwnedTape::default();
        let first = pass.embedded_all(&mut tape, batch)?;
        grads.collect(&first, gradient, tape, &self.learners()?)?;
        Ok(losses)
    }

    /// The last hidden states without a trace; what went into each layer is put into `went_in`.
    fn untraced(
        &self,
        pass: &Pass<'_, D>,
        layout: &Layout,
        batch: &Packed,
        went_in: &mut Vec<Matrix<D>>,
    ) -> Result<Matrix<D>> {
        let mut x = pass.embedded_all(&mut NoneTape, batch)?;
        for layer in 0..pass.layers() {
            went_in.push(x.clone());
            x = pass.layer(&mut NoneTape, layer, x, &mut |tape, _, qkv| attention(tape, qkv, layout))?;
        }
        Ok(x)
    }

    /// Traces one layer again, from what went into it, and follows the trace back: from the gradient of what came out
    /// to that of what went in.
    fn layer_back(
        &self,
        pass: &Pass<'_, D>,
        layout: &Layout,
        (layer, input): (usize, Matrix<D>),
        gradient: Buffer<D>,
        grads: &mut Grads<D>,
    ) -> Result<Buffer<D>> {
        let mut tape = OwnedTape::default();
        let attend = &mut |tape: &mut _, _, qkv: [&_; 3]| attention(tape, qkv, layout);
        let out = pass.layer(&mut tape, layer, input.clone(), attend)?;
        grads.collect_to(&input, &out, gradient, tape, &self.learners()?)
    }

    /// The losses of the rows, and the gradient of the hidden states that the output layer reads; that of the output
    /// layer is added to `grads`.
    fn loss(
        &self,
        hidden: &Matrix<D>,
        weights: &[f32],
        loss: &Arc<dyn TokenLoss>,
        grads: &mut Grads<D>,
    ) -> Result<(Vec<f64>, Buffer<D>)> {
        let (rows, inner) = tensor::shape(hidden);
        let mut gradient = tensor::zeros(&self.device, rows * inner)?;
        // of low-rank factors none is in the output layer
        let learns = self.adapters.is_none() && !self.still.contains(&Part::Decoder);
        let head = learns.then(|| grads.buffer_mut(self.places.head));
        let into = HeadGradients { hidden: &mut gradient, head };
        let losses = vocabulary_loss(hidden, &self.head()?, weights, &**loss, Some(into))?;
        Ok((losses, gradient))
    }
}
