//! The innermost loop: up to 8 rows times 32 columns, kept in registers over the whole depth.

use super::WIDTH;
use crate::kernels::simd::Level;

/// Rows of a tile at most.
pub(super) const ROWS: usize = 8;

/// One tile of a product: where its two sides and its output are.
pub(super) struct Tile {
    pub depth: usize,
    pub left: *const f32,
    pub row_step: usize,
    pub depth_step: usize,
    pub right: *const f32,
    pub out: *mut f32,
    pub out_step: usize,
    pub columns: usize,
    pub add: bool,
}

/// Computes `rows` (1 to 8) rows of `tile`.
///
/// # Safety
/// All addresses must be valid for what the tile says of them, and the processor must have `level`.
pub(super) unsafe fn run(level: Level, rows: usize, tile: &Tile) {
    // SAFETY: our own contract.
    unsafe {
        match level {
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => match rows {
                1 => x86::wide::<1>(tile),
                2 => x86::wide::<2>(tile),
                3 => x86::wide::<3>(tile),
                4 => x86::wide::<4>(tile),
                5 => x86::wide::<5>(tile),
                6 => x86::wide::<6>(tile),
                7 => x86::wide::<7>(tile),
                _ => x86::wide::<8>(tile),
            },
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => x86::by_halves(rows, tile),
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
            if tile.add {
                std::ptr::copy_nonoverlapping(out, sums.as_mut_ptr(), tile.columns);
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

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Tile, WIDTH};
    use std::arch::x86_64::*;

    /// `R` rows with AVX-512: two registers a row.
    #[target_feature(enable = "avx512f")]
    pub(super) unsafe fn wide<const R: usize>(tile: &Tile) {
        let mask = ((1u64 << tile.columns) - 1) as u32;
        let (low, high) = (mask as u16, (mask >> 16) as u16);
        let mut sums = [[_mm512_setzero_ps(); 2]; R];
        // SAFETY: inside the tile by the contract of `run`; masked lanes are not touched.
        unsafe {
            if tile.add {
                for (row, sum) in sums.iter_mut().enumerate() {
                    let out = tile.out.add(row * tile.out_step);
                    sum[0] = _mm512_maskz_loadu_ps(low, out);
                    sum[1] = _mm512_maskz_loadu_ps(high, out.wrapping_add(16));
                }
            }
            let starts: [*const f32; R] =
                std::array::from_fn(|row| tile.left.wrapping_add(row * tile.row_step));
            let (mut right, mut at) = (tile.right, 0);
            for _ in 0..tile.depth {
                let y0 = _mm512_loadu_ps(right);
                let y1 = _mm512_loadu_ps(right.add(16));
                for (start, sum) in starts.iter().zip(&mut sums) {
                    let x = _mm512_set1_ps(*start.wrapping_add(at));
                    sum[0] = _mm512_fmadd_ps(x, y0, sum[0]);
                    sum[1] = _mm512_fmadd_ps(x, y1, sum[1]);
                }
                at += tile.depth_step;
                right = right.wrapping_add(WIDTH);
            }
            for (row, sum) in sums.iter().enumerate() {
                let out = tile.out.add(row * tile.out_step);
                _mm512_mask_storeu_ps(out, low, sum[0]);
                _mm512_mask_storeu_ps(out.wrapping_add(16), high, sum[1]);
            }
        }
    }

    /// Any number of rows with AVX2: four rows times sixteen columns at a time.
    #[target_feature(enable = "avx2,fma")]
    pub(super) unsafe fn by_halves(rows: usize, tile: &Tile) {
        for row in (0..rows).step_by(4) {
            for column in (0..tile.columns).step_by(16) {
                // SAFETY: our own contract.
                unsafe {
                    match (rows - row).min(4) {
                        1 => half::<1>(tile, row, column),
                        2 => half::<2>(tile, row, column),
                        3 => half::<3>(tile, row, column),
                        _ => half::<4>(tile, row, column),
                    }
                }
            }
        }
    }

    #[target_feature(enable = "avx2,fma")]
    unsafe fn half<const R: usize>(tile: &Tile, first: usize, column: usize) {
        let columns = (tile.columns - column).min(16);
        let mut sums = [[_mm256_setzero_ps(); 2]; R];
        // SAFETY: inside the tile by the contract of `run`; short rows go through a full one of our own.
        unsafe {
            for (row, sum) in sums.iter_mut().enumerate().filter(|_| tile.add) {
                let mut line = [0.0f32; 16];
                let out = tile.out.add((first + row) * tile.out_step + column);
                std::ptr::copy_nonoverlapping(out, line.as_mut_ptr(), columns);
                *sum = [_mm256_loadu_ps(line.as_ptr()), _mm256_loadu_ps(line.as_ptr().add(8))];
            }
            for d in 0..tile.depth {
                let right = tile.right.add(d * WIDTH + column);
                let (y0, y1) = (_mm256_loadu_ps(right), _mm256_loadu_ps(right.add(8)));
                for (row, sum) in sums.iter_mut().enumerate() {
                    let at = (first + row) * tile.row_step + d * tile.depth_step;
                    let x = _mm256_set1_ps(*tile.left.add(at));
                    sum[0] = _mm256_fmadd_ps(x, y0, sum[0]);
                    sum[1] = _mm256_fmadd_ps(x, y1, sum[1]);
                }
            }
            for (row, sum) in sums.iter().enumerate() {
                let mut line = [0.0f32; 16];
                _mm256_storeu_ps(line.as_mut_ptr(), sum[0]);
                _mm256_storeu_ps(line.as_mut_ptr().add(8), sum[1]);
                let out = tile.out.add((first + row) * tile.out_step + column);
                std::ptr::copy_nonoverlapping(line.as_ptr(), out, columns);
            }
        }
    }
}
