use super::RmsNormKernel;
use crate::kernels::add::increase;
use crate::kernels::exp::sum_pairs;
use crate::kernels::parallel::{self, rows_per_piece};
use crate::kernels::simd::vectorised;
use crate::tensor::{cpu_matrix, shape, slice, Buffer, Cpu, HasErr, Matrix};
use rayon::prelude::*;
use std::mem::MaybeUninit;

impl RmsNormKernel for Cpu {
    fn rms_norm(
        &self,
        x: &Matrix<Self>,
        weight: &Matrix<Self>,
        epsilon: f32,
    ) -> Result<Matrix<Self>, <Self as HasErr>::Err> {
        let ((rows, columns), x, weight) = (shape(x), slice(x), slice(weight));
        let piece = rows_per_piece(weight.len()) * weight.len();
        // SAFETY: `forward` writes as many values as it is given.
        let out = unsafe {
            parallel::build(x.len(), piece, |start, out| {
                forward(&x[start..][..out.len()], weight, epsilon, out);
            })
        };
        cpu_matrix(self, rows, columns, out)
    }

    fn rms_norm_backward(
        &self,
        x: &Matrix<Self>,
        weight: &Matrix<Self>,
        epsilon: f32,
        g: &Buffer<Self>,
        g_x: &mut Buffer<Self>,
        g_weight: &mut Buffer<Self>,
    ) -> Result<(), <Self as HasErr>::Err> {
        let (x, weight) = (slice(x), slice(weight));
        let piece = rows_per_piece(weight.len()) * weight.len();
        let work = |(g_x, (x, g)): (&mut [f32], (&[f32], &[f32]))| {
            let mut part = vec![0.0; weight.len()];
            backward(x, weight, epsilon, g, g_x, &mut part);
            part
        };
        // each piece sums its own share of the weight's gradient; the shares are added in order
        let pieces = g_x.par_chunks_mut(piece).zip(x.par_chunks(piece).zip(g.par_chunks(piece)));
        let parts: Vec<_> = pieces.map(work).collect();
        parts.iter().for_each(|part| increase(g_weight, part));
        Ok(())
    }
}

#[inline(always)]
fn scale(x: &[f32], epsilon: f32) -> f32 {
    1.0 / (sum_pairs(x, x, |a, b| a * b) / x.len() as f32 + epsilon).sqrt()
}

vectorised! {
    fn forward(x: &[f32], weight: &[f32], epsilon: f32, out: &mut [MaybeUninit<f32>]) {
        for (x, out) in x.chunks_exact(weight.len()).zip(out.chunks_exact_mut(weight.len())) {
            let scale = scale(x, epsilon);
            for ((out, x), w) in out.iter_mut().zip(x).zip(weight) {
                out.write(x * scale * w);
            }
        }
    }

    fn backward(x: &[f32], weight: &[f32], epsilon: f32, g: &[f32], g_x: &mut [f32], g_weight: &mut [f32]) {
        let width = weight.len();
        let mut weighted = vec![0.0f32; width];
        let rows = x.chunks_exact(width).zip(g.chunks_exact(width)).zip(g_x.chunks_exact_mut(width));
        for ((x, g), g_x) in rows {
            let scale = scale(x, epsilon);
            for ((wg, g), w) in weighted.iter_mut().zip(g).zip(weight) {
                *wg = g * w;
            }
            let along = sum_pairs(&weighted, x, |a, b| a * b) * scale * scale * scale / width as f32;
            for ((g_x, x), wg) in g_x.iter_mut().zip(x).zip(&weighted) {
                *g_x += wg * scale - x * along;
            }
            for ((g_weight, x), g) in g_weight.iter_mut().zip(x).zip(g) {
                *g_weight += g * x * scale;
            }
        }
    }
}
