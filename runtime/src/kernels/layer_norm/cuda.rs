use super::{gpu, LayerNormKernel};
use crate::kernels::gpu::cuda::{at, buffer_at, empty, engine};
use crate::tensor::{shape, Buffer, Cuda, HasErr, Matrix};

impl LayerNormKernel for Cuda {
    fn layer_norm(
        &self,
        x: &Matrix<Self>,
        weight: &Matrix<Self>,
        bias: &Matrix<Self>,
        epsilon: f32,
    ) -> Result<Matrix<Self>, <Self as HasErr>::Err> {
        let ((rows, width), out) = (shape(x), empty(self, shape(x))?);
        gpu::layer_norm(engine()?, [at(x), at(weight), at(bias)], epsilon, at(&out), [rows, width])?;
        Ok(out)
    }

    fn layer_norm_backward(
        &self,
        x: &Matrix<Self>,
        weight: &Matrix<Self>,
        epsilon: f32,
        g: &Buffer<Self>,
        into: [&mut Buffer<Self>; 3],
    ) -> Result<(), <Self as HasErr>::Err> {
        let (rows, width) = shape(x);
        let (given, to) = ([at(x), at(weight), buffer_at(g)], into.map(|buffer| buffer_at(buffer)));
        gpu::layer_norm_backward(engine()?, given, epsilon, to, [rows, width])
    }
}
