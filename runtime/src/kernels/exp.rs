//! Exponentials that vectorise, and what is made of them: sums, log-sum-exp, softmax.
//!
//! Sums run over a fixed number of lanes, so their bits depend on the values and their order alone.

use super::simd::vectorised;
use std::array::from_fn;
use std::hint::black_box;

/// e^x for `f32`, relative error about 1e-7. 0 below -87.3; stays finite (2.4e38) above 88.3.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    exp_up_to_88(if x > 88.3 { 88.3 } else { x })
}

/// [`exp`] of what is no larger than 88.3.
#[inline(always)]
fn exp_up_to_88(x: f32) -> f32 {
    const MAGIC: f32 = 12_582_912.0; // 1.5 * 2^23: adding it rounds to an integer
    let inside = if x < -87.3 { -87.3 } else { x };
    let shifted = inside * std::f32::consts::LOG2_E + MAGIC;
    let n = shifted - MAGIC;
    // ln 2 in two parts, the first short enough for n * part to be exact
    let r = (inside - n * 0.693_359_4) - n * -2.121_944_4e-4;
    let p = 1.987_569_1e-4;
    let p = p * r + 1.398_2e-3;
    let p = p * r + 8.333_452e-3;
    let p = p * r + 4.166_579_6e-2;
    let p = p * r + 1.666_666_5e-1;
    let p = p * r + 0.5;
    let power = f32::from_bits(shifted.to_bits().wrapping_sub(MAGIC.to_bits()).wrapping_add(127) << 23);
    let y = ((p * r * r + r) + 1.0) * power;
    if x < -87.3 {
        0.0
    } else {
        y
    }
}

/// e^x for `f64`, relative error about 3e-16. 0 below -708; stays finite above 709.
#[inline(always)]
pub fn exp64(x: f64) -> f64 {
    const MAGIC: f64 = 6_755_399_441_055_744.0; // 1.5 * 2^52
    let inside = if x > 709.0 { 709.0 } else { x };
    let inside = if inside < -708.0 { -708.0 } else { inside };
    let shifted = inside * std::f64::consts::LOG2_E + MAGIC;
    let n = shifted - MAGIC;
    let r = (inside - n * 6.931_471_803_691_238e-1) - n * 1.908_214_929_270_587_7e-10;
    // the Taylor series: |r| <= 0.347, so the next term is below 4e-18
    let mut p = 1.0 / 6_227_020_800.0;
    for c in [
        1.0 / 479_001_600.0,
        1.0 / 39_916_800.0,
        1.0 / 3_628_800.0,
        1.0 / 362_880.0,
        1.0 / 40_320.0,
        1.0 / 5_040.0,
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5,
    ] {
        p = p * r + c;
    }
    let power = f64::from_bits(shifted.to_bits().wrapping_sub(MAGIC.to_bits()).wrapping_add(1023) << 52);
    let y = ((p * r * r + r) + 1.0) * power;
    if x < -708.0 {
        0.0
    } else {
        y
    }
}

const LANES: usize = 16;

/// The largest of `values`; -inf when there are none. NaN is skipped.
#[inline(always)]
pub(crate) fn largest(values: &[f32]) -> f32 {
    // several vectors of lanes, for none to wait for the one before it
    let (chunks, rest) = values.as_chunks::<{ 4 * LANES }>();
    let mut lanes = [f32::NEG_INFINITY; 4 * LANES];
    for chunk in chunks {
        for (lane, &v) in lanes.iter_mut().zip(chunk) {
            *lane = if v > *lane { v } else { *lane };
        }
    }
    // others than those above, which are left in registers so
    let mut lanes = lanes.map(|lane| lane);
    for (lane, &v) in lanes.iter_mut().zip(rest) {
        *lane = if v > *lane { v } else { *lane };
    }
    let larger = |a: f32, b: f32| if b > a { b } else { a };
    let lanes: [f32; LANES] = from_fn(|i| {
        let [a, b, c, d] = from_fn(|vector| lanes[vector * LANES + i]);
        larger(larger(a, b), larger(c, d))
    });
    folded(lanes, larger)
}

/// The sum of `term` over pairs of `a` and `b`, which are equally long, in 16 lanes.
#[inline(always)]
pub(crate) fn sum_pairs(a: &[f32], b: &[f32], term: impl Fn(f32, f32) -> f32) -> f32 {
    debug_assert_eq!(a.len(), b.len());
    let mut lanes = [0.0f32; LANES];
    let (left, right) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let (left_rest, right_rest) = (left.remainder(), right.remainder());
    for (x, y) in left.zip(right) {
        for ((lane, &x), &y) in lanes.iter_mut().zip(x).zip(y) {
            *lane += term(x, y);
        }
    }
    for ((lane, &x), &y) in lanes.iter_mut().zip(left_rest).zip(right_rest) {
        *lane += term(x, y);
    }
    fold(lanes)
}

#[inline(always)]
fn fold(lanes: [f32; LANES]) -> f32 {
    folded(lanes, |a, b| a + b)
}

/// Lanes put together, half with half: written out, for a loop over the halves would take longer than what came before.
#[inline(always)]
fn folded(lanes: [f32; LANES], with: impl Fn(f32, f32) -> f32) -> f32 {
    // by way of memory: else vectors would be taken apart into these pairs where they are made
    let lanes = black_box(lanes);
    let eight: [f32; 8] = from_fn(|i| with(lanes[i], lanes[i + 8]));
    let four: [f32; 4] = from_fn(|i| with(eight[i], eight[i + 4]));
    let two: [f32; 2] = from_fn(|i| with(four[i], four[i + 2]));
    with(two[0], two[1])
}

/// How long the memory of a row of scores must be for [`softmax_row`].
pub(crate) fn padded(len: usize) -> usize {
    len.next_multiple_of(LANES)
}

