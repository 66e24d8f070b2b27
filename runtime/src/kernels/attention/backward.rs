//! The backward pass: the attention weights are computed again, block by block, as in FlashAttention.

use super::cpu::{Head, Rotated, Scratch, Seen, BLOCK};
use super::rotary::rotate_back;
use super::{Heads, Layout, Sight, Span};
use crate::kernels::exp::{padded, sum_pairs};
use crate::kernels::matmul::{multiply, Left, Panels, Write};
use crate::kernels::parallel::Shared;
use crate::kernels::simd::vectorised;
use rayon::prelude::*;

/// The memory of one task.
#[derive(Default)]
struct Work {
    forward: Scratch,
    seen: Seen,
    /// Keys: depth = rows that are seen, columns = a head's width.
    keys: Panels,
    /// Values: depth = a head's width, columns = rows that are seen.
    values: Panels,
    /// One block of queries, or of the output's gradient: depth = rows of the block, columns = a head's
    /// width.
    block: Panels,
    g_scores: Vec<f32>,
    g_q: Vec<f32>,
    g_k: Vec<f32>,
    g_v: Vec<f32>,
    /// Of the sequence that other spans stand after: theirs and its own, of keys and of values.
    before: [Vec<f32>; 2],
}

/// Adds to the gradients of q, k and v. A task is one key-and-value head of a sequence and all that stands after it.
pub(super) fn backward(kept: &Rotated, v: &[f32], layout: &Layout, g: &[f32], into: [&mut [f32]; 3]) {
    let heads = layout.heads;
    let into = into.map(Shared::new);
    let families: Vec<&[Span]> = layout.spans.chunk_by(|_, next| !next.after.is_empty()).collect();
    (0..families.len() * heads.shared).into_par_iter().for_each_init(Work::default, |work, task| {
        let (family, shared) = (families[task / heads.shared], task % heads.shared);
        let (head, width) = (Head::new(shared, heads.shared, heads.width), heads.width);
        // SAFETY of the parts below: this task alone writes the rows of its spans in its heads
        let write = |[g_k, g_v]: [&[f32]; 2], span: &Span| {
            let sums = g_k.chunks_exact(width).zip(g_v.chunks_exact(width));
            for ((row, position), (g_k, g_v)) in span.rows.clone().zip(span.positions()).zip(sums) {
                let (cos, sin) = layout.rotary.at(position);
                let at = row * head.step + head.offset;
                // SAFETY: as above.
                let (to_k, to_v) = unsafe { (into[1].part(at, width), into[2].part(at, width)) };
                rotate_back(g_k, cos, sin, 1.0, to_k);
                to_v.iter_mut().zip(g_v).for_each(|(to, from)| *to += from);
            }
        };
        for span in family {
            if span.rows.is_empty() && span.after.is_empty() {
                continue;
            }
            work.load(kept, v, heads, shared, span);
            for query in shared * heads.group()..(shared + 1) * heads.group() {
                let head = Head::new(query, heads.query, width);
                for first in (0..span.rows.len()).step_by(BLOCK) {
                    let rows = (span.rows.len() - first).min(BLOCK);
                    let (at, position) = (span.rows.start + first, span.after.len() + first);
                    work.block(head, kept, g, at, rows, layout.sight(span, position, rows));
                    for (i, g_q) in work.g_q.chunks_exact(width).enumerate() {
                        let (cos, sin) = layout.rotary.at(position + i);
                        // SAFETY: as above.
                        let to = unsafe { into[0].part((at + i) * head.step + head.offset, width) };
                        rotate_back(g_q, cos, sin, heads.scale(), to);
                    }
                }
            }
            work.settle(span, width);
            if !span.after.is_empty() {
                let own = span.after.len() * width;
                write([&work.g_k[own..], &work.g_v[own..]], span);
            }
        }
        if let Some(first) = family.first() {
            write([&work.before[0], &work.before[1]], first);
        }
    });
}

impl Work {
    fn load(&mut self, kept: &Rotated, v: &[f32], heads: Heads, shared: usize, span: &Span) {
        let (head, seen) = (Head::new(shared, heads.shared, heads.width), span.positions().end);
        self.forward.load(kept, v, heads, shared, span);
        let (keys, step) = self.seen.keys(head, kept.k(), span);
        self.keys.pack_rows(keys, seen, heads.width, step);
        let (values, step) = self.seen.values(head, v, span);
        self.values.pack_columns(values, heads.width, seen, step);
        for sum in [&mut self.g_k, &mut self.g_v] {
            sum.clear();
            sum.resize(seen * heads.width, 0.0);
        }
    }

    /// Keeps what a sequence has of its own, or adds to it what a span gives that stands after it.
    fn settle(&mut self, span: &Span, width: usize) {
        let count = if span.after.is_empty() { span.rows.len() } else { span.after.len() } * width;
        for (before, sum) in self.before.iter_mut().zip([&self.g_k, &self.g_v]) {
            if span.after.is_empty() {
                before.clear();
                before.extend_from_slice(&sum[..count]);
            } else {
                before.iter_mut().zip(&sum[..count]).for_each(|(to, from)| *to += from);
            }
        }
    }

    /// One block of query rows, from row `at` of the batch on: its gradient in `g_q`, its share of those of keys and
    /// values added to theirs.
    fn block(&mut self, head: Head, kept: &Rotated, g: &[f32], at: usize, rows: usize, sight: Sight) {
        let (width, columns) = (head.width, sight.columns);
        let step = padded(columns);
        self.forward.weights(head, &kept.q, at, rows, sight);
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
