//! Large products over all threads, in tasks of some rows and some columns.

use super::micro::Cut;
use super::{multiply_raw, Left, Panels, Right, Tiles, Write, WIDTH};
use crate::kernels::parallel::{self, Shared};
use crate::kernels::simd::level;

/// Rows of one block: what stays in a near cache while columns pass by.
const ROWS: usize = 96;

/// Columns of a task at most, where the right side is packed already.
const PACKED: usize = 1024;

/// Columns of a task at most that packs its part of the right side itself.
const FRESH: usize = 128;

/// Depth of a block that a task packs, of either side.
const DEPTH: usize = 512;

/// Rows below which it would not pay to pack a part of the right side once more.
const WORTH: usize = 384;

/// Values between tiles of the left side: else their lines, which are written in turn, would be of one place in the cache.
const APART: usize = WIDTH;

/// Columns of a task are a multiple of two panels', which some tiles read together.
const PAIR: usize = 2 * WIDTH;

/// Tasks that there should be, at least.
const TASKS: usize = 8;

/// Multiply-adds below which one thread does it all.
const SMALL: usize = 1 << 17;

/// The right side of a large product.
#[derive(Clone, Copy)]
pub(crate) enum Side<'a> {
    /// Packed before.
    Packed(Right<'a>),
    /// `depth` rows of `columns` values, packed part by part as they are needed.
    Rows { values: &'a [f32], depth: usize, columns: usize },
    /// The transpose of `columns` rows of `depth` values, likewise.
    Columns { values: &'a [f32], depth: usize, columns: usize },
}

impl<'a> From<Right<'a>> for Side<'a> {
    fn from(right: Right<'a>) -> Self {
        Self::Packed(right)
    }
}

/// `left · right`, and `onto`, a value a column, in every row of it if given, as a new row-major buffer.
pub(crate) fn product<'a>(left: Left, right: impl Into<Side<'a>>, onto: Option<&[f32]>) -> Vec<f32> {
    let mut out = Vec::new();
    replace(left, right.into(), onto.map_or(Write::Set, Write::Onto), &mut out);
    out
}

/// `left · right`, row-major, instead of what is in `out`.
pub(crate) fn overwrite<'a>(left: Left, right: impl Into<Side<'a>>, out: &mut Vec<f32>) {
    replace(left, right.into(), Write::Set, out);
}

fn replace(left: Left, right: Side, write: Write, out: &mut Vec<f32>) {
    debug_assert_ne!(write, Write::Add);
    let len = left.rows * right.size().1;
    out.clear();
    out.reserve(len);
    // SAFETY: room for `len` values, each written because the product is set, not added; then they are there.
    unsafe {
        spread(left, right, out.as_mut_ptr(), write);
        out.set_len(len);
    }
}

/// Adds `left · right` to row-major `out`.
pub(crate) fn accumulate<'a>(left: Left, right: impl Into<Side<'a>>, out: &mut [f32]) {
    let right = right.into();
    assert_eq!(out.len(), left.rows * right.size().1);
    // SAFETY: `out` has a value for each element and is borrowed for this call.
    unsafe { spread(left, right, out.as_mut_ptr(), Write::Add) }
}

impl Side<'_> {
    /// Depth and columns.
    fn size(&self) -> (usize, usize) {
        match *self {
            Self::Packed(Right { depth, columns, .. })
            | Self::Rows { depth, columns, .. }
            | Self::Columns { depth, columns, .. } => (depth, columns),
        }
    }

    /// Stops the program rather than read past the end.
    fn check(&self) {
        match *self {
            Self::Packed(right) => right.check(),
            Self::Rows { values, depth, columns } | Self::Columns { values, depth, columns } => {
                assert_eq!(values.len(), depth * columns, "a right side of {depth} x {columns}");
            }
        }
    }

    /// `columns` columns from `column` on, and of these `depth` of the depth from `start` on; packed in `memory` if
    /// they are not yet.
    fn part<'a>(
        &'a self,
        (start, depth): (usize, usize),
        (column, columns): (usize, usize),
        memory: &'a mut Panels,
    ) -> Right<'a> {
        match *self {
            Self::Packed(right) => right.columns(column, columns).deep(start, depth),
            Self::Rows { values, columns: step, .. } => {
                memory.pack_rows(&values[start * step + column..], depth, columns, step);
                memory.right()
            }
            Self::Columns { values, depth: step, .. } => {
                memory.pack_columns(&values[column * step + start..], depth, columns, step);
                memory.right()
            }
        }
    }
}

/// The memory of one task.
#[derive(Default)]
struct Memory {
    left: Vec<f32>,
    right: Panels,
}

