//! Rotary positions and attention within each sequence of a packed batch, causal or not, with grouped queries.

mod backward;
mod cpu;
#[cfg(feature = "cuda")]
mod cuda;
#[cfg(any(test, feature = "cuda"))]
pub(crate) mod gpu;
mod rotary;
#[cfg(test)]
mod tests;

pub(crate) use cpu::{rotate_heads, Head};
#[cfg(any(test, feature = "cuda"))]
pub(crate) use gpu::{rotate as rotate_on, turns as turns_on, Turns};
pub(crate) use rotary::rotate;
pub use rotary::{Rates, Rotary};

use super::misfit;
use crate::error::Result;
use crate::tensor::{self, failed, Buffer, Device, Matrix, Slot, Storage, Tape};
use std::ops::Range;
use std::sync::Arc;

/// How many heads there are, and how wide each is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heads {
    /// Query heads; a multiple of `shared`.
    pub query: usize,
    /// Key and value heads, each shared by `query / shared` query heads in a row.
    pub shared: usize,
    /// Values a head; even.
    pub width: usize,
}

impl Heads {
    /// Query heads to each key and value head.
    pub fn group(&self) -> usize {
        self.query / self.shared
    }

    /// What the products of queries and keys are multiplied by: 1 / sqrt(width).
    pub fn scale(&self) -> f32 {
        1.0 / (self.width as f32).sqrt()
    }
}

/// Rows that follow each other. Each attends to itself, to those before it, and to all rows of `after`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The rows of an earlier span, which stand before these; none where a sequence begins.
    pub after: Range<usize>,
    /// The rows.
    pub rows: Range<usize>,
}

impl Span {
    /// A sequence of its own.
    pub fn alone(rows: Range<usize>) -> Self {
        Self { after: rows.start..rows.start, rows }
    }

    /// The positions of its rows.
    pub fn positions(&self) -> Range<usize> {
        self.after.len()..self.after.len() + self.rows.len()
    }
}

/// Where the sequences of a packed batch lie: spans that follow each other, in order, without a gap. What a span stands
/// after is the last sequence of its own before it, whole.
pub type Spans = Arc<[Span]>;

/// What attention needs to know besides its inputs.
#[derive(Clone, Debug)]
pub struct Layout {
    /// The heads.
    pub heads: Heads,
    /// The sequences.
    pub spans: Spans,
    /// Sines and cosines, for positions as far as the longest span.
    pub rotary: Arc<Rotary>,
    /// Whether a row sees only itself and what stands before it; otherwise it sees its whole span, as the patches of an
    /// image do.
    pub causal: bool,
}

impl Layout {
    /// What a block of `rows` query rows sees, from position `first` of `span` on.
    fn sight(&self, span: &Span, first: usize, rows: usize) -> Sight {
        let all = span.positions().end;
        match self.causal {
            true => Sight { first: first + 1, more: 1, columns: first + rows },
            false => Sight { first: all, more: 0, columns: all },
        }
    }
}

/// How many rows of its span, from the first on, each row of a block sees.
#[derive(Clone, Copy)]
struct Sight {
    /// How many the first row of the block sees.
    first: usize,
    /// How many more each next one does.
    more: usize,
    /// How many the last one sees.
    columns: usize,
}

/// Attention on a device.
pub trait AttentionKernel: Storage<f32> {
    /// What the backward pass needs from the forward pass.
    type Kept: 'static;

    /// The widest heads that it can attend with, where there is a limit.
    fn widest_head(&self) -> Option<usize> {
        None
    }

    /// Rotates `q` `[N, query * width]` and `k` `[N, shared * width]` to their positions and attends, each
    /// row to itself and the rows before it in its sequence, or to all of its span where the layout is not causal:
    /// `[N, query * width]`.
    ///
    /// # Errors
    /// When the device fails.
    fn attention(
        &self,
        q: &Matrix<Self>,
        k: &Matrix<Self>,
        v: &Matrix<Self>,
        layout: &Layout,
    ) -> Result<(Matrix<Self>, Self::Kept), Self::Err>;

    /// Adds to the gradients of `q`, `k` and `v` (in this order in `into`) what the output's gradient `g`
    /// makes of them.
    ///
    /// # Errors
    /// When the device fails.
    fn attention_backward(
        &self,
        kept: &Self::Kept,
        v: &Matrix<Self>,
        layout: &Layout,
        g: &Buffer<Self>,
        into: [&mut Buffer<Self>; 3],
    ) -> Result<(), Self::Err>;
}

/// Attention within each span, over heads rotated to their positions: `[N, query * width]`. `q`, `k`
/// and `v` are three different matrices.
///
/// # Errors
/// When the shapes do not fit the heads and the spans.
pub fn attention<D: Device, T: Tape<D>>(
    tape: &mut T,
    [q, k, v]: [&Matrix<D>; 3],
    layout: &Layout,
) -> Result<Matrix<D>> {
    fits([q, k, v].map(tensor::shape), layout)?;
    if let Some(widest) = q.device().widest_head().filter(|&widest| layout.heads.width > widest) {
        let what = format!("heads of {} values, and this device takes {widest} at most", layout.heads.width);
        return Err(misfit("attention", what));
    }
    let (y, kept) = q.device().attention(q, k, v, layout).map_err(failed)?;
    if T::OWNS_TAPE {
        let (v, layout) = (v.clone(), layout.clone());
        let [of_q, of_k, of_v, out] = [q, k, &v, &y].map(Slot::of);
        tape.add_backward_op(move |flow| {
            let g = out.whole(flow)?;
            let (mut g_q, mut g_k, mut g_v) = (of_q.take(flow)?, of_k.take(flow)?, of_v.take(flow)?);
            v.device().attention_backward(&kept, &v, &layout, &g, [&mut g_q, &mut g_k, &mut g_v])?;
            of_q.put(flow, g_q);
            of_k.put(flow, g_k);
            of_v.put(flow, g_v);
            Ok(())
        });
    }
    Ok(y)
}

fn fits(shapes: [(usize, usize); 3], layout: &Layout) -> Result<()> {
    let Layout { heads, spans, rotary, causal: _ } = layout;
    if heads.shared == 0 || heads.query % heads.shared != 0 || heads.width % 2 != 0 {
        return Err(misfit("attention", format!("{heads:?}")));
    }
    let rows = spans.last().map_or(0, |span| span.rows.end);
    let narrow = (rows, heads.shared * heads.width);
    if shapes != [(rows, heads.query * heads.width), narrow, narrow] {
        return Err(misfit("attention", format!("{shapes:?} for {heads:?} over {rows} rows")));
    }
    let (mut next, mut sequence) = (0, 0..0);
    for span in spans.iter() {
        if span.rows.start != next || span.rows.end < next {
            return Err(misfit("attention", format!("{span:?} should start at {next}")));
        }
        if span.after.is_empty() {
            sequence = span.rows.clone();
        } else if span.after != sequence {
            return Err(misfit("attention", format!("{span:?} should stand after {sequence:?}")));
        }
        if span.positions().end > rotary.positions() || rotary.half() * 2 != heads.width {
            return Err(misfit("attention", format!("{span:?} is longer than the rotary table")));
        }
        next = span.rows.end;
    }
    Ok(())
}
