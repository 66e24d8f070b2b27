//! The GPU's side: keys and values as they come, prompt rows of all prompts one after the other, then each row's own.

use super::{CacheShape, Place};
use crate::kernels::attention::{rotate_on, turns_on, Layout, Rotary, Turns};
use crate::kernels::gpu::{past, Address, Argument::*, Gpu, Grid, Held, Plain};

/// A row of a step, as the kernels read it.
#[derive(Clone, Copy)]
#[repr(C)]
struct At4 {
    row: u32,
    added: u32,
    before: u32,
    prompt: u32,
}

// SAFETY: four numbers of one size.
unsafe impl Plain for At4 {}

/// Keys and values of all layers.
pub(crate) struct Cache<M> {
    shape: CacheShape,
    turns: Turns<M>,
    /// Where each prompt begins, in positions of all of them.
    begins: Vec<usize>,
    /// `[layer, position of all prompts, shared * width]`: keys, then values.
    prompts: [M; 2],
    /// `[layer, row, room, shared * width]`: keys, then values.
    own: [M; 2],
    /// The rows of the last step: all layers ask with the same.
    places: Option<(Vec<Place>, M)>,
}

impl<M: Held> Cache<M> {
    fn narrow(&self) -> usize {
        self.shape.heads.shared * self.shape.heads.width
    }

    fn told(&self, layer: usize, position: usize, which: usize) -> Address {
        let all: usize = self.shape.prompts.iter().sum();
        past(self.prompts[which].at(), (layer * all + position) * self.narrow())
    }

    fn own(&self, layer: usize, which: usize) -> Address {
        let rows = self.shape.rows.len() * self.shape.room;
        past(self.own[which].at(), layer * rows * self.narrow())
    }
}

pub(crate) fn cache<G: Gpu>(gpu: &G, shape: CacheShape, rotary: &Rotary) -> Result<Cache<G::Memory>, G::Err> {
    let narrow = shape.layers * shape.heads.shared * shape.heads.width;
    let all: usize = shape.prompts.iter().sum();
    let own = shape.rows.len() * shape.room;
    let begin = |sum: &mut usize, len: &usize| {
        *sum += len;
        Some(*sum - len)
    };
    Ok(Cache {
        turns: turns_on(gpu, rotary)?,
        begins: shape.prompts.iter().scan(0, begin).collect(),
        prompts: [gpu.words(all * narrow)?, gpu.words(all * narrow)?],
        own: [gpu.words(own * narrow)?, gpu.words(own * narrow)?],
        places: None,
        shape,
    })
}

/// Keeps keys and values of prompts: the rows of the spans lie as those of the prompts do.
pub(crate) fn remember<G: Gpu>(
    gpu: &G,
    cache: &Cache<G::Memory>,
    (layer, first): (usize, usize),
    [k, v]: [Address; 2],
    layout: &Layout,
) -> Result<(), G::Err> {
    let rows = layout.spans.last().map_or(0, |span| span.rows.end);
    if rows == 0 {
        return Ok(());
    }
    let begin = cache.begins[first];
    rotate_on(gpu, k, layout, &cache.turns, (cache.shape.heads.shared, 1.0), cache.told(layer, begin, 0))?;
    let count = rows * cache.narrow();
    let arguments = [At(v), At(v), F32(0.0), At(cache.told(layer, begin, 1)), U64(count as u64)];
    gpu.launch("add", Grid::of(count), &arguments)
}

pub(crate) fn decode_attention<G: Gpu>(
    gpu: &G,
    cache: &mut Cache<G::Memory>,
    layer: usize,
    [q, k, v]: [Address; 3],
    rows: &[Place],
    out: Address,
) -> Result<(), G::Err> {
    if rows.is_empty() {
        return Ok(());
    }
    if cache.places.as_ref().is_none_or(|(kept, _)| kept != rows) {
        let place = |place: &Place| {
            let prompt = cache.shape.rows[place.row];
            At4 {
                row: place.row as u32,
                added: place.added as u32,
                before: cache.begins[prompt] as u32,
                prompt: cache.shape.prompts[prompt] as u32,
            }
        };
        let list: Vec<At4> = rows.iter().map(place).collect();
        cache.places = Some((rows.to_vec(), gpu.keep(&list)?));
    }
    let Some((_, places)) = &cache.places else { return Ok(()) };
    let (heads, places) = (cache.shape.heads, At(places.at()));
    let turns = [At(cache.turns.cos.at()), At(cache.turns.sin.at())];
    let own = [At(cache.own(layer, 0)), At(cache.own(layer, 1))];
    let (room, half) = (U32(cache.shape.room as u32), U32(heads.width as u32 / 2));
    let arguments = [&[At(k), At(v), places][..], &turns, &own, &[room, half]].concat();
    let threads = (heads.width / 2).next_multiple_of(32).clamp(32, 128);
    gpu.launch("decode_keep", Grid(rows.len(), heads.shared, threads), &arguments)?;
    let told = [At(cache.told(layer, 0, 0)), At(cache.told(layer, 0, 1))];
    let sizes = [room, U32(heads.group() as u32), U32(heads.width as u32)];
    let arguments =
        [&[At(q), places][..], &turns, &[F32(heads.scale())], &told, &own, &[At(out)], &sizes].concat();
    gpu.launch("decode_attention", Grid(rows.len(), heads.query, 128), &arguments)
}
