//! Tiles with AVX2: two registers a row and panel.

use super::{Tile, TURN, WIDTH};
use std::arch::x86_64::*;
use std::hint::black_box;

/// Rows that are few: two panels at a time.
pub(super) const FEW: usize = 9;

/// `DEEP`: depths of the left side lie side by side; else rows do.
///
/// # Safety
/// As [`super::run`].
#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn run<const DEEP: bool>(rows: usize, tile: &Tile) {
    // SAFETY: our own contract.
    unsafe {
        match (rows, tile.columns > WIDTH) {
            (1, true) => sums::<1, 4, DEEP, 0>(tile),
            (2, true) => sums::<2, 4, DEEP, 0>(tile),
            (_, true) => sums::<3, 4, DEEP, 0>(tile),
            (1, false) => sums::<1, 2, DEEP, 0>(tile),
            (2, false) => sums::<2, 2, DEEP, 0>(tile),
            (3, false) => sums::<3, 2, DEEP, 0>(tile),
            (4, false) => sums::<4, 2, DEEP, 0>(tile),
            (5, false) => sums::<5, 2, DEEP, 0>(tile),
            (_, false) => match tile.ahead {
                Some(_) => sums::<6, 2, DEEP, 2>(tile),
                None => sums::<6, 2, DEEP, 0>(tile),
            },
        }
    }
}

/// `R` rows of `C` registers, eight columns each, fetching `LINES` lines ahead in every turn.
#[target_feature(enable = "avx2,fma")]
unsafe fn sums<const R: usize, const C: usize, const DEEP: bool, const LINES: usize>(tile: &Tile) {
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
        // a step that is known makes most of the addresses
        let (row_step, depth_step) = if DEEP { (tile.row_step, 1) } else { (1, tile.depth_step) };
        let (mut panels, mut left) = (tile.panels::<2>(), tile.left);
        let mut ahead = tile.ahead.map_or(tile.right, |ahead| ahead.from);
        // between prefetches the compiler would load ahead until it has no registers left, if it knew how many depths
        let turn = if LINES > 0 { black_box(TURN) } else { TURN };
        for _ in 0..tile.depth / TURN {
            for at in 0..turn {
                let panels = panels.map(|panel| panel.wrapping_add(at * WIDTH));
                deeper(&panels, left.wrapping_add(at * depth_step), row_step, &mut sums);
            }
            panels = panels.map(|panel| panel.wrapping_add(TURN * WIDTH));
            left = left.wrapping_add(TURN * depth_step);
            for line in 0..LINES {
                _mm_prefetch::<_MM_HINT_T1>(ahead.wrapping_add(line * WIDTH).cast());
            }
            ahead = ahead.wrapping_add(LINES * WIDTH);
        }
        for _ in 0..tile.depth % TURN {
            deeper(&panels, left, row_step, &mut sums);
            panels = panels.map(|panel| panel.wrapping_add(WIDTH));
            left = left.wrapping_add(depth_step);
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

/// One depth more.
#[inline]
#[target_feature(enable = "avx2,fma")]
// the loops count and do not iterate: without link-time optimisation iterators are calls
#[allow(clippy::needless_range_loop)]
unsafe fn deeper<const R: usize, const C: usize>(
    panels: &[*const f32; 2],
    left: *const f32,
    row_step: usize,
    sums: &mut [[__m256; C]; R],
) {
    let mut y = [_mm256_setzero_ps(); C];
    // SAFETY: inside the tile by the contract of `run`.
    unsafe {
        for c in 0..C {
            y[c] = _mm256_loadu_ps(panels[c / 2].add(8 * (c % 2)));
        }
        for r in 0..R {
            let x = _mm256_broadcast_ss(&*left.wrapping_add(r * row_step));
            for c in 0..C {
                sums[r][c] = _mm256_fmadd_ps(x, y[c], sums[r][c]);
            }
        }
    }
}
