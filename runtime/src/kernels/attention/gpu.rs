//! The GPU's side: spans cut into tiles of queries and blocks of keys, each with the others it meets.

use super::{Layout, Rotary, Span};
use crate::kernels::gpu::{Address, Argument::*, Gpu, Grid, Held, Plain, WIDTHS};

/// Rows of queries that follow each other in one span, as the kernels read it.
#[derive(Clone, Copy)]
#[repr(C)]
struct Tile {
    row: u32,
    count: u32,
    first: u32,
    own: u32,
    before: u32,
    after: u32,
    seen: u32,
}

/// Rows of keys that follow each other in one span, and the tiles that may look at them.
#[derive(Clone, Copy)]
#[repr(C)]
struct Keys {
    row: u32,
    count: u32,
    first: u32,
    tiles: u32,
    last_tile: u32,
}

// SAFETY: seven numbers of one size.
unsafe impl Plain for Tile {}
// SAFETY: five numbers of one size.
unsafe impl Plain for Keys {}

/// The kernels' width that a head fits into; `None` where it is wider than all.
pub(crate) fn kernel_width(width: usize) -> Option<usize> {
    WIDTHS.into_iter().find(|&wide| width <= wide)
}

/// Rows of queries that a kernel takes at once on the way forward, as the sources have them.
fn forward_rows(wide: usize) -> usize {
    (4096 / wide).min(32)
}

/// The same on the way back, for queries and keys.
fn backward_rows(wide: usize) -> usize {
    (2048 / wide).min(32)
}

/// Every span in tiles of `rows` rows, and where each span's tiles begin.
fn tiles(layout: &Layout, rows: usize) -> (Vec<Tile>, Vec<usize>) {
    let spans = &layout.spans;
    let (mut tiles, mut starts) = (Vec::new(), Vec::with_capacity(spans.len()));
    for span in spans.iter() {
        starts.push(tiles.len());
        for at in (0..span.rows.len()).step_by(rows) {
            tiles.push(Tile {
                row: (span.rows.start + at) as u32,
                count: rows.min(span.rows.len() - at) as u32,
                first: (span.after.len() + at) as u32,
                own: span.rows.start as u32,
                before: span.after.start as u32,
                after: span.after.len() as u32,
                seen: if layout.causal { 0 } else { span.positions().end as u32 },
            });
        }
    }
    starts.push(tiles.len());
    (tiles, starts)
}

/// Every span's keys in blocks, with the tiles of its own rows that see them and those of all spans after it.
fn keys(layout: &Layout, starts: &[usize], rows: usize) -> Vec<Keys> {
    let (spans, mut blocks) = (&layout.spans, Vec::new());
    for (index, span) in spans.iter().enumerate() {
        // what stands after a sequence follows it
        let later = spans[index + 1..].iter().take_while(|next| !next.after.is_empty()).count();
        let last = if span.after.is_empty() { index + later } else { index };
        for (step, at) in (0..span.rows.len()).step_by(rows).enumerate() {
            blocks.push(Keys {
                row: (span.rows.start + at) as u32,
                count: rows.min(span.rows.len() - at) as u32,
                first: (span.after.len() + at) as u32,
                tiles: (starts[index] + if layout.causal { step } else { 0 }) as u32,
                last_tile: starts[last + 1] as u32,
            });
        }
    }
    blocks
}

/// Cosines and sines on the device.
pub(crate) struct Turns<M> {
    pub cos: M,
    pub sin: M,
}

pub(crate) fn turns<G: Gpu>(gpu: &G, rotary: &Rotary) -> Result<Turns<G::Memory>, G::Err> {
    let (cos, sin) = rotary.tables();
    Ok(Turns { cos: gpu.keep(cos)?, sin: gpu.keep(sin)? })
}

