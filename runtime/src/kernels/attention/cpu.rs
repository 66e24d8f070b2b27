//! The forward pass. A task is one key-and-value head of one span; within it, blocks of query rows, so
//! that scores take block times length and not length times length.

use super::rotary::rotate_fresh;
use super::{AttentionKernel, Heads, Layout, Sight, Span};
use crate::kernels::exp::{padded, softmax_row};
use crate::kernels::matmul::{multiply, multiply_raw, Left, Panels, Right, Write};
use crate::kernels::parallel::{self, rows_per_piece, Shared};
use crate::kernels::simd::vectorised;
use crate::tensor::{cpu_matrix, slice, Buffer, Cpu, HasErr, Matrix};
use rayon::prelude::*;

/// Query rows of one block: whole tiles of a product's, whichever the instruction set.
pub(super) const BLOCK: usize = 48;

/// One head among those of a row: values `offset..offset + width` of a row of `step` values.
#[derive(Clone, Copy)]
pub(crate) struct Head {
    pub step: usize,
    pub offset: usize,
    pub width: usize,
}

impl Head {
    /// Head `index` of `count`.
    pub fn new(index: usize, count: usize, width: usize) -> Self {
        Self { step: count * width, offset: index * width, width }
    }

    /// From the first value of `row` on.
    pub fn from<'a>(&self, values: &'a [f32], row: usize) -> &'a [f32] {
        &values[row * self.step + self.offset..]
    }
}

/// The rotated queries (scaled by 1 / sqrt(width) as well) and keys.
pub struct Rotated {
    pub(super) q: Vec<f32>,
    k: Keys,
}

enum Keys {
    Turned(Vec<f32>),
    /// Where nothing turns.
    Given(Matrix<Cpu>),
}

impl Rotated {
    pub(super) fn k(&self) -> &[f32] {
        match &self.k {
            Keys::Turned(keys) => keys,
            Keys::Given(keys) => slice(keys),
        }
    }
}

impl AttentionKernel for Cpu {
    type Kept = Rotated;

    fn attention(
        &self,
        q: &Matrix<Self>,
        k: &Matrix<Self>,
        v: &Matrix<Self>,
        layout: &Layout,
    ) -> Result<(Matrix<Self>, Rotated), <Self as HasErr>::Err> {
        let heads = layout.heads;
        let kept = Rotated {
            q: rotate_heads(slice(q), heads.query * heads.width, layout, heads.scale()),
            k: match layout.rotary.turns() {
                true => Keys::Turned(rotate_heads(slice(k), heads.shared * heads.width, layout, 1.0)),
                false => Keys::Given(k.clone()),
            },
        };
        let (v, len) = (slice(v), kept.q.len());
        let mut out = Vec::with_capacity(len);
        let target = Shared::new(&mut out.spare_capacity_mut()[..len]);
        (0..layout.spans.len() * heads.shared).into_par_iter().for_each_init(
            Scratch::default,
            |scratch, task| {
                let (span, shared) = (layout.spans[task / heads.shared].clone(), task % heads.shared);
                scratch.load(&kept, v, heads, shared, &span);
                for query in shared * heads.group()..(shared + 1) * heads.group() {
                    let head = Head::new(query, heads.query, heads.width);
                    for first in (0..span.rows.len()).step_by(BLOCK) {
                        let rows = (span.rows.len() - first).min(BLOCK);
                        let (at, position) = (span.rows.start + first, span.after.len() + first);
                        let sight = layout.sight(&span, position, rows);
                        scratch.weights(head, &kept.q, at, rows, sight);
                        let weights = Left::rows(&scratch.scores, rows, padded(sight.columns));
                        let right = scratch.values.right().shallow(sight.columns);
                        let to = target.at(at * head.step + head.offset).cast();
                        // SAFETY: this task alone writes these rows of this head, inside `out`.
                        unsafe { multiply_raw(weights, right, to, head.step, Write::Set) };
                    }
                }
            },
        );
        // SAFETY: the spans cover all rows without a gap, the heads each row.
        unsafe { out.set_len(len) };
        let rows = layout.spans.last().map_or(0, |span| span.rows.end);
        Ok((cpu_matrix(self, rows, heads.query * heads.width, out)?, kept))
    }

