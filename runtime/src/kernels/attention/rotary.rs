//! Rotary positions (Su et al., RoFormer, 2021), half-split as in the Hugging Face models.

use crate::kernels::parallel::unwritten;
use crate::kernels::simd::vectorised;
use std::mem::MaybeUninit;

/// How fast the pairs of a head turn.
///
/// ```
/// use limbeck::kernels::attention::Rates;
///
/// // theta^(-2i / width)
/// assert_eq!(Rates::of(4, 100.0).radians, [1.0, 0.1]);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Rates {
    /// Radians a position, for every pair (2 pairs are 4 values of a head).
    pub radians: Vec<f32>,
    /// What the rotated values are multiplied by: 1, but for scalings that sharpen attention.
    pub length: f64,
}

impl Rates {
    /// The rates of RoFormer for heads of `width` values: `theta^(-2i / width)`.
    pub fn of(width: usize, theta: f64) -> Self {
        let rate = |i: usize| (1.0 / theta.powf(2.0 * i as f64 / width as f64)) as f32;
        Self { radians: (0..width / 2).map(rate).collect(), length: 1.0 }
    }
}

/// cos and sin of `position * rate`, for every position and every pair of a head.
#[derive(Debug)]
pub struct Rotary {
    half: usize,
    turns: bool,
    cos: Vec<f32>,
    sin: Vec<f32>,
}

impl Rotary {
    /// The table for `positions` positions.
    pub fn new(positions: usize, rates: &Rates) -> Self {
        // angles are rounded to f32 as in transformers, so that far positions agree with it
        let angles = (0..positions).flat_map(|p| rates.radians.iter().map(move |r| f64::from(p as f32 * r)));
        let (sin, cos) =
            angles.map(|a| ((a.sin() * rates.length) as f32, (a.cos() * rates.length) as f32)).unzip();
        let turns = rates.length != 1.0 || rates.radians.iter().any(|&rate| rate != 0.0);
        Self { half: rates.radians.len(), turns, cos, sin }
    }

    /// A table that turns nothing: for what has positions of its own.
    pub fn none(positions: usize, width: usize) -> Self {
        Self::new(positions, &Rates { radians: vec![0.0; width / 2], length: 1.0 })
    }

    /// Whether it changes anything.
    pub(crate) fn turns(&self) -> bool {
        self.turns
    }

    /// How many positions the table has.
    pub fn positions(&self) -> usize {
        self.cos.len() / self.half.max(1)
    }

    /// Half the width of a head.
    pub fn half(&self) -> usize {
        self.half
    }

    /// All cosines and all sines, position by position.
    #[cfg(any(test, feature = "cuda"))]
    pub(crate) fn tables(&self) -> (&[f32], &[f32]) {
        (&self.cos, &self.sin)
    }

    /// Cosines and sines of `position`.
    pub(crate) fn at(&self, position: usize) -> (&[f32], &[f32]) {
        let start = position * self.half;
        (&self.cos[start..][..self.half], &self.sin[start..][..self.half])
    }
}

/// Rotates each head in `from` (one row) by the angles given, scaled by `scale`, into `to`.
pub(crate) fn rotate(from: &[f32], cos: &[f32], sin: &[f32], scale: f32, to: &mut [f32]) {
    rotate_fresh(from, cos, sin, scale, unwritten(to));
}

vectorised! {
    /// [`rotate`] into memory that holds nothing yet: every value of it is written.
    pub(crate) fn rotate_fresh(from: &[f32], cos: &[f32], sin: &[f32], scale: f32, to: &mut [MaybeUninit<f32>]) {
        let half = cos.len();
        for (from, to) in from.chunks_exact(2 * half).zip(to.chunks_exact_mut(2 * half)) {
            let ((a, b), (to_a, to_b)) = (from.split_at(half), to.split_at_mut(half));
            let angles = cos.iter().zip(sin);
            let values = a.iter().zip(b).zip(angles);
            for (((a, b), (c, s)), (to_a, to_b)) in values.zip(to_a.iter_mut().zip(to_b)) {
                to_a.write((a * c - b * s) * scale);
                to_b.write((b * c + a * s) * scale);
            }
        }
    }

    /// Adds to `to` the gradient through [`rotate`]: `from` turned back and scaled.
    pub(crate) fn rotate_back(from: &[f32], cos: &[f32], sin: &[f32], scale: f32, to: &mut [f32]) {
        let half = cos.len();
        for (from, to) in from.chunks_exact(2 * half).zip(to.chunks_exact_mut(2 * half)) {
            let ((a, b), (to_a, to_b)) = (from.split_at(half), to.split_at_mut(half));
            let angles = cos.iter().zip(sin);
            let values = a.iter().zip(b).zip(angles);
            for (((a, b), (c, s)), (to_a, to_b)) in values.zip(to_a.iter_mut().zip(to_b)) {
                *to_a += (a * c + b * s) * scale;
                *to_b += (b * c - a * s) * scale;
            }
        }
    }
}