/// The product in tasks of rows and columns over all threads.
///
/// # Safety
/// As [`multiply_raw`], for `rows * columns` contiguous values.
unsafe fn spread(left: Left, right: Side, out: *mut f32, write: Write) {
    right.check();
    let (rows, (depth, columns)) = (left.rows, right.size());
    let packed = matches!(right, Side::Packed(_));
    let (tall, wide) = shape_of_task(rows, columns, depth, packed);
    let block = if packed && left.depth_step == 1 { depth.max(1) } else { DEPTH };
    let across = columns.div_ceil(wide);
    // SAFETY: an address with room for every element, by our own contract.
    let target = Shared::new(unsafe {
        std::slice::from_raw_parts_mut(out.cast::<std::mem::MaybeUninit<f32>>(), rows * columns)
    });
    parallel::each_with(rows.div_ceil(tall) * across, Memory::default, |memory, task| {
        let (first, column) = (task / across * tall, task % across * wide);
        for start in (0..depth.max(1)).step_by(block) {
            let deep = block.min(depth - start);
            let right = right.part((start, deep), (column, wide.min(columns - column)), &mut memory.right);
            // each part of it is read by one task, and no more
            let right = Right { far: packed && rows <= tall, ..right };
            let write = if start > 0 { Write::Add } else { write.columns(column) };
            for row in (first..(first + tall).min(rows)).step_by(ROWS) {
                let count = ROWS.min(first + tall - row).min(rows - row);
                let left = left.part((row, count), (start, deep), &mut memory.left);
                // SAFETY: tasks have tiles of their own, inside the output.
                unsafe { multiply_raw(left, right, target.at(row * columns + column).cast(), columns, write) }
            }
        }
    });
}

/// How many rows and columns a task has.
fn shape_of_task(rows: usize, columns: usize, depth: usize, packed: bool) -> (usize, usize) {
    if rows * columns * depth.max(1) <= SMALL {
        return (rows.max(1), columns.next_multiple_of(PAIR).max(PAIR));
    }
    let (mut tall, most) = if packed { (ROWS, PACKED) } else { (rows, FRESH) };
    let mut wide = most.min(columns.next_multiple_of(PAIR));
    let few = |tall: usize, wide: usize| rows.div_ceil(tall) * columns.div_ceil(wide) < TASKS;
    // narrow the tasks until there are some to share, but keep two panels' worth of columns each
    while wide > PAIR && few(tall, wide) {
        wide = (wide / 2).next_multiple_of(PAIR);
    }
    while tall >= 2 * WORTH && few(tall, wide) {
        tall = (tall / 2).next_multiple_of(ROWS);
    }
    (tall, wide)
}

impl Left<'_> {
    /// `count` rows from `row` on, and of these `depth` of the depth from `start` on; with the depth of a row side by
    /// side, in `memory` if they do not lie so.
    fn part<'a>(
        &'a self,
        (row, count): (usize, usize),
        (start, depth): (usize, usize),
        memory: &'a mut Vec<f32>,
    ) -> Left<'a> {
        let values = &self.values[row * self.row_step + start * self.depth_step..];
        let part = Left { values, rows: count, ..*self };
        if self.depth_step == 1 {
            return part;
        }
        let tall = Cut::of_many(level()).rows;
        debug_assert!(matches!(tall, 6 | 8 | 12));
        match tall {
            6 => tiled::<6>(&part, depth, memory),
            8 => tiled::<8>(&part, depth, memory),
            _ => tiled::<12>(&part, depth, memory),
        }
        let tiles = Some(Tiles { rows: tall, step: depth * tall + APART });
        Left { values: memory, rows: count, row_step: 1, depth_step: tall, tiles }
    }
}

/// Copies `depth` columns of `left`, whose rows lie side by side, into tiles of `TALL` rows, each depth by depth.
fn tiled<const TALL: usize>(left: &Left, depth: usize, into: &mut Vec<f32>) {
    let (whole, rest) = (left.rows / TALL, left.rows % TALL);
    let step = depth * TALL + APART;
    into.resize(left.rows.div_ceil(TALL) * step, 0.0);
    for d in 0..depth {
        let column = &left.values[d * left.depth_step..][..left.rows];
        for (tile, from) in column.chunks_exact(TALL).enumerate() {
            // of a length that is known here: two moves, and no call
            let to = &mut into[tile * step + d * TALL..][..TALL];
            to.copy_from_slice(&from[..TALL]);
        }
        if rest > 0 {
            into[whole * step + d * TALL..][..rest].copy_from_slice(&column[whole * TALL..]);
        }
    }
}
