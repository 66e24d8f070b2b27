use super::{gpu, SwigluKernel};
use crate::kernels::gpu::cuda::{at, buffer_at, empty, engine};
use crate::tensor::{shape, Buffer, Cuda, HasErr, Host, Matrix, Storage};

impl SwigluKernel for Cuda {
    fn swiglu(&self, gate: &Matrix<Self>, up: &Matrix<Self>) -> Result<Matrix<Self>, <Self as HasErr>::Err> {
        let ((rows, columns), out) = (shape(gate), empty(self, shape(gate))?);
        gpu::swiglu(engine()?, [at(gate), at(up)], at(&out), rows * columns)?;
        Ok(out)
    }

    fn swiglu_backward(
        &self,
        gate: &Matrix<Self>,
        up: &Matrix<Self>,
        g: &Buffer<Self>,
    ) -> Result<[Buffer<Self>; 2], <Self as HasErr>::Err> {
        let count = Storage::<f32>::len(self, g);
        let made = [self.zeroed(count)?, self.zeroed(count)?];
        let given = [at(gate), at(up), buffer_at(g)];
        gpu::swiglu_backward(engine()?, given, made.each_ref().map(buffer_at), count)?;
        Ok(made)
    }
}
