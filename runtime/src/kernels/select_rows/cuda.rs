use super::{gpu, SelectKernel};
use crate::kernels::gpu::cuda::{at, buffer_at, empty, engine};
use crate::tensor::{shape, Buffer, Cuda, HasErr, Matrix};

impl SelectKernel for Cuda {
    fn select(&self, x: &Matrix<Self>, rows: &[usize]) -> Result<Matrix<Self>, <Self as HasErr>::Err> {
        let width = shape(x).1;
        let out = empty(self, (rows.len(), width))?;
        gpu::select(engine()?, at(x), rows, at(&out), width)?;
        Ok(out)
    }

    fn select_backward(
        &self,
        rows: &[usize],
        width: usize,
        g: &Buffer<Self>,
        g_x: &mut Buffer<Self>,
    ) -> Result<(), <Self as HasErr>::Err> {
        gpu::select_backward(engine()?, rows, width, buffer_at(g), buffer_at(g_x))
    }
}
