use super::{gpu, RmsNormKernel};
use crate::kernels::gpu::cuda::{at, buffer_at, empty, engine};
use crate::tensor::{shape, Buffer, Cuda, HasErr, Matrix};

/// How many groups there are, and how wide each is.
fn sizes(x: &Matrix<Cuda>, weight: &Matrix<Cuda>) -> [usize; 2] {
    let ((rows, columns), (_, width)) = (shape(x), shape(weight));
    [rows * columns / width.max(1), width]
}

impl RmsNormKernel for Cuda {
    fn rms_norm(
        &self,
        x: &Matrix<Self>,
        weight: &Matrix<Self>,
        epsilon: f32,
    ) -> Result<Matrix<Self>, <Self as HasErr>::Err> {
        let out = empty(self, shape(x))?;
        gpu::rms_norm(engine()?, [at(x), at(weight)], epsilon, at(&out), sizes(x, weight))?;
        Ok(out)
    }

    fn rms_norm_backward(
        &self,
        x: &Matrix<Self>,
        weight: &Matrix<Self>,
        epsilon: f32,
        g: &Buffer<Self>,
        g_x: &mut Buffer<Self>,
        g_weight: &mut Buffer<Self>,
    ) -> Result<(), <Self as HasErr>::Err> {
        let (given, to) = ([at(x), at(weight), buffer_at(g)], [buffer_at(g_x), buffer_at(g_weight)]);
        gpu::rms_norm_backward(engine()?, given, epsilon, to, sizes(x, weight))
    }
}
