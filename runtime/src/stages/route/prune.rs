//! Picking tokens by a number each of them has: the largest, the top share, the share to prune.
//!
//! Of equals the earlier token is kept, everywhere.

use crate::rng::Stream;

/// `trunc(share·n)`, in f64 as the releases compute it, and never more than `n`.
///
/// ```
/// use limbeck::stages::route::prune::count;
/// assert_eq!((count(19, 0.05), count(20, 0.05), count(100, 0.29)), (0, 1, 28));
/// ```
pub fn count(n: usize, share: f64) -> usize {
    // the cast takes what is negative or not a number as 0
    ((share * n as f64) as usize).min(n)
}

/// The indices in rising order of their number, equals in their own order; a number that is none
/// counts as the largest.
///
/// ```
/// assert_eq!(limbeck::stages::route::prune::rising(&[0.5, 0.1, 0.5, 0.2]), [1, 3, 0, 2]);
/// ```
pub fn rising(numbers: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..numbers.len()).collect();
    order.sort_by(|&a, &b| key(numbers[a]).total_cmp(&key(numbers[b])));
    order
}

/// `x` for `total_cmp`: −0 equals 0, and what is not a number is above all.
pub(super) fn key(x: f64) -> f64 {
    if x.is_nan() {
        f64::NAN.abs()
    } else {
        x + 0.0
    }
}

/// Which tokens have the `ceil(share·n)` largest numbers, in f64 as the releases compute it; what is not
/// a number comes last.
///
/// ```
/// use limbeck::stages::route::prune::keep_top;
/// assert_eq!(keep_top(&[0.1, 0.9, 0.9, 0.4], 0.5), [false, true, true, false]);
/// assert_eq!(keep_top(&[0.9, 0.9, 0.9], 0.2), [true, false, false]);
/// ```
pub fn keep_top(numbers: &[f64], share: f64) -> Vec<bool> {
    let negated: Vec<f64> = numbers.iter().map(|x| -x).collect();
    let mut kept = vec![false; numbers.len()];
    let most = (share * numbers.len() as f64).ceil() as usize;
    rising(&negated).into_iter().take(most).for_each(|i| kept[i] = true);
    kept
}

/// Which tokens are pruned.
#[derive(Debug)]
pub enum Which<'a> {
    /// Those with the largest gaps.
    Highest,
    /// Those with the smallest gaps.
    Lowest,
    /// Any.
    Random(&'a mut Stream),
}

/// Which tokens stay when `trunc(share·n)` of them are pruned and get no loss. DOPD (arXiv 2606.30626,
/// the pruning study) takes 20 % out of vanilla distillation, to show what tokens of a large gap teach.
///
/// ```
/// use limbeck::stages::route::prune::{prune, Which};
/// assert_eq!(prune(&[0.3, 0.1, 0.2, 0.3], 0.25, Which::Highest), [true, true, true, false]);
/// assert_eq!(prune(&[0.3, 0.1, 0.2, 0.3], 0.25, Which::Lowest), [true, false, true, true]);
/// ```
pub fn prune(gaps: &[f64], share: f64, which: Which) -> Vec<bool> {
    let n = gaps.len();
    // who goes first stands last
    let order = match which {
        Which::Highest => rising(gaps),
        Which::Lowest => rising(&gaps.iter().map(|gap| -gap).collect::<Vec<_>>()),
        Which::Random(stream) => {
            let mut order: Vec<usize> = (0..n).collect();
            stream.shuffle(&mut order);
            order
        }
    };
    let mut kept = vec![true; n];
    order.into_iter().skip(n - count(n, share)).for_each(|i| kept[i] = false);
    kept
}
