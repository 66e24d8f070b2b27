//! Matrix products on the CPU: `out = left · right`, or added to what is there.
//!
//! Every element is one chain of fused multiply-adds over the depth, in order, from zero or from what was
//! there. So its bits depend on its row of `left` and its column of `right` alone: not on how the work is
//! split, not on the other rows of the batch, not on the instruction set. Decoding one token gives
//! exactly the numbers of the whole forward pass, and a batch may be split anywhere.

mod micro;
mod panels;
mod spread;

pub(crate) use panels::{Lines, Panels, Right, WIDTH};
pub(crate) use spread::{accumulate, overwrite, product, Side};

use super::simd::Level;
use micro::{Cut, Shares, Tile};

/// The left side: element `(row, depth)` is at `row * row_step + depth * depth_step`.
#[derive(Clone, Copy)]
pub(crate) struct Left<'a> {
    pub values: &'a [f32],
    pub rows: usize,
    pub row_step: usize,
    pub depth_step: usize,
    /// Where the rows of one tile lie like that.
    tiles: Option<Tiles>,
}

/// A left side in tiles.
#[derive(Clone, Copy)]
struct Tiles {
    /// Rows of a tile.
    rows: usize,
    /// How far they lie apart.
    step: usize,
}

impl<'a> Left<'a> {
    /// `rows` rows, each `step` after the one before it.
    pub fn rows(values: &'a [f32], rows: usize, step: usize) -> Self {
        Self { values, rows, row_step: step, depth_step: 1, tiles: None }
    }

    /// The transpose of rows that lie `step` apart: `rows` of its columns.
    pub fn columns(values: &'a [f32], rows: usize, step: usize) -> Self {
        Self { values, rows, row_step: 1, depth_step: step, tiles: None }
    }

    /// How it is multiplied.
    fn cut(&self, level: Level) -> Cut {
        match self.tiles {
            None => Cut::of(level, self.rows),
            Some(tiles) => Cut { rows: tiles.rows, ..Cut::of_many(level) },
        }
    }

    /// Where tile `tile` begins, whose first row is `row`.
    fn start(&self, tile: usize, row: usize) -> usize {
        self.tiles.map_or(row * self.row_step, |tiles| tile * tiles.step)
    }
}

/// What the chains of a product begin with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Write<'a> {
    /// With zeros: the product replaces what is in the output.
    Set,
    /// With what is in the output: the product is added to it.
    Add,
    /// With these values in every row, one a column: the product and they replace what is in the output.
    Onto(&'a [f32]),
}

impl Write<'_> {
    /// From column `column` on.
    fn columns(self, column: usize) -> Self {
        match self {
            Self::Onto(row) => Self::Onto(&row[column..]),
            other => other,
        }
    }
}

/// `out (write) left · right` on this thread. Row r of the output starts at `out + r * step`.
///
/// # Safety
/// `out` must be valid for writing each row's `right.columns` values, and for reading them under
/// [`Write::Add`]; nobody else may touch them meanwhile.
pub(crate) unsafe fn multiply_raw(left: Left, right: Right, out: *mut f32, step: usize, write: Write) {
    // SAFETY: by our own contract.
    unsafe { multiply_at(super::simd::level(), left, right, out, step, write) }
}

/// [`multiply_raw`] with the instructions of `level`, which this processor must have.
unsafe fn multiply_at(level: Level, left: Left, right: Right, out: *mut f32, step: usize, write: Write) {
    let (rows, depth) = (left.rows, right.depth);
    if rows == 0 || right.columns == 0 {
        return;
    }
    assert!(left.row_step == 1 || left.depth_step == 1, "rows or depths of a left side lie side by side");
    let cut = left.cut(level);
    let tiles = rows.div_ceil(cut.rows);
    if depth > 0 {
        let (tile, row) = (tiles - 1, (tiles - 1) * cut.rows);
        let last = left.start(tile, row) + (rows - 1 - row) * left.row_step + (depth - 1) * left.depth_step;
        assert!(last < left.values.len(), "left side of {} values ends before {last}", left.values.len());
    }
    right.check();
    if let Write::Onto(row) = write {
        assert!(row.len() >= right.columns, "a row of {} values for {} columns", row.len(), right.columns);
    }
    let shares = right.far.then(|| Shares::new(cut.columns / WIDTH, right.panel_step, tiles));
    for start in (0..depth.max(1)).step_by(cut.depth) {
        let write = if start > 0 { Write::Add } else { write };
        for column in (0..right.columns).step_by(cut.columns) {
            let at = column / WIDTH * right.panel_step + start * WIDTH;
            let panel = right.values.as_ptr().wrapping_add(at);
            for tile in 0..tiles {
                let row = tile * cut.rows;
                let first = left.start(tile, row) + start * left.depth_step;
                let to = out.wrapping_add(row * step + column);
                let begin = match write {
                    Write::Set => None,
                    Write::Add => Some((to.cast_const(), step)),
                    Write::Onto(row) => Some((row.as_ptr().wrapping_add(column), 0)),
                };
                let of = Tile {
                    depth: (depth - start).min(cut.depth),
                    left: left.values.as_ptr().wrapping_add(first),
                    row_step: left.row_step,
                    depth_step: left.depth_step,
                    right: panel,
                    panel_step: right.panel_step,
                    out: to,
                    out_step: step,
                    columns: (right.columns - column).min(cut.columns),
                    begin,
                    ahead: shares.map(|shares| shares.of(panel, tile)),
                };
                // SAFETY: the asserts above keep the reads inside both sides, the contract the writes.
                unsafe { micro::run(level, (rows - row).min(cut.rows), &of) };
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

#[cfg(test)]
mod tests;
