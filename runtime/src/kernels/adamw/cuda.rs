use super::{gpu, AdamWKernel, Rates};
use crate::kernels::gpu::cuda::{at, buffer_at, engine};
use crate::tensor::{shape, Buffer, Cuda, HasErr, Matrix, Storage};

impl AdamWKernel for Cuda {
    /// In place: what learns has its memory to itself when it is updated.
    fn adamw(
        &self,
        parameter: &mut Matrix<Self>,
        g: &Buffer<Self>,
        first: &mut Matrix<Self>,
        second: &mut Matrix<Self>,
        rates: &Rates,
    ) -> Result<(), <Self as HasErr>::Err> {
        let (rows, columns) = shape(parameter);
        let all = [at(parameter), buffer_at(g), at(first), at(second)];
        gpu::adamw(engine()?, all, rates, rows * columns)
    }

    fn sum_squares(&self, g: &Buffer<Self>) -> Result<f64, <Self as HasErr>::Err> {
        gpu::sum_squares(engine()?, buffer_at(g), Storage::<f32>::len(self, g))
    }

    fn is_finite(&self, parameter: &Matrix<Self>) -> Result<bool, <Self as HasErr>::Err> {
        let (rows, columns) = shape(parameter);
        gpu::is_finite(engine()?, at(parameter), rows * columns)
    }
}
