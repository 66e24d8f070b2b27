use super::LayerNormKernel;
use crate::kernels::add::increase;
use crate::kernels::exp::sum_pairs;
use crate::kernels::parallel::{self, rows_per_piece};
use crate::kernels::simd::vectorised;
use crate::tensor::{cpu_matrix, shape, slice, Buffer, Cpu, HasErr, Matrix};
use rayon::prelude::*;
use std::mem::MaybeUninit;

impl LayerNormKernel for Cpu {
    fn layer_norm(
        &self,
        x: &Matrix<Self>,
        weight: &Matrix<Self>,
        bias: &Matrix<Self>,
        epsilon: f32,
    ) -> Result<Matrix<Self>, <Self as HasErr>::Err> {
        let ((rows, width), x, weight, bias) = (shape(x), slice(x), slice(weight), slice(bias));
        // SAFETY: `forward` writes as many values as it is given.
        let out = unsafe {
            parallel::build(x.len(), rows_per_piece(width) * width, |start, out| {
                forward(&x[start..][..out.len()], weight, bias, epsilon, out);
            })
        };
        cpu_matrix(self, rows, width, out)
    }

    fn layer_norm_backward(
        &self,
        x: &Matrix<Self>,
        weight: &Matrix<Self>,
        epsilon: f32,
        g: &Buffer<Self>,
        [g_x, g_weight, g_bias]: [&mut Buffer<Self>; 3],
    ) -> Result<(), <Self as HasErr>::Err> {
        let (x, weight) = (slice(x), slice(weight));
        let piece = rows_per_piece(weight.len()) * weight.len();
        let work = |(g_x, (x, g)): (&mut [f32], (&[f32], &[f32]))| {
            let mut parts = [vec![0.0; weight.len()], vec![0.0; weight.len()]];
            let [of_weight, of_bias] = &mut parts;
            backward(x, weight, epsilon, g, g_x, [of_weight, of_bias]);
            parts
        };
        // each piece sums its own share of the weight's and the bias's gradient; the shares are added in order
        let pieces = g_x.par_chunks_mut(piece).zip(x.par_chunks(piece).zip(g.par_chunks(piece)));
        let parts: Vec<_> = pieces.map(work).collect();
        for [of_weight, of_bias] in &parts {
            increase(g_weight, of_weight);
            increase(g_bias, of_bias);
        }
        Ok(())
    }
}

/// The mean of a row, and one over its deviation.
#[inline(always)]
fn moments(x: &[f32], epsilon: f32) -> (f32, f32) {
    let mean = sum_pairs(x, x, |a, _| a) / x.len() as f32;
    let variance = sum_pairs(x, x, |a, _| (a - mean) * (a - mean)) / x.len() as f32;
    (mean, 1.0 / (variance + epsilon).sqrt())
}

vectorised! {
    fn forward(x: &[f32], weight: &[f32], bias: &[f32], epsilon: f32, out: &mut [MaybeUninit<f32>]) {
        for (x, out) in x.chunks_exact(weight.len()).zip(out.chunks_exact_mut(weight.len())) {
            let (mean, scale) = moments(x, epsilon);
            for ((out, x), (w, b)) in out.iter_mut().zip(x).zip(weight.iter().zip(bias)) {
                out.write((x - mean) * scale * w + b);
            }
        }
    }

    fn backward(x: &[f32], weight: &[f32], epsilon: f32, g: &[f32], g_x: &mut [f32], own: [&mut [f32]; 2]) {
        let [g_weight, g_bias] = own;
        let width = weight.len();
        let (mut even, mut weighted) = (vec![0.0f32; width], vec![0.0f32; width]);
        let rows = x.chunks_exact(width).zip(g.chunks_exact(width)).zip(g_x.chunks_exact_mut(width));
        for ((x, g), g_x) in rows {
            let (mean, scale) = moments(x, epsilon);
            for ((even, weighted), ((x, g), w)) in
                even.iter_mut().zip(weighted.iter_mut()).zip(x.iter().zip(g).zip(weight))
            {
                *even = (x - mean) * scale;
                *weighted = g * w;
            }
            let level = sum_pairs(&weighted, &weighted, |a, _| a) / width as f32;
            let along = sum_pairs(&weighted, &even, |a, b| a * b) / width as f32;
            for ((g_x, even), weighted) in g_x.iter_mut().zip(&even).zip(&weighted) {
                *g_x += (weighted - level - even * along) * scale;
            }
            for (((g_weight, g_bias), even), g) in
                g_weight.iter_mut().zip(g_bias.iter_mut()).zip(&even).zip(g)
            {
                *g_weight += g * even;
                *g_bias += g;
            }
        }
    }
}
