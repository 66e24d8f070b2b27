//! The innermost loop: a few rows times a few columns, kept in registers over the whole depth.

use super::WIDTH;
use crate::kernels::simd::Level;

/// Rows that are few.
#[cfg(target_arch = "x86_64")]
const FEW: usize = 9;

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
            Level::Avx2 if rows <= FEW => Self { rows: 3, columns: 2 * WIDTH, depth: 2048 },
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => Self { rows: 6, columns: WIDTH, depth: 512 },
            // one row is one chain of sums a panel: several at a time, for no chain to wait for
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 if rows == 1 => Self { rows: 1, columns: 8 * WIDTH, depth: 2048 },
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 if rows <= 4 => Self { rows: 4, columns: 4 * WIDTH, depth: 2048 },
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => Self { rows: 8, columns: 2 * WIDTH, depth: 2048 },
            Level::Plain => Self { rows: 8, columns: WIDTH, depth: 2048 },
        }
    }
}

/// One tile of a product: where its two sides and its output are.
pub(super) struct Tile {
    pub depth: usize,
    pub left: *const f32,
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
/// All addresses must be valid for what the tile says of them, and the processor must have `level`.
pub(super) unsafe fn run(level: Level, rows: usize, tile: &Tile) {
    // SAFETY: our own contract.
    unsafe {
        match level {
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => match (rows, tile.columns.div_ceil(WIDTH)) {
                (1, 1) => x86::wide::<1, 1>(tile),
                (1, 2) => x86::wide::<1, 2>(tile),
                (1, 3 | 4) => x86::wide::<1, 4>(tile),
                (1, _) => x86::wide::<1, 8>(tile),
                (2, 1 | 2) => x86::wide::<2, 2>(tile),
                (2, _) => x86::wide::<2, 4>(tile),
                (3, 1 | 2) => x86::wide::<3, 2>(tile),
                (3, _) => x86::wide::<3, 4>(tile),
                (4, 1 | 2) => x86::wide::<4, 2>(tile),
                (4, _) => x86::wide::<4, 4>(tile),
                (5, _) => x86::wide::<5, 2>(tile),
                (6, _) => x86::wide::<6, 2>(tile),
                (7, _) => x86::wide::<7, 2>(tile),
                (_, _) => x86::wide::<8, 2>(tile),
            },
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => match (rows, tile.columns > WIDTH) {
                (1, true) => x86::middle::<1, 4>(tile),
                (2, true) => x86::middle::<2, 4>(tile),
                (_, true) => x86::middle::<3, 4>(tile),
                (1, false) => x86::middle::<1, 2>(tile),
                (2, false) => x86::middle::<2, 2>(tile),
                (3, false) => x86::middle::<3, 2>(tile),
                (4, false) => x86::middle::<4, 2>(tile),
                (5, false) => x86::middle::<5, 2>(tile),
                (_, false) => x86::middle::<6, 2>(tile),
            },
            Level::Plain => plain(rows, tile),
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

// the loops over the depth count and do not iterate: without link-time optimisation iterators are calls
#[cfg(target_arch = "x86_64")]
#[allow(clippy::needless_range_loop)]
mod x86 {
    use super::{Tile, WIDTH};
    use std::arch::x86_64::*;

    /// `R` rows with AVX-512: a register a row and panel.
    #[target_feature(enable = "avx512f")]
    pub(super) unsafe fn wide<const R: usize, const P: usize>(tile: &Tile) {
        // which columns of a panel there are
        let masks: [u16; P] = std::array::from_fn(|panel| {
            let columns = tile.columns.saturating_sub(panel * WIDTH).min(WIDTH);
            ((1u32 << columns) - 1) as u16
        });
        let mut sums = [[_mm512_setzero_ps(); P]; R];
        // SAFETY: inside the tile by the contract of `run`; masked lanes are not touched.
        unsafe {
            if let Some((begin, step)) = tile.begin {
                for (row, sums) in sums.iter_mut().enumerate() {
                    let begin = begin.add(row * step);
                    for ((panel, sum), &mask) in sums.iter_mut().enumerate().zip(&masks) {
                        *sum = _mm512_maskz_loadu_ps(mask, begin.wrapping_add(panel * WIDTH));
                    }
                }
            }
            let starts: [*const f32; R] =
                std::array::from_fn(|row| tile.left.wrapping_add(row * tile.row_step));
            let (mut panels, mut at) = (tile.panels::<P>(), 0);
            for _ in 0..tile.depth {
                let mut y = [_mm512_setzero_ps(); P];
                for p in 0..P {
                    y[p] = _mm512_loadu_ps(panels[p]);
                    panels[p] = panels[p].wrapping_add(WIDTH);
                }
                for r in 0..R {
                    let x = _mm512_set1_ps(*starts[r].wrapping_add(at));
                    for p in 0..P {
                        sums[r][p] = _mm512_fmadd_ps(x, y[p], sums[r][p]);
                    }
                }
                at += tile.depth_step;
            }
            for (row, sums) in sums.iter().enumerate() {
                let out = tile.out.add(row * tile.out_step);
                for ((panel, &sum), &mask) in sums.iter().enumerate().zip(&masks) {
                    _mm512_mask_storeu_ps(out.wrapping_add(panel * WIDTH), mask, sum);
                }
            }
        }
    }

    /// `R` rows with AVX2: `C` registers a row, eight columns each.
    #[target_feature(enable = "avx2,fma")]
    pub(super) unsafe fn middle<const R: usize, const C: usize>(tile: &Tile) {
        let mut sums = [[_mm256_setzero_ps(); C]; R];
        // SAFETY: inside the tile by the contract of `run`; short rows go through a full one of our own.
        unsafe {
            let whole = tile.columns == 8 * C;
            if let Some((begin, step)) = tile.begin {
                for (row, sum) in sums.iter_mut().enumerate() {
                    let mut begin = begin.add(row * step);
                    let mut line = [0.0f32; 2 * WIDTH];
                    if !whole {
                        std::ptr::copy_nonoverlapping(begin, line.as_mut_ptr(), tile.columns);
                        begin = line.as_ptr();
                    }
                    *sum = std::array::from_fn(|c| _mm256_loadu_ps(begin.add(8 * c)));
                }
            }
            let starts: [*const f32; R] =
                std::array::from_fn(|row| tile.left.wrapping_add(row * tile.row_step));
            let (mut panels, mut at) = (tile.panels::<2>(), 0);
            for _ in 0..tile.depth {
                let mut y = [_mm256_setzero_ps(); C];
                for c in 0..C {
                    y[c] = _mm256_loadu_ps(panels[c / 2].add(8 * (c % 2)));
                }
                for r in 0..R {
                    let x = _mm256_broadcast_ss(&*starts[r].wrapping_add(at));
                    for c in 0..C {
                        sums[r][c] = _mm256_fmadd_ps(x, y[c], sums[r][c]);
                    }
                }
                at += tile.depth_step;
                panels = [panels[0].wrapping_add(WIDTH), panels[1].wrapping_add(WIDTH)];
            }
            for (row, sum) in sums.iter().enumerate() {
                let out = tile.out.add(row * tile.out_step);
                let mut line = [0.0f32; 2 * WIDTH];
                let to = if whole { out } else { line.as_mut_ptr() };
                for (c, &sum) in sum.iter().enumerate() {
                    _mm256_storeu_ps(to.add(8 * c), sum);
                }
                if !whole {
                    std::ptr::copy_nonoverlapping(line.as_ptr(), out, tile.columns);
                }
            }
        }
    }
}