/// Replaces the first `len` of `scores` with their softmax, in `f32`, and what is after them with zeros.
/// `scores` must be at least [`padded`] long: whole vectors are worked on, which changes no bits.
#[inline(always)]
pub(crate) fn softmax_row(scores: &mut [f32], len: usize) {
    let (scores, ahead) = scores.split_at_mut(padded(len));
    scores[len..].fill(f32::NEG_INFINITY);
    let top = largest(scores);
    let mut lanes = [0.0f32; LANES];
    // four vectors at a time: a single one's exponentials would wait for each other
    let (fours, rest) = scores.as_chunks_mut::<{ 4 * LANES }>();
    for four in fours {
        four.iter_mut().for_each(|s| *s = exp_up_to_88(*s - top));
        for part in four.as_chunks::<LANES>().0 {
            lanes.iter_mut().zip(part).for_each(|(lane, s)| *lane += *s);
        }
    }
    for part in rest.as_chunks_mut::<LANES>().0 {
        part.iter_mut().for_each(|s| *s = exp_up_to_88(*s - top));
        lanes.iter_mut().zip(part).for_each(|(lane, s)| *lane += *s);
    }
    let scale = 1.0 / fold(lanes);
    // not chunk by chunk: lanes of several chunks would be gathered into one vector
    scores.iter_mut().for_each(|s| *s *= scale);
    ahead.fill(0.0);
}

vectorised! {
    /// ln Σ e^logits, summed in `f64`. NaN when a logit is.
    pub fn log_sum_exp(logits: &[f32]) -> f64 {
        let top = f64::from(largest(logits));
        if !top.is_finite() {
            return top;
        }
        let mut lanes = [0.0f64; LANES];
        let chunks = logits.chunks_exact(LANES);
        let rest = chunks.remainder();
        for chunk in chunks {
            for (lane, &x) in lanes.iter_mut().zip(chunk) {
                *lane += exp64(f64::from(x) - top);
            }
        }
        for (lane, &x) in lanes.iter_mut().zip(rest) {
            *lane += exp64(f64::from(x) - top);
        }
        top + lanes.iter().sum::<f64>().ln()
    }

    /// −Σ p ln p in nats, summed in `f64`; `whole` is the logits' [`log_sum_exp`].
    pub fn entropy(logits: &[f32], whole: f64) -> f64 {
        let term = |x: f32| {
            let surprise = whole - f64::from(x);
            let p = exp64(-surprise);
            if p > 0.0 { p * surprise } else { p }
        };
        let mut lanes = [0.0f64; LANES];
        let (chunks, rest) = logits.as_chunks::<LANES>();
        for chunk in chunks {
            lanes.iter_mut().zip(chunk).for_each(|(lane, &x)| *lane += term(x));
        }
        lanes.iter_mut().zip(rest).for_each(|(lane, &x)| *lane += term(x));
        lanes.iter().sum::<f64>()
    }

    /// Writes the softmax of `logits` into `probabilities` (`f64`, as long) and returns ln Σ e^logits.
    pub fn softmax(logits: &[f32], probabilities: &mut [f64]) -> f64 {
        let whole = log_sum_exp(logits);
        for (p, &x) in probabilities.iter_mut().zip(logits) {
            *p = exp64(f64::from(x) - whole);
        }
        whole
    }

    /// `into_i += factor · exp(values_i − normaliser)`.
    pub(crate) fn add_exp(values: &[f32], normaliser: f32, factor: f32, into: &mut [f32]) {
        for (slot, &x) in into.iter_mut().zip(values) {
            *slot += factor * exp(x - normaliser);
        }
    }

    /// Whether every value is finite.
    pub fn all_finite(values: &[f32]) -> bool {
        values.iter().map(|v| u32::from((v.to_bits() & 0x7f80_0000) == 0x7f80_0000)).sum::<u32>() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponentials_are_near_the_true_ones() {
        let (mut worst, mut worst64) = (0.0f64, 0.0f64);
        for i in -870_000..880_000 {
            let x = i as f32 * 1e-4;
            worst = worst.max((f64::from(exp(x)) / f64::from(x).exp() - 1.0).abs());
            let y = f64::from(x) * 8.0;
            worst64 = worst64.max((exp64(y) / y.exp() - 1.0).abs());
        }
        assert!(worst < 1.5e-7 && worst64 < 1e-15, "{worst} {worst64}");
        assert_eq!((exp(0.0), exp64(0.0)), (1.0, 1.0));
        assert_eq!((exp(-100.0), exp64(f64::NEG_INFINITY)), (0.0, 0.0));
        assert!(exp(f32::NAN).is_nan() && exp64(f64::NAN).is_nan());
        assert!(exp(1e9).is_finite());
    }

    #[test]
    fn log_sum_exp_agrees_with_its_formula() {
        for len in [1, 3, 16, 31, 32, 100] {
            let logits: Vec<f32> = (0..len).map(|i| ((i * 7919) % 101) as f32 * 0.1 - 5.0).collect();
            let direct = logits.iter().map(|&x| f64::from(x).exp()).sum::<f64>().ln();
            assert!((log_sum_exp(&logits) - direct).abs() < 1e-12);
            let mut p = vec![0.0; len];
            softmax(&logits, &mut p);
            assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            let surprise: f64 = p.iter().map(|p| -p * p.ln()).sum();
            assert!((entropy(&logits, log_sum_exp(&logits)) - surprise).abs() < 1e-12);
        }
        assert_eq!(entropy(&[0.0, f32::NEG_INFINITY], 0.0), 0.0);
        assert!(all_finite(&[1.0, -2.0]) && !all_finite(&[1.0, f32::NAN]) && !all_finite(&[f32::INFINITY]));
    }
}
