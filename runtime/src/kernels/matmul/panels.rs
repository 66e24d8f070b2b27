//! The right side of a product, packed: panels of 16 columns, each depth by depth, padded with zeros.

use crate::kernels::parallel::{self, unwritten};
use std::mem::MaybeUninit;

/// Columns in a panel.
pub(crate) const WIDTH: usize = 16;

/// One line of a panel, on a cache line of its own: vector loads then never straddle two.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Line([f32; WIDTH]);

/// Zero-initialised memory for panels, aligned.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lines(Vec<Line>);

impl Lines {
    /// So many zeros, rounded up to whole lines; large ones are handed out by the system as they are touched.
    pub fn zeros(len: usize) -> Self {
        let count = len.div_ceil(WIDTH);
        if count == 0 {
            return Self::default();
        }
        let Ok(layout) = std::alloc::Layout::array::<Line>(count) else {
            // more than the address space holds
            std::alloc::handle_alloc_error(std::alloc::Layout::new::<Line>())
        };
        // SAFETY: the layout is not empty; zeros are a valid `Line`; and it is the layout Vec would have
        // asked for.
        unsafe {
            let start = std::alloc::alloc_zeroed(layout).cast::<Line>();
            if start.is_null() {
                std::alloc::handle_alloc_error(layout);
            }
            Self(Vec::from_raw_parts(start, count, count))
        }
    }

    /// Changes the length; what was there stays, in part or whole.
    fn resize(&mut self, len: usize) {
        self.0.resize(len.div_ceil(WIDTH), Line([0.0; WIDTH]));
    }
}

impl std::ops::Deref for Lines {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        // SAFETY: a `Line` is WIDTH values without padding.
        unsafe { std::slice::from_raw_parts(self.0.as_ptr().cast(), self.0.len() * WIDTH) }
    }
}

impl std::ops::DerefMut for Lines {
    fn deref_mut(&mut self) -> &mut [f32] {
        // SAFETY: as above.
        unsafe { std::slice::from_raw_parts_mut(self.0.as_mut_ptr().cast(), self.0.len() * WIDTH) }
    }
}

/// A packed right side that owns its memory.
#[derive(Clone, Debug, Default)]
pub(crate) struct Panels {
    values: Lines,
    depth: usize,
    columns: usize,
}

/// A packed right side: element `(d, c)` is at `c / 16 * panel_step + d * 16 + c % 16`.
#[derive(Clone, Copy)]
pub(crate) struct Right<'a> {
    pub values: &'a [f32],
    pub depth: usize,
    pub columns: usize,
    pub panel_step: usize,
    /// Whether it is worth while to fetch a panel before its turn: it is used once, and in no near cache.
    pub far: bool,
}

impl<'a> Right<'a> {
    /// Columns `start..start + count`; `start` must be a multiple of 16.
    pub fn columns(self, start: usize, count: usize) -> Self {
        debug_assert!(start.is_multiple_of(WIDTH));
        Self { values: &self.values[start / WIDTH * self.panel_step..], columns: count, ..self }
    }

    /// The first `depth` of the depth.
    pub fn shallow(self, depth: usize) -> Self {
        debug_assert!(depth <= self.depth);
        Self { depth, ..self }
    }

    /// `depth` of the depth, from `start` on.
    pub fn deep(self, start: usize, depth: usize) -> Self {
        debug_assert!(start + depth <= self.depth);
        Self { values: &self.values[start * WIDTH..], depth, ..self }
    }

    /// Stops the program rather than read past the end.
    pub(super) fn check(&self) {
        let panels = self.columns.div_ceil(WIDTH);
        let end = (panels.max(1) - 1) * self.panel_step + self.depth * WIDTH;
        assert!(end <= self.values.len(), "right side of {} values ends before {end}", self.values.len());
    }
}

