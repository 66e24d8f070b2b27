use super::{gpu, AttentionKernel, Layout};
use crate::kernels::gpu::cuda::{at, buffer_at, empty, engine, Block};
use crate::tensor::{shape, Buffer, Cuda, HasErr, Matrix};

/// What the kernels keep, and the output, which the way back needs again.
pub struct Kept(gpu::Rotated<Block>, Matrix<Cuda>);

impl AttentionKernel for Cuda {
    type Kept = Kept;

    fn widest_head(&self) -> Option<usize> {
        crate::kernels::gpu::WIDTHS.last().copied()
    }

    fn attention(
        &self,
        q: &Matrix<Self>,
        k: &Matrix<Self>,
        v: &Matrix<Self>,
        layout: &Layout,
    ) -> Result<(Matrix<Self>, Kept), <Self as HasErr>::Err> {
        let out = empty(self, shape(q))?;
        let kept = gpu::attention(engine()?, [at(q), at(k), at(v)], layout, at(&out))?;
        Ok((out.clone(), Kept(kept, out)))
    }

    fn attention_backward(
        &self,
        Kept(kept, out): &Kept,
        v: &Matrix<Self>,
        layout: &Layout,
        g: &Buffer<Self>,
        into: [&mut Buffer<Self>; 3],
    ) -> Result<(), <Self as HasErr>::Err> {
        let given = [at(v), at(out), buffer_at(g)];
        gpu::attention_backward(engine()?, kept, given, layout, into.map(|buffer| buffer_at(buffer)))
    }
}
