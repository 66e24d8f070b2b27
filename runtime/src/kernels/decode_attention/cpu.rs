use super::{CacheShape, DecodeKernel, Place};
use crate::kernels::attention::{rotate, rotate_heads, Head, Layout, Rotary};
use crate::kernels::exp::softmax_row;
use crate::kernels::matmul::{multiply, Left, Panels, Right, Write, WIDTH};
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
    keys: Vec<f32>,
    values: Vec<f32>,
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
        let mut cache = Cache { shape, rotary, prompts, keys: Vec::new(), values: Vec::new() };
        let rows = cache.row(cache.shape.layers, 0, 0);
        // zeros that the system hands out page by page as they are touched
        cache.keys = vec![0.0; rows * cache.keys_size()];
        cache.values = vec![0.0; rows * cache.values_size()];
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
                keys.pack_columns(head.from(&k, span.start), heads.width, span.len(), head.step);
                values.pack_rows(head.from(v, span.start), span.len(), heads.width, head.step);
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
        let step = Step { cache, layer, keys: Shared::new(&mut keys), values: Shared::new(&mut values) };
        let (wide, narrow) = (heads.query * heads.width, heads.shared * heads.width);
        let mut out = vec![0.0; rows.len() * wide];
        parallel::each_piece(&mut out, ROWS * wide, |start, out| {
            let (mut turned, mut scores) = (vec![0.0; heads.group() * heads.width], Vec::new());
            for (i, out) in (start / wide..).zip(out.chunks_exact_mut(wide)) {
                let (q, k, v) = (&q[i * wide..][..wide], &k[i * narrow..][..narrow], &v[i * narrow..][..narrow]);
                for shared in 0..heads.shared {
                    step.head(rows[i], shared, [q, k, v], &mut turned, &mut scores, out);
                }
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

impl Step<'_> {
    fn head(
        &self,
        Place { row, added }: Place,
        shared: usize,
        [q, k, v]: [&[f32]; 3],
        turned: &mut [f32],
        scores: &mut Vec<f32>,
        out: &mut [f32],
    ) {
        let (shape, heads) = (&self.cache.shape, self.cache.shape.heads);
        let (group, width) = (heads.group(), heads.width);
        let prompt = shape.prompts[shape.rows[row]];
        let (before_keys, before_values) = &self.cache.prompts[self.cache.prompt(self.layer, shape.rows[row], shared)];
        let (cos, sin) = self.cache.rotary.at(prompt + added);
        let at = self.cache.row(self.layer, row, shared);
        let (keys_size, values_size) = (self.cache.keys_size(), self.cache.values_size());
        // SAFETY: rows differ between tasks and heads within one, so this memory is this call's alone.
        let (keys, values) =
            unsafe { (self.keys.part(at * keys_size, keys_size), self.values.part(at * values_size, values_size)) };
        rotate(&k[shared * width..][..width], cos, sin, 1.0, &mut turned[..width]);
        for (d, &key) in turned[..width].iter().enumerate() {
            keys[(added / WIDTH * width + d) * WIDTH + added % WIDTH] = key;
        }
        for (panel, v) in v[shared * width..][..width].chunks(WIDTH).enumerate() {
            values[(panel * shape.room + added) * WIDTH..][..v.len()].copy_from_slice(v);
        }
        rotate(&q[shared * group * width..][..group * width], cos, sin, heads.scale(), turned);
        let (queries, own) = (Left::rows(turned, group, width), added + 1);
        let total = prompt + own;
        scores.resize(group * total, 0.0);
        multiply(queries, before_keys.right(), scores, total, Write::Set);
        let right = Right { values: keys, depth: width, columns: own, panel_step: width * WIDTH };
        multiply(queries, right, &mut scores[prompt..], total, Write::Set);
        softmax_rows(scores, total);
        let out = &mut out[shared * group * width..][..group * width];
        multiply(Left::rows(scores, group, total), before_values.right(), out, width, Write::Set);
        let right = Right { values, depth: own, columns: width, panel_step: shape.room * WIDTH };
        multiply(Left::rows(&scores[prompt..], group, total), right, out, width, Write::Add);
    }
}

vectorised! {
    fn softmax_rows(scores: &mut [f32], columns: usize) {
        for row in scores.chunks_exact_mut(columns) {
            softmax_row(row);
        }
    }
}
