use super::AddKernel;
use crate::kernels::parallel::{self, PIECE};
use crate::kernels::simd::vectorised;
use crate::tensor::{cpu_matrix, shape, slice, Buffer, Cpu, HasErr, Matrix};
use std::mem::MaybeUninit;

impl AddKernel for Cpu {
    fn add(
        &self,
        a: &Matrix<Self>,
        b: &Matrix<Self>,
        scale: f32,
    ) -> Result<Matrix<Self>, <Self as HasErr>::Err> {
        let ((rows, columns), a, b) = (shape(a), slice(a), slice(b));
        // SAFETY: `sum` writes as many values as it is given.
        let out = unsafe {
            parallel::build(a.len(), PIECE, |start, out| {
                let end = start + out.len();
                sum(out, &a[start..end], &b[start..end], scale);
            })
        };
        cpu_matrix(self, rows, columns, out)
    }

    fn accumulate(
        &self,
        into: &mut Buffer<Self>,
        from: &Buffer<Self>,
        scale: f32,
    ) -> Result<(), <Self as HasErr>::Err> {
        parallel::each_piece(into, PIECE, |start, into| {
            increase_by(into, &from[start..][..into.len()], scale);
        });
        Ok(())
    }
}

vectorised! {
    fn sum(out: &mut [MaybeUninit<f32>], a: &[f32], b: &[f32], scale: f32) {
        for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
            out.write(a + scale * b);
        }
    }

    fn increase_by(into: &mut [f32], from: &[f32], scale: f32) {
        for (into, from) in into.iter_mut().zip(from) {
            *into += scale * from;
        }
    }

    /// Adds `from` to `into`.
    pub(crate) fn increase(into: &mut [f32], from: &[f32]) {
        for (into, from) in into.iter_mut().zip(from) {
            *into += from;
        }
    }
}
