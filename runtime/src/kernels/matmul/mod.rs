//! Matrix products on the CPU: `out = left · right`, or added to what is there.
//!
//! Every element is one chain of fused multiply-adds over the depth, in order, from zero or from what was
//! there. So its bits depend on its row of `left` and its column of `right` alone: not on how the work is
//! split, not on the other rows of the batch, not on the instruction set. Decoding one token gives
//! exactly the numbers of the whole forward pass, and a batch may be split anywhere.

mod micro;
mod panels;

pub(crate) use panels::{Lines, Panels, Right, WIDTH};

use super::parallel::{self, Shared};
use micro::Tile;

/// The left side: element `(row, depth)` is at `row * row_step + depth * depth_step`.
#[derive(Clone, Copy)]
pub(crate) struct Left<'a> {
    pub values: &'a [f32],
    pub rows: usize,
    pub row_step: usize,
    pub depth_step: usize,
}

impl<'a> Left<'a> {
    /// `rows` rows, each `step` after the one before it.
    pub fn rows(values: &'a [f32], rows: usize, step: usize) -> Self {
        Self { values, rows, row_step: step, depth_step: 1 }
    }

    /// The transpose of rows that lie `step` apart: `rows` of its columns.
    pub fn columns(values: &'a [f32], rows: usize, step: usize) -> Self {
        Self { values, rows, row_step: 1, depth_step: step }
    }
}

/// Whether the product replaces what is in the output or is added to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Write {
    Set,
    Add,
}

/// Depth that is worked through before the next rows: a panel this deep stays in the second-level cache.
const DEPTH: usize = 2048;

/// Rows of one task.
const ROWS: usize = 64;

/// Multiply-adds below which one thread does it all.
const SMALL: usize = 1 << 17;

/// `out (write) left · right` on this thread. Row r of the output starts at `out + r * step`.
///
/// # Safety
/// `out` must be valid for writing each row's `right.columns` values, and for reading them under
/// [`Write::Add`]; nobody else may touch them meanwhile.
pub(crate) unsafe fn multiply_raw(left: Left, right: Right, out: *mut f32, step: usize, write: Write) {
    let (rows, depth) = (left.rows, right.depth);
    if rows == 0 || right.columns == 0 {
        return;
    }
    if depth > 0 {
        let last = (rows - 1) * left.row_step + (depth - 1) * left.depth_step;
        assert!(last < left.values.len(), "left side of {} values ends before {last}", left.values.len());
    }
    right.check();
    let level = super::simd::level();
    for start in (0..depth.max(1)).step_by(DEPTH) {
        let add = write == Write::Add || start > 0;
        for column in (0..right.columns).step_by(WIDTH) {
            let panel =
                right.values[column / WIDTH * right.panel_step..].as_ptr().wrapping_add(start * WIDTH);
            for row in (0..rows).step_by(micro::ROWS) {
                let tile = Tile {
                    depth: (depth - start).min(DEPTH),
                    left: left.values.as_ptr().wrapping_add(row * left.row_step + start * left.depth_step),
                    row_step: left.row_step,
                    depth_step: left.depth_step,
                    right: panel,
                    out: out.wrapping_add(row * step + column),
                    out_step: step,
                    columns: (right.columns - column).min(WIDTH),
                    add,
                };
                // SAFETY: the asserts above keep the reads inside both sides, the contract the writes.
                unsafe { micro::run(level, (rows - row).min(micro::ROWS), &tile) };
            }
        }
    }
}

/// `out (write) left · right` on this thread; rows of `out` lie `step` apart.
pub(crate) fn multiply(left: Left, right: Right, out: &mut [f32], step: usize, write: Write) {
    if left.rows > 0 && right.columns > 0 {
        let end = (left.rows - 1) * step + right.columns;
        assert!(end <= out.len(), "output of {} values ends before {end}", out.len());
    }
    // SAFETY: all rows lie inside `out`, which is borrowed for this call.
    unsafe { multiply_raw(left, right, out.as_mut_ptr(), step, write) }
}

/// `left · right` over all threads, as a new row-major buffer.
pub(crate) fn product(left: Left, right: Right) -> Vec<f32> {
    let len = left.rows * right.columns;
    let mut out = Vec::with_capacity(len);
    // SAFETY: room for `len` values, each written because the depth is set, not added; then they are there.
    unsafe {
        spread(left, right, out.as_mut_ptr(), Write::Set);
        out.set_len(len);
    }
    out
}

/// Adds `left · right` to row-major `out` over all threads.
pub(crate) fn accumulate(left: Left, right: Right, out: &mut [f32]) {
    assert_eq!(out.len(), left.rows * right.columns);
    // SAFETY: `out` has a value for each element and is borrowed for this call.
    unsafe { spread(left, right, out.as_mut_ptr(), Write::Add) }
}

/// The product in tiles of rows and columns over all threads.
///
/// # Safety
/// As [`multiply_raw`], for `rows * columns` contiguous values.
unsafe fn spread(left: Left, right: Right, out: *mut f32, write: Write) {
    let (rows, columns) = (left.rows, right.columns);
    if rows * columns * right.depth.max(1) <= SMALL {
        // SAFETY: by our own contract.
        return unsafe { multiply_raw(left, right, out, columns, write) };
    }
    let down = rows.div_ceil(ROWS);
    // narrow the tasks until there are some to share, but keep a panel's worth of columns each
    let mut wide = columns.next_multiple_of(WIDTH);
    while wide > WIDTH && (wide > 1024 || down * columns.div_ceil(wide) < 8) {
        wide = (wide / 2).next_multiple_of(WIDTH);
    }
    let across = columns.div_ceil(wide);
    // SAFETY: an address with room for every element, by our own contract.
    let target = Shared::new(unsafe {
        std::slice::from_raw_parts_mut(out.cast::<std::mem::MaybeUninit<f32>>(), rows * columns)
    });
    parallel::each(down * across, |task| {
        let (row, column) = (task / across * ROWS, task % across * wide);
        let part = Left { values: &left.values[row * left.row_step..], rows: (rows - row).min(ROWS), ..left };
        let right = right.columns(column, (columns - column).min(wide));
        // SAFETY: tasks have tiles of their own, inside the output.
        unsafe { multiply_raw(part, right, target.at(row * columns + column).cast(), columns, write) }
    });
}

#[cfg(test)]
mod tests;
