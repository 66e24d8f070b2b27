use super::{gpu, GeluKernel};
use crate::kernels::gpu::cuda::{at, buffer_at, empty, engine};
use crate::tensor::{shape, Buffer, Cuda, HasErr, Host, Matrix, Storage};

impl GeluKernel for Cuda {
    fn gelu(&self, x: &Matrix<Self>) -> Result<Matrix<Self>, <Self as HasErr>::Err> {
        let ((rows, columns), out) = (shape(x), empty(self, shape(x))?);
        gpu::gelu(engine()?, at(x), at(&out), rows * columns)?;
        Ok(out)
    }

    fn gelu_backward(
        &self,
        x: &Matrix<Self>,
        g: &Buffer<Self>,
    ) -> Result<Buffer<Self>, <Self as HasErr>::Err> {
        let count = Storage::<f32>::len(self, g);
        let made = self.zeroed(count)?;
        gpu::gelu_backward(engine()?, [at(x), buffer_at(g)], buffer_at(&made), count)?;
        Ok(made)
    }
}
