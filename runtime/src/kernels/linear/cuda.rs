use super::{gpu, LinearKernel};
use crate::kernels::gpu::cuda::{at, buffer_at, empty, engine, Block};
use crate::kernels::gpu::{Factor, Gpu};
use crate::tensor::{shape, Buffer, Cuda, HasErr, Host, Matrix, Storage};

/// Weights as halves, where products read these; cuBLAS takes floats as they are.
pub struct Cast(Option<Block>);

impl LinearKernel for Cuda {
    type Prepared = Cast;

    fn prepare(&self, weight: &Matrix<Self>) -> Result<Cast, <Self as HasErr>::Err> {
        let (outer, inner) = shape(weight);
        engine()?.halved(at(weight), outer * inner).map(Cast)
    }

    fn linear(
        &self,
        x: &Matrix<Self>,
        weight: &Matrix<Self>,
        prepared: Option<&Cast>,
        bias: Option<&Matrix<Self>>,
    ) -> Result<Matrix<Self>, <Self as HasErr>::Err> {
        let ((rows, inner), outer) = (shape(x), shape(weight).0);
        let out = empty(self, (rows, outer))?;
        let weight = Factor::with(at(weight), prepared.and_then(|Cast(halves)| halves.as_ref()));
        gpu::linear(engine()?, at(x), weight, bias.map(at), at(&out), [rows, inner, outer])?;
        Ok(out)
    }

    fn linear_backward(
        &self,
        weight: &Matrix<Self>,
        g: &Buffer<Self>,
        g_x: Option<Buffer<Self>>,
    ) -> Result<Buffer<Self>, <Self as HasErr>::Err> {
        let (outer, inner) = shape(weight);
        let rows = Storage::<f32>::len(self, g) / outer.max(1);
        let g_x = g_x.map_or_else(|| self.zeroed(rows * inner), Ok)?;
        gpu::linear_backward(engine()?, [at(weight), buffer_at(g)], buffer_at(&g_x), [rows, inner, outer])?;
        Ok(g_x)
    }

    fn linear_learn(
        &self,
        x: &Matrix<Self>,
        g: &Buffer<Self>,
        g_weight: &mut Buffer<Self>,
        g_bias: Option<&mut Buffer<Self>>,
    ) -> Result<(), <Self as HasErr>::Err> {
        let (rows, inner) = shape(x);
        let outer = Storage::<f32>::len(self, g_weight) / inner.max(1);
        let (given, to) = ([at(x), buffer_at(g)], buffer_at(g_weight));
        gpu::linear_learn(engine()?, given, to, g_bias.map(|g| buffer_at(g)), [rows, inner, outer])
    }
}
