use super::{Drawn, SampleKernel};
use crate::kernels::exp::all_finite;
use crate::models::{draw, Sampling};
use crate::real::Real;
use crate::tensor::{shape, slice, Cpu, HasErr, Matrix};
use rayon::prelude::*;

impl SampleKernel for Cpu {
    fn draw(
        &self,
        logits: &Matrix<Self>,
        sampling: &Sampling,
        uniforms: &[f64],
    ) -> Result<Vec<Option<Drawn>>, <Self as HasErr>::Err> {
        let rows = uniforms.par_iter().zip(slice(logits).par_chunks_exact(shape(logits).1.max(1)));
        let drawn = |memory: &mut Vec<_>, (&uniform, logits): (&f64, &[f32])| {
            all_finite(logits).then(|| {
                let token = draw(memory, logits, sampling, uniform);
                Drawn { token, log_prob: f32::log_prob(logits, token as usize) }
            })
        };
        Ok(rows.with_min_len(8).map_init(Vec::new, drawn).collect())
    }
}
