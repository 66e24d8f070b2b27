//! The backward pass: the attention weights are computed again, block by block, as in FlashAttention.

use super::cpu::{Head, Rotated, Scratch, BLOCK};
use super::rotary::rotate_back;
use super::{Heads, Layout};
use crate::kernels::exp::{padded, sum_pairs};
use crate::kernels::matmul::{multiply, Left, Panels, Write};
use crate::kernels::parallel::Shared;
use crate::kernels::simd::vectorised;
use rayon::prelude::*;

/// The memory of one task.
#[derive(Default)]
struct Work {
    forward: Scratch,
    /// Keys: depth = rows of the span, columns = a head's width.
    keys: Panels,
    /// Values: depth = a head's width, columns = rows of the span.
    values: Panels,
    /// One block of queries, or of the output's gradient: depth = rows of the block, columns = a head's
    /// width.
    block: Panels,
    g_scores: Vec<f32>,
    g_q: Vec<f32>,
    g_k: Vec<f32>,
    g_v: Vec<f32>,
}

/// Adds to the gradients of q, k and v.
pub(super) fn backward(kept: &Rotated, v: &[f32], layout: &Layout, g: &[f32], into: [&mut [f32]; 3]) {
    let heads = layout.heads;
    let into = into.map(Shared::new);
    (0..layout.spans.len() * heads.shared).into_par_iter().for_each_init(Work::default, |work, task| {
        let (span, shared) = (layout.spans[task / heads.shared].clone(), task % heads.shared);
        if span.is_empty() {
            return;
        }
        let (start, len, width) = (span.start, span.len(), heads.width);
        work.load(kept, v, heads, shared, start, len);
        for query in shared * heads.group()..(shared + 1) * heads.group() {
            let head = Head::new(query, heads.query, width);
            for first in (0..len).step_by(BLOCK) {
                let rows = (len - first).min(BLOCK);
                work.block(head, kept, g, start, first, rows);
                for (row, g_q) in (first..).zip(work.g_q.chunks_exact(width)) {
                    let (cos, sin) = layout.rotary.at(row);
                    // SAFETY: this task alone writes the rows of its span in its heads.
                    let to = unsafe { into[0].part((start + row) * head.step + head.offset, width) };
                    rotate_back(g_q, cos, sin, heads.scale(), to);
                }
            }
        }
        let head = Head::new(shared, heads.shared, width);
        for row in 0..len {
            let (cos, sin) = layout.rotary.at(row);
            let at = (start + row) * head.step + head.offset;
            // SAFETY: as above.
            let (to_k, to_v) = unsafe { (into[1].part(at, width), into[2].part(at, width)) };
            rotate_back(&work.g_k[row * width..][..width], cos, sin, 1.0, to_k);
            to_v.iter_mut().zip(&work.g_v[row * width..]).for_each(|(to, from)| *to += from);
        }
    });
}

impl Work {
    fn load(&mut self, kept: &Rotated, v: &[f32], heads: Heads, shared: usize, start: usize, len: usize) {
        let head = Head::new(shared, heads.shared, heads.width);
        self.forward.load(kept, v, heads, shared, start, len);
        self.keys.pack_rows(head.from(&kept.k, start), len, heads.width, head.step);
        self.values.pack_columns(head.from(v, start), heads.width, len, head.step);
        for sum in [&mut self.g_k, &mut self.g_v] {
            sum.clear();
            sum.resize(len * heads.width, 0.0);
        }
    }

    /// One block of query rows: its gradient in `g_q`, its share of those of keys and values added to theirs.
    fn block(&mut self, head: Head, kept: &Rotated, g: &[f32], start: usize, first: usize, rows: usize) {
        let (width, columns, at) = (head.width, first + rows, start + first);
        let step = padded(columns);
        self.forward.weights(head, &kept.q, at, first, rows);
        let g = head.from(g, at);
        self.g_scores.clear();
        self.g_scores.resize(rows * step, 0.0);
        let mut values = self.values.right();
        values.columns = columns;
        multiply(Left::rows(g, rows, head.step), values, &mut self.g_scores, step, Write::Set);
        // weightsᵀ · g
        self.block.pack_rows(g, rows, width, head.step);
        let weights = Left::columns(&self.forward.scores, columns, step);
        multiply(weights, self.block.right(), &mut self.g_v, width, Write::Add);
        softmax_backward(&self.forward.scores, &mut self.g_scores, step);
        self.g_q.resize(rows * width, 0.0);
        let keys = self.keys.right().shallow(columns);
        multiply(Left::rows(&self.g_scores, rows, step), keys, &mut self.g_q, width, Write::Set);
        self.block.pack_rows(head.from(&kept.q, at), rows, width, head.step);
        let g_scores = Left::columns(&self.g_scores, columns, step);
        multiply(g_scores, self.block.right(), &mut self.g_k, width, Write::Add);
    }
}

vectorised! {
    /// Gradients of weights to gradients of scores, in place. Where a row sees nothing its weight is 0, and
    /// so is this.
    fn softmax_backward(weights: &[f32], g: &mut [f32], step: usize) {
        for (weights, g) in weights.chunks_exact(step).zip(g.chunks_exact_mut(step)) {
            let mean = sum_pairs(weights, g, |w, g| w * g);
            g.iter_mut().zip(weights).for_each(|(g, w)| *g = w * (*g - mean));
        }
    }
}
