use super::{gpu, Drawn, SampleKernel};
use crate::kernels::gpu::cuda::{at, engine};
use crate::models::Sampling;
use crate::tensor::{shape, Cuda, HasErr, Matrix};

impl SampleKernel for Cuda {
    fn draw(
        &self,
        logits: &Matrix<Self>,
        sampling: &Sampling,
        uniforms: &[f64],
    ) -> Result<Vec<Option<Drawn>>, <Self as HasErr>::Err> {
        gpu::sample(engine()?, at(logits), shape(logits).1, sampling, uniforms)
    }
}
