use super::{AdamWKernel, Rates};
use crate::kernels::exp::all_finite;
use crate::kernels::parallel::{self, Shared, PIECE};
use crate::kernels::simd::vectorised;
use crate::tensor::{slice, slice_mut, Buffer, Cpu, HasErr, Matrix};
use rayon::prelude::*;

impl AdamWKernel for Cpu {
    fn adamw(
        &self,
        parameter: &mut Matrix<Self>,
        g: &Buffer<Self>,
        first: &mut Matrix<Self>,
        second: &mut Matrix<Self>,
        rates: &Rates,
    ) -> Result<(), <Self as HasErr>::Err> {
        let (first, second) = (Shared::new(slice_mut(first)), Shared::new(slice_mut(second)));
        parallel::each_piece(slice_mut(parameter), PIECE, |start, p| {
            // SAFETY: a piece has the same values of both moments to itself.
            let (m, v) = unsafe { (first.part(start, p.len()), second.part(start, p.len())) };
            step(p, &g[start..][..p.len()], m, v, rates);
        });
        Ok(())
    }

    fn sum_squares(&self, g: &Buffer<Self>) -> Result<f64, <Self as HasErr>::Err> {
        let parts: Vec<f64> = g.par_chunks(PIECE).map(squares).collect();
        Ok(parts.iter().sum())
    }

    fn is_finite(&self, parameter: &Matrix<Self>) -> Result<bool, <Self as HasErr>::Err> {
        Ok(slice(parameter).par_chunks(PIECE).all(all_finite))
    }
}

vectorised! {
    fn step(p: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32], rates: &Rates) {
        let r = *rates;
        for (((p, g), m), v) in p.iter_mut().zip(g).zip(m).zip(v) {
            let g = g * r.scale;
            *m = r.beta1 * *m + r.rest1 * g;
            *v = r.beta2 * *v + r.rest2 * g * g;
            *p = *p * r.keep - r.rate * *m / (v.sqrt() * r.root + r.eps);
        }
    }

    fn squares(values: &[f32]) -> f64 {
        let mut lanes = [0.0f64; 16];
        let chunks = values.chunks_exact(16);
        let rest = chunks.remainder();
        for chunk in chunks {
            for (lane, &v) in lanes.iter_mut().zip(chunk) {
                *lane += f64::from(v) * f64::from(v);
            }
        }
        lanes.iter().sum::<f64>() + rest.iter().map(|&v| f64::from(v) * f64::from(v)).sum::<f64>()
    }
}
