//! The innermost loop: a few rows times a few columns, kept in registers over the whole depth.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;

use super::WIDTH;
use crate::kernels::simd::Level;

/// Depths of one turn of the loop: addresses are worked out once for them.
const TURN: usize = 4;

/// How a product is cut up for an instruction set, so that sums stay in registers and a panel in a near cache.
#[derive(Clone, Copy)]
pub(super) struct Cut {
    /// Rows of a tile at most.
    pub rows: usize,
    /// Columns of a tile at most: of one panel or several.
    pub columns: usize,
    /// Depth that is worked through before the next rows.
    pub depth: usize,
}

impl Cut {
    /// For so many rows of the left side.
    pub fn of(level: Level, rows: usize) -> Self {
        match level {
            // few rows wait for memory: two panels are read at a time
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 if rows <= avx2::FEW => Self { rows: 3, columns: 2 * WIDTH, depth: 2048 },
            // one row is one chain of sums a panel: several at a time, for no chain to wait for
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 if rows == 1 => Self { rows: 1, columns: 8 * WIDTH, depth: 2048 },
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 if rows <= avx512::FEW => Self { rows: 4, columns: 4 * WIDTH, depth: 2048 },
            _ => Self::of_many(level).even(rows),
        }
    }

    /// For many rows.
    pub fn of_many(level: Level) -> Self {
        match level {
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => Self { rows: 6, columns: WIDTH, depth: 512 },
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => Self { rows: 12, columns: 2 * WIDTH, depth: 2048 },
            Level::Plain => Self { rows: 8, columns: WIDTH, depth: 2048 },
        }
    }

    /// As many tiles, but all about as high.
    fn even(self, rows: usize) -> Self {
        let tiles = rows.div_ceil(self.rows).max(1);
        Self { rows: rows.div_ceil(tiles).max(1), ..self }
    }
}

/// One tile of a product: where its two sides and its output are.
pub(super) struct Tile {
    pub depth: usize,
    pub left: *const f32,
    /// Of this and `depth_step`, one is 1.
    pub row_step: usize,
    pub depth_step: usize,
    /// The first panel; others, where there are columns of them, are each `panel_step` after the one before.
    pub right: *const f32,
    pub panel_step: usize,
    pub out: *mut f32,
    pub out_step: usize,
    pub columns: usize,
    /// What the sums begin with, if not with zeros, and how far its rows lie apart.
    pub begin: Option<(*const f32, usize)>,
    /// What will be read later and is far away, if anything.
    pub ahead: Option<Ahead>,
}

/// Memory to fetch while a tile is computed. It need not exist.
#[derive(Clone, Copy)]
pub(super) struct Ahead {
    pub from: *const f32,
    /// Lines a turn: 2, 4 or 8.
    pub lines: usize,
}

/// What each of some tiles over the same panels fetches of those that come after.
#[derive(Clone, Copy)]
pub(super) struct Shares {
    /// From the panels that are used to those that come after.
    skip: usize,
    /// Values a tile.
    each: usize,
    lines: usize,
}

impl Shares {
    /// For `tiles` tiles over `panels` panels.
    pub fn new(panels: usize, panel_step: usize, tiles: usize) -> Self {
        let skip = panels * panel_step;
        let lines = (TURN * panels).div_ceil(tiles).next_power_of_two().clamp(2, 8);
        Self { skip, each: skip.div_ceil(tiles), lines }
    }

    /// The share of tile `tile` over the panels at `right`.
    pub fn of(&self, right: *const f32, tile: usize) -> Ahead {
        Ahead { from: right.wrapping_add(self.skip + tile * self.each), lines: self.lines }
    }
}

#[cfg(target_arch = "x86_64")]
impl Tile {
    /// Its panels; the last again and again, where there are fewer than `P`.
    fn panels<const P: usize>(&self) -> [*const f32; P] {
        let last = self.columns.div_ceil(WIDTH) - 1;
        std::array::from_fn(|panel| self.right.wrapping_add(panel.min(last) * self.panel_step))
    }
}

/// Computes `rows` rows of `tile`, 1 to [`Cut::rows`].
///
/// # Safety
/// All addresses but those `ahead` must be valid for what the tile says of them, one of its left side's steps must be 1,
/// and the processor must have `level`.
pub(super) unsafe fn run(level: Level, rows: usize, tile: &Tile) {
    // SAFETY: our own contract.
    unsafe {
        match (level, tile.depth_step == 1) {
            #[cfg(target_arch = "x86_64")]
            (Level::Avx512, true) => avx512::run::<true>(rows, tile),
            #[cfg(target_arch = "x86_64")]
            (Level::Avx512, false) => avx512::run::<false>(rows, tile),
            #[cfg(target_arch = "x86_64")]
            (Level::Avx2, true) => avx2::run::<true>(rows, tile),
            #[cfg(target_arch = "x86_64")]
            (Level::Avx2, false) => avx2::run::<false>(rows, tile),
            (Level::Plain, _) => plain(rows, tile),
        }
    }
}

/// Any processor. `mul_add` rounds once, as the vector instructions do.
unsafe fn plain(rows: usize, tile: &Tile) {
    for row in 0..rows {
        // SAFETY: inside the tile by the contract of `run`.
        unsafe {
            let out = tile.out.add(row * tile.out_step);
            let mut sums = [0.0f32; WIDTH];
            if let Some((begin, step)) = tile.begin {
                std::ptr::copy_nonoverlapping(begin.add(row * step), sums.as_mut_ptr(), tile.columns);
            }
            for d in 0..tile.depth {
                let x = *tile.left.add(row * tile.row_step + d * tile.depth_step);
                let line = &*tile.right.add(d * WIDTH).cast::<[f32; WIDTH]>();
                for (sum, &y) in sums.iter_mut().zip(line) {
                    *sum = x.mul_add(y, *sum);
                }
            }
            std::ptr::copy_nonoverlapping(sums.as_ptr(), out, tile.columns);
        }
    }
}
