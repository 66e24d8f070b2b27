use super::{CacheShape, DecodeKernel, Place};
use crate::kernels::attention::{rotate, rotate_heads, Head, Layout, Rotary};
use crate::kernels::exp::{padded, softmax_row};
use crate::kernels::matmul::{multiply, Left, Lines, Panels, Right, Write, WIDTH};
use crate::kernels::parallel::{self, Shared};
use crate::kernels::simd::vectorised;
use crate::tensor::{cpu_matrix, slice, Cpu, HasErr, Matrix};
use std::sync::Arc;

/// Rows of one task.
const ROWS: usize = 8;

/// Keys and values, packed as right sides of products: keys with depth = a head's width, values with
/// columns = a head's width.
pub struct Cache {
    shape: CacheShape,
    rotary: Arc<Rotary>,
    /// For each layer, prompt and head: keys and values of the prompt.
    prompts: Vec<(Panels, Panels)>,
    /// For each layer, row and head: `keys_size` and `values_size` values.
    keys: Lines,
    values: Lines,
}

impl Cache {
    fn keys_size(&self) -> usize {
        self.shape.room.next_multiple_of(WIDTH) * self.shape.heads.width
    }

    fn values_size(&self) -> usize {
        self.shape.heads.width.next_multiple_of(WIDTH) * self.shape.room
    }

    fn prompt(&self, layer: usize, prompt: usize, head: usize) -> usize {
        (layer * self.shape.prompts.len() + prompt) * self.shape.heads.shared + head
    }

    fn row(&self, layer: usize, row: usize, head: usize) -> usize {
        (layer * self.shape.rows.len() + row) * self.shape.heads.shared + head
    }
}

impl DecodeKernel for Cpu {
    type Cache = Cache;

    fn cache(&self, shape: CacheShape, rotary: Arc<Rotary>) -> Result<Cache, <Self as HasErr>::Err> {
        let count = shape.layers * shape.prompts.len() * shape.heads.shared;
        let prompts = (0..count).map(|_| Default::default()).collect();
        let mut cache = Cache { shape, rotary, prompts, keys: Lines::default(), values: Lines::default() };
        let rows = cache.row(cache.shape.layers, 0, 0);
        // zeros that the system hands out page by page as they are touched
        cache.keys = Lines::zeros(rows * cache.keys_size());
        cache.values = Lines::zeros(rows * cache.values_size());
        Ok(cache)
    }

    fn remember(
        &self,
        cache: &mut Cache,
        layer: usize,
        first: usize,
        [k, v]: [&Matrix<Self>; 2],
        layout: &Layout,
    ) -> Result<(), <Self as HasErr>::Err> {
        let heads = cache.shape.heads;
        let (k, v) = (rotate_heads(slice(k), heads.shared * heads.width, layout, 1.0), slice(v));
        for (prompt, span) in (first..).zip(layout.spans.iter()) {
            for shared in 0..heads.shared {
                let head = Head::new(shared, heads.shared, heads.width);
                let at = cache.prompt(layer, prompt, shared);
                let (keys, values) = &mut cache.prompts[at];
                let (start, len) = (span.rows.start, span.rows.len());
                keys.pack_columns(head.from(&k, start), heads.width, len, head.step);
                values.pack_rows(head.from(v, start), len, heads.width, head.step);
            }
        }
        Ok(())
    }

    fn decode_attention(
        &self,
        cache: &mut Cache,
        layer: usize,
        qkv: [&Matrix<Self>; 3],
        rows: &[Place],
    ) -> Result<Matrix<Self>, <Self as HasErr>::Err> {
        let (heads, [q, k, v]) = (cache.shape.heads, qkv.map(slice));
        assert!(rows.windows(2).all(|pair| pair[0].row < pair[1].row), "rows must be in order");
        let (mut keys, mut values) = (std::mem::take(&mut cache.keys), std::mem::take(&mut cache.values));
        let step =
            Step { cache: &*cache, layer, keys: Shared::new(&mut keys), values: Shared::new(&mut values) };
        let wide = heads.query * heads.width;
        let mut out = vec![0.0; rows.len() * wide];
        parallel::each_piece(&mut out, ROWS * wide, |start, out| {
            let (mut work, first) = (Work::default(), start / wide);
            let rows = &rows[first..first + out.len() / wide];
            // rows that answer one prompt look at its keys and values together
            let prompt = |place: &Place| step.cache.shape.rows[place.row];
            let mut at = 0;
            for run in rows.chunk_by(|a, b| prompt(a) == prompt(b)) {
                let out = &mut out[at * wide..][..run.len() * wide];
                (0..heads.shared)
                    .for_each(|shared| step.head(run, shared, first + at, [q, k, v], &mut work, out));
                at += run.len();
            }
        });
        (cache.keys, cache.values) = (keys, values);
        cpu_matrix(self, rows.len(), wide, out)
    }
}

