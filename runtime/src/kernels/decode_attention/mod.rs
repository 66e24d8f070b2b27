//! Attention of one new position per row to everything before it, through a cache of keys and values.
//!
//! Rows that share a prompt share its keys and values; each row adds its own behind them. Nothing is
//! copied when a row grows or leaves. The numbers are bit for bit those of [`attention`](super::attention).

mod cpu;
#[cfg(feature = "cuda")]
mod cuda;
#[cfg(any(test, feature = "cuda"))]
pub(crate) mod gpu;

use super::attention::{Heads, Layout, Rates, Rotary, Span};
use super::misfit;
use crate::error::Result;
use crate::tensor::{self, failed, Device, Matrix, Storage};
use std::sync::Arc;

/// How much a cache must hold.
#[derive(Clone, Debug)]
pub struct CacheShape {
    /// Layers of the model.
    pub layers: usize,
    /// The heads of each.
    pub heads: Heads,
    /// Length of each prompt, in positions.
    pub prompts: Vec<usize>,
    /// For each row, its prompt.
    pub rows: Vec<usize>,
    /// Positions each row can add.
    pub room: usize,
}

/// Decoding on a device.
pub trait DecodeKernel: Storage<f32> {
    /// Keys and values of prompts and rows.
    type Cache;

    /// An empty cache, with rotary positions for the longest prompt and its room.
    ///
    /// # Errors
    /// When the device is out of memory.
    fn cache(&self, shape: CacheShape, rotary: Arc<Rotary>) -> Result<Self::Cache, Self::Err>;

    /// Keeps keys (not yet rotated) and values of one layer for the prompts from `first` on, one a span of
    /// `layout`.
    ///
    /// # Errors
    /// When the device fails.
    fn remember(
        &self,
        cache: &mut Self::Cache,
        layer: usize,
        first: usize,
        kv: [&Matrix<Self>; 2],
        layout: &Layout,
    ) -> Result<(), Self::Err>;

    /// Adds one position, number `added` after its prompt, to each of `rows` in `layer`, and attends to all
    /// up to it. Row i of the three matrices belongs to `rows[i]`; rows are in increasing order.
    ///
    /// # Errors
    /// When the device fails.
    fn decode_attention(
        &self,
        cache: &mut Self::Cache,
        layer: usize,
        qkv: [&Matrix<Self>; 3],
        rows: &[Place],
    ) -> Result<Matrix<Self>, Self::Err>;
}

/// A row of the cache and how many positions it has added already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The row.
    pub row: usize,
    /// Positions of its own before this one.
    pub added: usize,
}

/// A cache together with what it must hold, so that its use can be checked.
pub struct Cache<D: Device> {
    shape: CacheShape,
    device: D,
    inner: D::Cache,
}

impl<D: Device> Cache<D> {
    /// An empty cache for heads that turn at these rates.
    ///
    /// # Errors
    /// When the device is out of memory, or a row names no prompt.
    pub fn new(device: &D, shape: CacheShape, rates: &Rates) -> Result<Self> {
        if let Some(row) = shape.rows.iter().find(|&&row| row >= shape.prompts.len()) {
            return Err(misfit("decode_attention", format!("a row of prompt {row}, which is not there")));
        }
        let longest = shape.prompts.iter().max().copied().unwrap_or(0) + shape.room;
        let rotary = Arc::new(Rotary::new(longest, rates));
        let inner = device.cache(shape.clone(), rotary).map_err(failed)?;
        Ok(Self { shape, device: device.clone(), inner })
    }

    /// Keeps the keys and values that a forward pass over whole prompts had in `layer`.
    ///
    /// # Errors
    /// When they are not those of the prompts from `first` on.
    pub fn remember(
        &mut self,
        layer: usize,
        first: usize,
        kv: [&Matrix<D>; 2],
        layout: &Layout,
    ) -> Result<()> {
        let rows: usize = layout.spans.iter().map(|span| span.rows.len()).sum();
        let expected = (rows, self.shape.heads.shared * self.shape.heads.width);
        let prompts = self.shape.prompts.get(first..first + layout.spans.len());
        let fits = prompts.is_some_and(|p| {
            p.iter()
                .zip(layout.spans.iter())
                .all(|(&p, span)| *span == Span::alone(span.rows.clone()) && p == span.rows.len())
        });
        if !fits || layer >= self.shape.layers || kv.map(tensor::shape) != [expected; 2] {
            return Err(misfit("decode_attention", "keys and values of other prompts or another model"));
        }
        self.device.remember(&mut self.inner, layer, first, kv, layout).map_err(failed)
    }