/// Every row of `x` rotated to its position: `heads` heads a row.
pub(crate) fn rotate<G: Gpu>(
    gpu: &G,
    x: Address,
    layout: &Layout,
    turns: &Turns<G::Memory>,
    (heads, scale): (usize, f32),
    out: Address,
) -> Result<(), G::Err> {
    let positions: Vec<u32> =
        layout.spans.iter().flat_map(Span::positions).map(|position| position as u32).collect();
    if positions.is_empty() {
        return Ok(());
    }
    let kept = gpu.keep(&positions)?;
    let half = layout.heads.width / 2;
    let arguments =
        [At(x), At(kept.at()), At(turns.cos.at()), At(turns.sin.at()), F32(scale), At(out), U32(half as u32)];
    gpu.launch("rotate", Grid(positions.len(), heads, half.next_multiple_of(32).clamp(32, 128)), &arguments)
}

/// What the way back needs from the way forward, besides the output: rotated queries and keys, the logarithms of the
/// sums of each row's weights, and the turns.
pub(crate) struct Rotated<M> {
    q: M,
    k: M,
    log_sums: M,
    turns: Turns<M>,
}

pub(crate) fn attention<G: Gpu>(
    gpu: &G,
    [q, k, v]: [Address; 3],
    layout: &Layout,
    out: Address,
) -> Result<Rotated<G::Memory>, G::Err> {
    let (heads, rows) = (layout.heads, layout.spans.last().map_or(0, |span| span.rows.end));
    let turns = turns(gpu, &layout.rotary)?;
    let kept = Rotated {
        q: gpu.words(rows * heads.query * heads.width)?,
        k: gpu.words(rows * heads.shared * heads.width)?,
        log_sums: gpu.words(rows * heads.query)?,
        turns,
    };
    rotate(gpu, q, layout, &kept.turns, (heads.query, heads.scale()), kept.q.at())?;
    rotate(gpu, k, layout, &kept.turns, (heads.shared, 1.0), kept.k.at())?;
    let wide = kernel_width(heads.width).unwrap_or(WIDTHS[3]);
    let (tiles, _) = tiles(layout, forward_rows(wide));
    if tiles.is_empty() {
        return Ok(kept);
    }
    let list = gpu.keep(&tiles)?;
    let arguments = [
        At(kept.q.at()),
        At(kept.k.at()),
        At(v),
        At(list.at()),
        At(out),
        At(kept.log_sums.at()),
        U32(heads.query as u32),
        U32(heads.group() as u32),
        U32(heads.width as u32),
    ];
    let grid = Grid(tiles.len(), heads.query, 4 * forward_rows(wide));
    gpu.launch(&format!("attention_{wide}"), grid, &arguments)?;
    Ok(kept)
}

pub(crate) fn attention_backward<G: Gpu>(
    gpu: &G,
    kept: &Rotated<G::Memory>,
    [v, out, g]: [Address; 3],
    layout: &Layout,
    [g_q, g_k, g_v]: [Address; 3],
) -> Result<(), G::Err> {
    let heads = layout.heads;
    let wide = kernel_width(heads.width).unwrap_or(WIDTHS[3]);
    let rows = backward_rows(wide);
    let (tiles, starts) = tiles(layout, rows);
    if tiles.is_empty() {
        return Ok(());
    }
    let blocks = keys(layout, &starts, rows);
    let (tile_list, block_list) = (gpu.keep(&tiles)?, gpu.keep(&blocks)?);
    let given = [kept.q.at(), kept.k.at(), v, out, kept.log_sums.at(), g, tile_list.at()].map(At);
    let turns = [kept.turns.cos.at(), kept.turns.sin.at()].map(At);
    let sizes = [heads.query, heads.group(), heads.width].map(|size| U32(size as u32));
    let arguments = [&given[..], &turns, &[F32(heads.scale()), At(g_q)], &sizes].concat();
    let grid = Grid(tiles.len(), heads.query, 4 * rows);
    gpu.launch(&format!("attention_queries_{wide}"), grid, &arguments)?;
    let arguments = [&given[..], &[At(block_list.at())], &turns, &[At(g_k), At(g_v)], &sizes].concat();
    gpu.launch(&format!("attention_keys_{wide}"), Grid(blocks.len(), heads.shared, 4 * rows), &arguments)
}