/// One step of one layer. Tasks write their own rows of the cache.
struct Step<'a> {
    cache: &'a Cache,
    layer: usize,
    keys: Shared<f32>,
    values: Shared<f32>,
}

/// The memory of one task.
#[derive(Default)]
struct Work {
    /// Rotated queries of all rows of a run, then one rotated key.
    turned: Vec<f32>,
    scores: Vec<f32>,
    out: Vec<f32>,
}

impl Step<'_> {
    /// One key-and-value head for a run of rows with one prompt; `first` is the place of the run in the
    /// batch.
    fn head(
        &self,
        run: &[Place],
        shared: usize,
        first: usize,
        qkv: [&[f32]; 3],
        work: &mut Work,
        out: &mut [f32],
    ) {
        let (shape, heads) = (&self.cache.shape, self.cache.shape.heads);
        let (group, width) = (heads.group(), heads.width);
        let (wide, narrow, queries) = (heads.query * width, heads.shared * width, run.len() * group);
        let prompt = shape.rows[run[0].row];
        let (keys, values) = &self.cache.prompts[self.cache.prompt(self.layer, prompt, shared)];
        let before = shape.prompts[prompt];
        let longest = run.iter().map(|place| before + place.added + 1).max().unwrap_or(0);
        let step = padded(longest);
        let [q, k, v] = qkv;
        work.turned.resize((queries + 1) * width, 0.0);
        work.scores.resize(queries * step, 0.0);
        work.out.resize(queries * width, 0.0);
        let (turned, key) = work.turned.split_at_mut(queries * width);
        for ((i, place), turned) in run.iter().enumerate().zip(turned.chunks_exact_mut(group * width)) {
            let (cos, sin) = self.cache.rotary.at(before + place.added);
            rotate(
                &q[(first + i) * wide + shared * group * width..][..group * width],
                cos,
                sin,
                heads.scale(),
                turned,
            );
        }
        multiply(Left::rows(turned, queries, width), keys.right(), &mut work.scores, step, Write::Set);
        for (i, &place) in run.iter().enumerate() {
            let at = (first + i) * narrow + shared * width;
            let (cos, sin) = self.cache.rotary.at(before + place.added);
            rotate(&k[at..][..width], cos, sin, 1.0, key);
            let (own_keys, own_values) = self.own(place.row, shared);
            for (d, &key) in key.iter().enumerate() {
                own_keys[(place.added / WIDTH * width + d) * WIDTH + place.added % WIDTH] = key;
            }
            for (panel, v) in v[at..][..width].chunks(WIDTH).enumerate() {
                own_values[(panel * shape.room + place.added) * WIDTH..][..v.len()].copy_from_slice(v);
            }
            let (columns, panel_step) = (place.added + 1, width * WIDTH);
            let own = Right { values: own_keys, depth: width, columns, panel_step, far: false };
            let scores = &mut work.scores[i * group * step..][..group * step];
            let turned = Left::rows(&turned[i * group * width..], group, width);
            multiply(turned, own, &mut scores[before..], step, Write::Set);
            softmax_rows(scores, step, before + place.added + 1);
        }
        multiply(Left::rows(&work.scores, queries, step), values.right(), &mut work.out, width, Write::Set);
        for (i, &place) in run.iter().enumerate() {
            let weights = Left::rows(&work.scores[i * group * step + before..], group, step);
            let sums = &mut work.out[i * group * width..][..group * width];
            let (_, values) = self.own(place.row, shared);
            let panel_step = shape.room * WIDTH;
            let own = Right { values, depth: place.added + 1, columns: width, panel_step, far: false };
            multiply(weights, own, sums, width, Write::Add);
            out[i * wide + shared * group * width..][..group * width].copy_from_slice(sums);
        }
    }

    /// The memory for a row's own keys and values of one head.
    #[allow(clippy::mut_from_ref)] // see the safety comment
    fn own(&self, row: usize, shared: usize) -> (&mut [f32], &mut [f32]) {
        let at = self.cache.row(self.layer, row, shared);
        let (keys, values) = (self.cache.keys_size(), self.cache.values_size());
        // SAFETY: each row and head belongs to one task, which asks for one of them at a time.
        unsafe { (self.keys.part(at * keys, keys), self.values.part(at * values, values)) }
    }
}

vectorised! {
    fn softmax_rows(scores: &mut [f32], step: usize, len: usize) {
        for row in scores.chunks_exact_mut(step) {
            softmax_row(row, len);
        }
    }
}
