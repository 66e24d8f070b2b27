//! TIP, arXiv 2604.14084: only a share of the tokens is trained on, those where the student is
//! uncertain or far from the teacher. One entry a token of the scope.

use super::prune::{count, keep_top, rising};

/// `(x − min)/(max − min)` after the `trunc(clip·n)` largest are lowered to the next; 0 where all are
/// equal.
///
/// ```
/// use limbeck::stages::route::tip::normalised;
/// assert_eq!(normalised(&[1.0, 3.0, 2.0, 9.0], 0.0), [0.0, 0.25, 0.125, 1.0]);
/// assert_eq!(normalised(&[1.0, 3.0, 2.0, 9.0], 0.25), [0.0, 1.0, 0.5, 1.0]);
/// ```
pub fn normalised(numbers: &[f64], clip: f64) -> Vec<f64> {
    let (order, n) = (rising(numbers), numbers.len());
    let Some(last) = n.checked_sub(1) else { return Vec::new() };
    let (low, high) = (numbers[order[0]], numbers[order[last - count(n, clip).min(last)]]);
    let range = high - low;
    let of = |&x: &f64| if range > 0.0 { (x.min(high) - low) / range } else { 0.0 };
    numbers.iter().map(of).collect()
}

/// The score of a token, `ĥ + d̂ − ĥd̂`: high where either is ("soft or"). `ĥ` is the student's entropy
/// over the scope's range of it, its largest 2 % (`clip`) taken as one; `d̂` is the divergence from the
/// teacher over its range.
///
/// ```
/// use limbeck::stages::route::tip::soft_or;
/// let got = soft_or(&[0.0, 1.0, 2.0], &[0.0, 1.0, 0.0], 0.02);
/// assert_eq!(got, [0.0, 1.0, 1.0]);
/// ```
pub fn soft_or(entropies: &[f64], divergences: &[f64], clip: f64) -> Vec<f64> {
    let (h, d) = (normalised(entropies, clip), normalised(divergences, 0.0));
    h.iter().zip(&d).map(|(h, d)| h + d - h * d).collect()
}

/// Which tokens are trained on: the `ceil(share·n)` with the highest scores.
///
/// ```
/// use limbeck::stages::route::tip::keep_soft_or;
/// let (entropies, divergences) = ([0.1, 1.5, 0.4, 2.0], [2.0, 0.2, 0.1, 0.6]);
/// assert_eq!(keep_soft_or(&entropies, &divergences, 0.02, 0.5), [true, false, false, true]);
/// ```
pub fn keep_soft_or(entropies: &[f64], divergences: &[f64], clip: f64, share: f64) -> Vec<bool> {
    keep_top(&soft_or(entropies, divergences, clip), share)
}

/// The variant that asks no teacher: the `ceil(share·n)` tokens at which the student's entropy is
/// highest (the paper keeps 50 %).
///
/// ```
/// assert_eq!(limbeck::stages::route::tip::keep_uncertain(&[0.1, 1.5, 0.4], 0.5), [false, true, true]);
/// ```
pub fn keep_uncertain(entropies: &[f64], share: f64) -> Vec<bool> {
    keep_top(entropies, share)
}