    /// Attention of one new position for each of `rows`: `[rows, query * width]`.
    ///
    /// # Errors
    /// When a row is not there or full, rows are not in increasing order, or the shapes do not fit.
    pub fn attend(&mut self, layer: usize, qkv: [&Matrix<D>; 3], rows: &[Place]) -> Result<Matrix<D>> {
        let Heads { query, shared, width } = self.shape.heads;
        let narrow = (rows.len(), shared * width);
        let ordered = rows.windows(2).all(|pair| pair[0].row < pair[1].row);
        let inside =
            rows.iter().all(|place| place.row < self.shape.rows.len() && place.added < self.shape.room);
        let shapes = qkv.map(tensor::shape) == [(rows.len(), query * width), narrow, narrow];
        if !ordered || !inside || !shapes || layer >= self.shape.layers {
            return Err(misfit("decode_attention", "rows that the cache does not have room for"));
        }
        self.device.decode_attention(&mut self.inner, layer, qkv, rows).map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::attention::attention;
    use crate::kernels::check;
    use crate::tensor::{Cpu, NoneTape};

    #[test]
    fn one_by_one_gives_the_bits_of_all_at_once() {
        for (query, shared, width) in [(4, 2, 6), (2, 2, 40)] {
            let heads = Heads { query, shared, width };
            // two prompts of 3 and 35, two rows each that go on for 40 positions
            let (prompts, room) = ([3usize, 35], 40);
            let sequence = |row: u64, len: usize| {
                let wide = check::matrix(len, query * width, row);
                [
                    wide,
                    check::matrix(len, shared * width, row + 10),
                    check::matrix(len, shared * width, row + 20),
                ]
            };
            let layout = |len: usize| Layout {
                heads,
                spans: std::iter::once(Span::alone(0..len)).collect(),
                rotary: Arc::new(Rotary::new(len, &Rates::of(width, 100.0))),
                causal: true,
            };
            let part = |m: &Matrix<Cpu>, from: usize, len: usize| {
                let c = tensor::shape(m).1;
                tensor::matrix(m.device(), len, c, tensor::slice(m)[from * c..(from + len) * c].to_vec())
                    .unwrap()
            };
            for (prompt, &len) in prompts.iter().enumerate() {
                let whole = sequence(prompt as u64, len + room);
                let expected = attention(&mut NoneTape, whole.each_ref(), &layout(len + room)).unwrap();
                let shape = CacheShape { layers: 2, heads, prompts: vec![len], rows: vec![0; 3], room };
                let mut cache = Cache::new(&Cpu::default(), shape, &Rates::of(width, 100.0)).unwrap();
                let start = whole.each_ref().map(|m| part(m, 0, len));
                cache.remember(1, 0, [&start[1], &start[2]], &layout(len)).unwrap();
                for added in 0..room {
                    let step = whole.each_ref().map(|m| part(m, len + added, 1));
                    let y = cache.attend(1, step.each_ref(), &[Place { row: 2, added }]).unwrap();
                    let at = (len + added) * query * width;
                    assert_eq!(
                        tensor::slice(&y),
                        &tensor::slice(&expected)[at..at + query * width],
                        "{added}"
                    );
                }
                let step = whole.each_ref().map(|m| part(m, 0, 1));
                assert!(cache.attend(1, step.each_ref(), &[Place { row: 0, added: room }]).is_err());
                assert!(cache.attend(2, step.each_ref(), &[Place { row: 0, added: 0 }]).is_err());
                assert!(cache.remember(0, 1, [&start[1], &start[2]], &layout(len)).is_err());
            }
        }
    }
}