impl Panels {
    /// The packed right side, to multiply with.
    pub fn right(&self) -> Right<'_> {
        Right {
            values: &self.values,
            depth: self.depth,
            columns: self.columns,
            panel_step: self.depth * WIDTH,
            far: false,
        }
    }

    /// Makes room without clearing it; every value is written by the packing that follows.
    fn resize(&mut self, depth: usize, columns: usize) {
        (self.depth, self.columns) = (depth, columns);
        self.values.resize(columns.div_ceil(WIDTH) * depth * WIDTH);
    }

    /// Packs `depth` rows of `columns` values that lie `step` apart.
    pub fn pack_rows(&mut self, source: &[f32], depth: usize, columns: usize, step: usize) {
        self.resize(depth, columns);
        if depth == 0 {
            return;
        }
        for (panel, target) in unwritten(&mut self.values).chunks_exact_mut(depth * WIDTH).enumerate() {
            pack_panel_of_rows(target, &source[panel * WIDTH..], (columns - panel * WIDTH).min(WIDTH), step);
        }
    }

    /// Packs the transpose of `columns` rows of `depth` values that lie `step` apart.
    pub fn pack_columns(&mut self, source: &[f32], depth: usize, columns: usize, step: usize) {
        self.resize(depth, columns);
        if depth == 0 {
            return;
        }
        for (panel, target) in unwritten(&mut self.values).chunks_exact_mut(depth * WIDTH).enumerate() {
            pack_panel_of_columns(
                target,
                &source[panel * WIDTH * step..],
                (columns - panel * WIDTH).min(WIDTH),
                step,
            );
        }
    }

    /// [`Panels::pack_rows`] of a large contiguous matrix, over all threads.
    pub fn of_rows(source: &[f32], depth: usize, columns: usize) -> Self {
        Self::spread(depth, columns, |panel, target| {
            pack_panel_of_rows(
                target,
                &source[panel * WIDTH..],
                (columns - panel * WIDTH).min(WIDTH),
                columns,
            );
        })
    }

    /// [`Panels::pack_columns`] of a large contiguous matrix, over all threads.
    pub fn of_columns(source: &[f32], depth: usize, columns: usize) -> Self {
        Self::spread(depth, columns, |panel, target| {
            let rows = (columns - panel * WIDTH).min(WIDTH);
            pack_panel_of_columns(target, &source[panel * WIDTH * depth..], rows, depth);
        })
    }

    /// `pack` writes the whole of the panel that it is told.
    fn spread(depth: usize, columns: usize, pack: impl Fn(usize, &mut [MaybeUninit<f32>]) + Sync) -> Self {
        let count = columns.div_ceil(WIDTH) * depth;
        let mut lines = Vec::with_capacity(count);
        if depth > 0 {
            // several panels a task, so that a task is worth its start
            let group = parallel::PIECE.div_ceil(depth * WIDTH);
            parallel::each_piece(&mut lines.spare_capacity_mut()[..count], group * depth, |start, lines| {
                for (i, panel) in lines.chunks_exact_mut(depth).enumerate() {
                    // SAFETY: a line is WIDTH values without padding.
                    let values =
                        unsafe { std::slice::from_raw_parts_mut(panel.as_mut_ptr().cast(), depth * WIDTH) };
                    pack(start / depth + i, values);
                }
            });
        }
        // SAFETY: all panels have been packed.
        unsafe { lines.set_len(count) };
        Self { values: Lines(lines), depth, columns }
    }
}

/// Writes the whole of `target`.
fn pack_panel_of_rows(target: &mut [MaybeUninit<f32>], source: &[f32], columns: usize, step: usize) {
    for (d, line) in target.chunks_exact_mut(WIDTH).enumerate() {
        let from = &source[d * step..][..columns];
        if columns == WIDTH {
            line.write_copy_of_slice(from);
        } else {
            line[..columns].write_copy_of_slice(from);
            line[columns..].fill(MaybeUninit::new(0.0));
        }
    }
}

/// Writes the whole of `target`.
fn pack_panel_of_columns(target: &mut [MaybeUninit<f32>], source: &[f32], columns: usize, step: usize) {
    let depth = target.len() / WIDTH;
    if columns < WIDTH {
        target.fill(MaybeUninit::new(0.0));
    }
    // eight columns at a time: eight reading heads, and writes that stay within a cache line
    for first in (0..columns).step_by(8) {
        let heads = (columns - first).min(8);
        if heads == 8 {
            let rows: [&[f32]; 8] = std::array::from_fn(|i| &source[(first + i) * step..][..depth]);
            for (d, line) in target.chunks_exact_mut(WIDTH).enumerate() {
                for (slot, row) in line[first..first + 8].iter_mut().zip(&rows) {
                    slot.write(row[d]);
                }
            }
        } else {
            for c in first..first + heads {
                for (line, &v) in target.chunks_exact_mut(WIDTH).zip(&source[c * step..][..depth]) {
                    line[c].write(v);
                }
            }
        }
    }
}
