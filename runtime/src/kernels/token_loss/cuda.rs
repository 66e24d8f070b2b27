use super::{LossKernel, Rows, TokenLoss};
use crate::kernels::add;
use crate::kernels::gpu::cuda::{at, buffer_at, empty, engine};
use crate::kernels::vocabulary_loss;
use crate::tensor::{shape, Buffer, Cuda, HasErr, Matrix};

impl LossKernel for Cuda {
    fn token_loss(
        &self,
        logits: &Matrix<Self>,
        weights: &[f32],
        loss: &dyn TokenLoss,
        traced: bool,
    ) -> Result<Rows<Self>, <Self as HasErr>::Err> {
        let ((rows, width), engine) = (shape(logits), engine()?);
        // the gradient takes the place of the logits, so of a copy
        let copy = empty(self, (rows, width))?;
        add::gpu::accumulate(engine, at(&copy), at(logits), 1.0, rows * width)?;
        let losses = vocabulary_loss::gpu::losses(engine, (at(&copy), width), 0, weights, loss, traced)?;
        Ok((losses, traced.then_some(copy)))
    }

    fn token_loss_backward(
        &self,
        upstream: &Buffer<Self>,
        gradient: &Matrix<Self>,
        g_logits: &mut Buffer<Self>,
    ) -> Result<(), <Self as HasErr>::Err> {
        let (rows, width) = shape(gradient);
        let scale = crate::kernels::gpu::Gpu::take::<f32>(engine()?, buffer_at(upstream), 1)?;
        add::gpu::accumulate(engine()?, buffer_at(g_logits), at(gradient), scale[0], rows * width)
    }
}
