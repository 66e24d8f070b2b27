//! Tiles with AVX-512: a register a row and panel.

use super::{Tile, TURN, WIDTH};
use std::arch::asm;
use std::arch::x86_64::*;

/// Rows that are few: more panels at a time.
pub(super) const FEW: usize = 4;

/// `DEEP`: depths of the left side lie side by side; else rows do.
///
/// # Safety
/// As [`super::run`].
#[target_feature(enable = "avx512f")]
pub(super) unsafe fn run<const DEEP: bool>(rows: usize, tile: &Tile) {
    // SAFETY: our own contract.
    unsafe {
        match (rows, tile.columns.div_ceil(WIDTH)) {
            (1, 1) => sums::<1, 1, DEEP, 0>(tile),
            (1, 2) => sums::<1, 2, DEEP, 0>(tile),
            (1, 3 | 4) => sums::<1, 4, DEEP, 0>(tile),
            (1, _) => sums::<1, 8, DEEP, 0>(tile),
            (2, 1 | 2) => sums::<2, 2, DEEP, 0>(tile),
            (2, _) => sums::<2, 4, DEEP, 0>(tile),
            (3, 1 | 2) => sums::<3, 2, DEEP, 0>(tile),
            (3, _) => sums::<3, 4, DEEP, 0>(tile),
            (4, 1 | 2) => sums::<4, 2, DEEP, 0>(tile),
            (4, _) => sums::<4, 4, DEEP, 0>(tile),
            _ if !DEEP => many::<DEEP, 0>(rows, tile),
            _ => match tile.ahead.map_or(0, |ahead| ahead.lines) {
                0 => many::<DEEP, 0>(rows, tile),
                2 => many::<DEEP, 2>(rows, tile),
                4 => many::<DEEP, 4>(rows, tile),
                _ => many::<DEEP, 8>(rows, tile),
            },
        }
    }
}

#[target_feature(enable = "avx512f")]
unsafe fn many<const DEEP: bool, const LINES: usize>(rows: usize, tile: &Tile) {
    // SAFETY: our own contract.
    unsafe {
        match rows {
            5 => sums::<5, 2, DEEP, LINES>(tile),
            6 => sums::<6, 2, DEEP, LINES>(tile),
            7 => sums::<7, 2, DEEP, LINES>(tile),
            8 => sums::<8, 2, DEEP, LINES>(tile),
            9 => sums::<9, 2, DEEP, LINES>(tile),
            10 => sums::<10, 2, DEEP, LINES>(tile),
            11 => sums::<11, 2, DEEP, LINES>(tile),
            _ => sums::<12, 2, DEEP, LINES>(tile),
        }
    }
}

/// `R` rows of `P` panels, fetching `LINES` lines ahead in every turn.
#[target_feature(enable = "avx512f")]
unsafe fn sums<const R: usize, const P: usize, const DEEP: bool, const LINES: usize>(tile: &Tile) {
    const { assert!(LINES == 0 || (P == 2 && R <= 12), "`deeper_in_order` knows two panels and twelve rows") };
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
        // a step that is known makes most of the addresses
        let (row_step, depth_step) = if DEEP { (tile.row_step, 1) } else { (1, tile.depth_step) };
        let (mut panels, mut left) = (tile.panels::<P>(), tile.left);
        let mut ahead = tile.ahead.map_or(tile.right, |ahead| ahead.from);
        for _ in 0..tile.depth / TURN {
            if LINES > 0 {
                deeper_in_order::<R, P, 0>(&panels, left, row_step, &mut sums);
                deeper_in_order::<R, P, 1>(&panels, left, row_step, &mut sums);
                deeper_in_order::<R, P, 2>(&panels, left, row_step, &mut sums);
                deeper_in_order::<R, P, 3>(&panels, left, row_step, &mut sums);
            } else {
                for at in 0..TURN {
                    let panels = panels.map(|panel| panel.wrapping_add(at * WIDTH));
                    deeper(&panels, left.wrapping_add(at * depth_step), row_step, &mut sums);
                }
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
        for (row, sums) in sums.iter().enumerate() {
            let out = tile.out.add(row * tile.out_step);
            for ((panel, &sum), &mask) in sums.iter().enumerate().zip(&masks) {
                _mm512_mask_storeu_ps(out.wrapping_add(panel * WIDTH), mask, sum);
            }
        }
    }
}

/// One depth more.
#[inline]
#[target_feature(enable = "avx512f")]
// the loops count and do not iterate: without link-time optimisation iterators are calls
#[allow(clippy::needless_range_loop)]
unsafe fn deeper<const R: usize, const P: usize>(
    panels: &[*const f32; P],
    left: *const f32,
    row_step: usize,
    sums: &mut [[__m512; P]; R],
) {
    let mut y = [_mm512_setzero_ps(); P];
    // SAFETY: inside the tile by the contract of `run`.
    unsafe {
        for p in 0..P {
            y[p] = _mm512_loadu_ps(panels[p]);
        }
        for r in 0..R {
            let x = _mm512_set1_ps(*left.wrapping_add(r * row_step));
            for p in 0..P {
                sums[r][p] = _mm512_fmadd_ps(x, y[p], sums[r][p]);
            }
        }
    }
}

/// [`deeper`] into two panels, `AT` depths on. In just this order: between prefetches the compiler would load ahead until
/// it has no registers left. Three rows share a base, for so far an address reaches; the first of them names the step in
/// a comment, since an operand must be named.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn deeper_in_order<const R: usize, const P: usize, const AT: usize>(
    panels: &[*const f32; P],
    left: *const f32,
    row_step: usize,
    sums: &mut [[__m512; P]; R],
) {
    // SAFETY: inside the tile by the contract of `run`; what is loaded is all that is touched.
    unsafe {
        let (first, second): (__m512, __m512);
        asm!(
            "vmovups {y}, [{panel} + {at}]",
            panel = in(reg) panels[0], at = const AT * 4 * WIDTH, y = out(zmm_reg) first,
            options(readonly, nostack, preserves_flags),
        );
        asm!(
            "vmovups {y}, [{panel} + {at}]",
            panel = in(reg) panels[P - 1], at = const AT * 4 * WIDTH, y = out(zmm_reg) second,
            options(readonly, nostack, preserves_flags),
        );
        macro_rules! row {
            ($r:literal, $x:literal) => {
                if $r < R {
                    asm!(
                        $x,
                        "vfmadd231ps {a}, {x}, {first}",
                        "vfmadd231ps {b}, {x}, {second}",
                        x = out(zmm_reg) _, first = in(zmm_reg) first, second = in(zmm_reg) second,
                        a = inout(zmm_reg) sums[$r % R][0], b = inout(zmm_reg) sums[$r % R][P - 1],
                        base = in(reg) left.wrapping_add($r / 3 * 3 * row_step), step = in(reg) row_step,
                        at = const AT * 4,
                        options(readonly, nostack, preserves_flags),
                    )
                }
            };
        }
        macro_rules! rows {
            ($($a:literal $b:literal $c:literal),+) => {$(
                row!($a, "vbroadcastss {x}, [{base} + {at}] /* {step} */");
                row!($b, "vbroadcastss {x}, [{base} + 4 * {step} + {at}]");
                row!($c, "vbroadcastss {x}, [{base} + 8 * {step} + {at}]");
            )+};
        }
        rows! { 0 1 2, 3 4 5, 6 7 8, 9 10 11 }
    }
}
