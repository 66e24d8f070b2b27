use super::GeluKernel;
use crate::kernels::exp::exp;
use crate::kernels::parallel::{self, PIECE};
use crate::kernels::simd::vectorised;
use crate::tensor::{cpu_buffer, cpu_matrix, shape, slice, Buffer, Cpu, HasErr, Matrix};
use std::mem::MaybeUninit;

/// 2 sqrt(2 / π): half of 1 + tanh(u) is the logistic function of 2u.
const RATE: f32 = 1.595_769_2;
const CUBE: f32 = 0.044_715;

impl GeluKernel for Cpu {
    fn gelu(&self, x: &Matrix<Self>) -> Result<Matrix<Self>, <Self as HasErr>::Err> {
        let ((rows, columns), x) = (shape(x), slice(x));
        // SAFETY: `forward` writes as many values as it is given.
        let out = unsafe {
            parallel::build(x.len(), PIECE, |start, out| forward(out, &x[start..start + out.len()]))
        };
        cpu_matrix(self, rows, columns, out)
    }

    fn gelu_backward(
        &self,
        x: &Matrix<Self>,
        g: &Buffer<Self>,
    ) -> Result<Buffer<Self>, <Self as HasErr>::Err> {
        let x = slice(x);
        // SAFETY: `backward` writes as many values as it is given.
        let g_x = unsafe {
            parallel::build(x.len(), PIECE, |start, g_x| {
                let end = start + g_x.len();
                backward(&x[start..end], &g[start..end], g_x);
            })
        };
        cpu_buffer(self, g_x)
    }
}

vectorised! {
    fn forward(out: &mut [MaybeUninit<f32>], x: &[f32]) {
        for (out, &x) in out.iter_mut().zip(x) {
            out.write(x / (1.0 + exp(-RATE * (x + CUBE * x * x * x))));
        }
    }

    fn backward(x: &[f32], g: &[f32], g_x: &mut [MaybeUninit<f32>]) {
        for ((g_x, &x), g) in g_x.iter_mut().zip(x).zip(g) {
            let open = 1.0 / (1.0 + exp(-RATE * (x + CUBE * x * x * x)));
            g_x.write(g * (open + x * open * (1.0 - open) * RATE * (1.0 + 3.0 * CUBE * x * x)));
        }
    }
}
