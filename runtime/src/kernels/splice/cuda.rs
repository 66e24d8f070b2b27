use super::{gpu, SpliceKernel};
use crate::kernels::gpu::cuda::{at, buffer_at, empty, engine};
use crate::tensor::{shape, Buffer, Cuda, HasErr, Matrix, Storage};

impl SpliceKernel for Cuda {
    fn splice(
        &self,
        into: &Matrix<Self>,
        rows: &Matrix<Self>,
        places: &[usize],
    ) -> Result<Matrix<Self>, <Self as HasErr>::Err> {
        let ((count, width), out) = (shape(into), empty(self, shape(into))?);
        gpu::splice(engine()?, [at(into), at(rows)], places, at(&out), [count, width])?;
        Ok(out)
    }

    fn splice_backward(
        &self,
        places: &[usize],
        width: usize,
        g: &Buffer<Self>,
        g_into: &mut Buffer<Self>,
        g_rows: &mut Buffer<Self>,
    ) -> Result<(), <Self as HasErr>::Err> {
        let sizes = [Storage::<f32>::len(self, g) / width.max(1), width];
        gpu::splice_backward(engine()?, places, buffer_at(g), [buffer_at(g_into), buffer_at(g_rows)], sizes)
    }
}
