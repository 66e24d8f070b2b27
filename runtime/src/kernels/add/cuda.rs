use super::{gpu, AddKernel};
use crate::kernels::gpu::cuda::{at, buffer_at, empty, engine};
use crate::tensor::{shape, Buffer, Cuda, HasErr, Matrix, Storage};

impl AddKernel for Cuda {
    fn add(
        &self,
        a: &Matrix<Self>,
        b: &Matrix<Self>,
        scale: f32,
    ) -> Result<Matrix<Self>, <Self as HasErr>::Err> {
        let ((rows, columns), out) = (shape(a), empty(self, shape(a))?);
        gpu::add(engine()?, [at(a), at(b)], scale, at(&out), rows * columns)?;
        Ok(out)
    }

    fn accumulate(
        &self,
        into: &mut Buffer<Self>,
        from: &Buffer<Self>,
        scale: f32,
    ) -> Result<(), <Self as HasErr>::Err> {
        gpu::accumulate(engine()?, buffer_at(into), buffer_at(from), scale, Storage::<f32>::len(self, into))
    }
}
