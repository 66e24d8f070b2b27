use super::*;
use crate::kernels::simd::{level, Level};
use crate::rng::{Purpose, Stream};

fn random(len: usize, minor: u64) -> Vec<f32> {
    let mut stream = Stream::new(5, Purpose::Task, 0, minor);
    (0..len).map(|_| stream.normal() as f32).collect()
}

/// Each element as one chain of fused multiply-adds: what every path must give bit for bit.
fn reference(left: &[f32], right: &[f32], rows: usize, depth: usize, columns: usize) -> Vec<f32> {
    reference_onto(&vec![0.0; columns], left, right, [rows, depth])
}

/// The same, with `row` in every row to begin with.
fn reference_onto(row: &[f32], left: &[f32], right: &[f32], [rows, depth]: [usize; 2]) -> Vec<f32> {
    let (mut out, columns) = (row.repeat(rows), row.len());
    for r in 0..rows {
        for c in 0..columns {
            for d in 0..depth {
                out[r * columns + c] =
                    left[r * depth + d].mul_add(right[d * columns + c], out[r * columns + c]);
            }
        }
    }
    out
}

#[test]
fn every_split_gives_the_same_bits() {
    for (rows, depth, columns) in [
        (1, 1, 1),
        (3, 5, 7),
        (8, 32, 32),
        (65, 40, 100),
        (200, 130, 344),
        (9, 2100, 33),
        (1, 70, 150),
        (2, 7, 70),
        (4, 600, 50),
    ] {
        let (a, b) = (random(rows * depth, 1), random(depth * columns, 2));
        let expected = reference(&a, &b, rows, depth, columns);
        let transposed: Vec<f32> = (0..columns * depth).map(|i| b[i % depth * columns + i / depth]).collect();
        let left = Left::rows(&a, rows, depth);
        assert_eq!(product(left, Panels::of_rows(&b, depth, columns).right(), None), expected);
        assert_eq!(product(left, Panels::of_columns(&transposed, depth, columns).right(), None), expected);
        let turned: Vec<f32> = (0..rows * depth).map(|i| a[i % rows * depth + i / rows]).collect();
        let mut panels = Panels::default();
        panels.pack_rows(&b, depth, columns, columns);
        let mut out = vec![f32::NAN; rows * columns];
        multiply(Left::columns(&turned, rows, rows), panels.right(), &mut out, columns, Write::Set);
        assert_eq!(out, expected);
        assert_eq!(product(Left::columns(&turned, rows, rows), panels.right(), None), expected);
        let row = random(columns, 6);
        let side = Side::Columns { values: &transposed, depth, columns };
        let onto = reference_onto(&row, &a, &b, [rows, depth]);
        assert_eq!(product(left, side, Some(&row)), onto);
        assert_eq!(product(left, panels.right(), Some(&row)), onto);
        // the first half of the depth set, the second added, is the same chain
        let half = depth / 2;
        multiply(left, panels.right().shallow(half), &mut out, columns, Write::Set);
        panels.pack_rows(&b[half * columns..], depth - half, columns, columns);
        multiply(Left::rows(&a[half..], rows, depth), panels.right(), &mut out, columns, Write::Add);
        assert_eq!(out, expected);
    }
}

#[test]
fn every_instruction_set_gives_the_same_bits() {
    let mut levels = vec![Level::Plain];
    #[cfg(target_arch = "x86_64")]
    match level() {
        Level::Avx512 => levels.extend([Level::Avx2, Level::Avx512]),
        Level::Avx2 => levels.push(Level::Avx2),
        Level::Plain => {}
    }
    // few rows and many, of every count that a tile can have left over, and of every share of what is fetched ahead
    for (rows, columns) in
        (1..=20).chain([30, 50]).flat_map(|rows| [(rows, 29), (rows, 64), (rows, 7), (rows, 45), (rows, 150)])
    {
        let depth = 50;
        let (a, b) = (random(rows * depth, 3), random(depth * columns, 4));
        let a_turned: Vec<f32> = (0..rows * depth).map(|i| a[i % rows * depth + i / rows]).collect();
        let row = random(columns, 6);
        let panels = Panels::of_rows(&b, depth, columns);
        for (begin, expected) in [
            (Write::Set, reference(&a, &b, rows, depth, columns)),
            (Write::Onto(&row), reference_onto(&row, &a, &b, [rows, depth])),
        ] {
            for (&level, far) in levels.iter().flat_map(|level| [(level, false), (level, true)]) {
                for turned in [false, true] {
                    let mut out = vec![f32::NAN; rows * columns];
                    for (start, deep, write) in [(0, 20, begin), (20, depth - 20, Write::Add)] {
                        let left = match turned {
                            true => Left::columns(&a_turned[start * rows..], rows, rows),
                            false => Left::rows(&a[start..], rows, depth),
                        };
                        let right = Right { far, ..panels.right().deep(start, deep) };
                        // SAFETY: all rows lie inside `out`, and the level is one this processor has.
                        unsafe { multiply_at(level, left, right, out.as_mut_ptr(), columns, write) };
                    }
                    assert_eq!(out, expected, "{level:?} {begin:?} far: {far} turned: {turned}");
                }
            }
        }
    }
}
