use super::{gpu, SwigluKernel};
use crate::kernels::gpu::cuda::{at, buffer_at, empty, engine};
use crate::tensor::{shape, Buffer, Cuda, HasErr, Matrix};

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
        g_gate: &mut Buffer<Self>,
        g_up: &mut Buffer<Self>,
    ) -> Result<(), <Self as HasErr>::Err> {
        let (rows, columns) = shape(gate);
        let (given, to) = ([at(gate), at(up), buffer_at(g)], [buffer_at(g_gate), buffer_at(g_up)]);
        gpu::swiglu_backward(engine()?, given, to, rows * columns)
    }
}