    fn attention_backward(
        &self,
        kept: &Rotated,
        v: &Matrix<Self>,
        layout: &Layout,
        g: &Buffer<Self>,
        into: [&mut Buffer<Self>; 3],
    ) -> Result<(), <Self as HasErr>::Err> {
        super::backward::backward(kept, slice(v), layout, g, into.map(|buffer| &mut buffer[..]));
        Ok(())
    }
}

/// Every row of `x`, `width` wide, rotated to its position in its span and scaled.
pub(crate) fn rotate_heads(x: &[f32], width: usize, layout: &Layout, scale: f32) -> Vec<f32> {
    let positions: Vec<usize> = layout.spans.iter().flat_map(Span::positions).collect();
    let piece = rows_per_piece(width) * width.max(1);
    // SAFETY: `rotate_fresh` writes each row whole.
    unsafe {
        parallel::build(x.len(), piece, |start, out| {
            let rows = out.chunks_exact_mut(width).zip(x[start..].chunks_exact(width));
            for ((to, from), &position) in rows.zip(&positions[start / width..]) {
                let (cos, sin) = layout.rotary.at(position);
                rotate_fresh(from, cos, sin, scale, to);
            }
        })
    }
}

/// One head's rows of a span and of what it stands after, side by side where they do not lie so.
#[derive(Default)]
pub(super) struct Seen {
    keys: Vec<f32>,
    values: Vec<f32>,
}

impl Seen {
    /// Of keys: from the first value on, and how far rows lie apart.
    pub fn keys<'a>(&'a mut self, head: Head, from: &'a [f32], span: &Span) -> (&'a [f32], usize) {
        gathered(&mut self.keys, head, from, span)
    }

    /// Of values, likewise.
    pub fn values<'a>(&'a mut self, head: Head, from: &'a [f32], span: &Span) -> (&'a [f32], usize) {
        gathered(&mut self.values, head, from, span)
    }
}

fn gathered<'a>(memory: &'a mut Vec<f32>, head: Head, from: &'a [f32], span: &Span) -> (&'a [f32], usize) {
    if span.after.is_empty() {
        return (head.from(from, span.rows.start), head.step);
    }
    memory.clear();
    for row in span.after.clone().chain(span.rows.clone()) {
        memory.extend_from_slice(&head.from(from, row)[..head.width]);
    }
    (memory, head.width)
}

/// The memory of one task.
#[derive(Default)]
pub(super) struct Scratch {
    seen: Seen,
    /// Keys of the span: depth = a head's width, columns = rows of the span.
    pub keys: Panels,
    /// Values of the span: depth = rows of the span, columns = a head's width.
    pub values: Panels,
    /// Scores of one block, then attention weights.
    pub scores: Vec<f32>,
}

impl Scratch {
    /// Packs keys and values of head `shared` for all that the rows of `span` may see.
    pub fn load(&mut self, kept: &Rotated, v: &[f32], heads: Heads, shared: usize, span: &Span) {
        let (head, seen) = (Head::new(shared, heads.shared, heads.width), span.positions().end);
        if seen > 0 {
            let (keys, step) = self.seen.keys(head, kept.k(), span);
            self.keys.pack_columns(keys, heads.width, seen, step);
            let (values, step) = self.seen.values(head, v, span);
            self.values.pack_rows(values, seen, heads.width, step);
        }
    }

    /// Computes the attention weights of `rows` query rows from row `start` of the batch, which see what `sight` says.
    /// Rows of weights lie [`padded`]`(sight.columns)` apart.
    pub fn weights(&mut self, head: Head, q: &[f32], start: usize, rows: usize, sight: Sight) {
        let columns = sight.columns;
        let step = padded(columns);
        self.scores.resize(rows * step, 0.0);
        let keys = Right { columns, ..self.keys.right() };
        multiply(Left::rows(head.from(q, start), rows, head.step), keys, &mut self.scores, step, Write::Set);
        block_softmax(&mut self.scores, step, sight);
    }
}

vectorised! {
    /// Softmax of the scores that row i sees, zeros after them.
    fn block_softmax(scores: &mut [f32], step: usize, sight: Sight) {
        for (row, scores) in scores.chunks_exact_mut(step).enumerate() {
            softmax_row(scores, sight.first + row * sight.more);
        }
    }
}
