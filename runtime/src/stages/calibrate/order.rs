//! Order consistency: does the teacher rank every right rollout above every wrong one?

use super::margin::{Statistic, Tally};

/// How the returns of a group agree with its outcomes (Uni-OPD, arXiv 2605.03677, §2.4).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Order {
    /// Some are right and some are wrong.
    pub mixed: bool,
    /// `G(right) ≥ G(wrong)` for every pair; trivially so in a group that is not mixed.
    pub consistent: bool,
    /// How many pairs of a right and a wrong rollout there are.
    pub pairs: usize,
    /// How many of them have `G(right) < G(wrong)`.
    pub inverted: usize,
    /// The margin of means; none unless mixed.
    pub mean_margin: Option<f64>,
    /// The margin of the lowest right over the highest wrong; none unless mixed.
    pub min_max_margin: Option<f64>,
}

/// The order of one group.
///
/// ```
/// use limbeck::stages::calibrate::order::order;
/// let got = order(&[0.5, -1.0, 0.0], &[Some(true), Some(true), Some(false)]);
/// assert_eq!((got.mixed, got.consistent, got.pairs, got.inverted), (true, false, 2, 1));
/// assert_eq!((got.mean_margin, got.min_max_margin), (Some(-0.25), Some(-1.0)));
/// ```
pub fn order(returns: &[f64], outcomes: &[Option<bool>]) -> Order {
    let of = |right| returns.iter().zip(outcomes).filter(move |(_, o)| **o == Some(right)).map(|(g, _)| *g);
    let pairs = of(true).count() * of(false).count();
    let inverted = of(true).map(|right| of(false).filter(|&wrong| right < wrong).count()).sum();
    let tally = Tally::of(returns, outcomes);
    Order {
        mixed: pairs > 0,
        consistent: inverted == 0,
        pairs,
        inverted,
        mean_margin: tally.margin(Statistic::Mean),
        min_max_margin: tally.margin(Statistic::MinMax),
    }
}

/// The share of mixed groups that are consistent; none if no group is mixed.
///
/// ```
/// use limbeck::stages::calibrate::order::{consistent_share, order};
/// let group = |g| order(&[g, 0.0], &[Some(true), Some(false)]);
/// assert_eq!(consistent_share(&[group(1.0), group(-1.0), Default::default()]), Some(0.5));
/// ```
pub fn consistent_share(groups: &[Order]) -> Option<f64> {
    let mixed = groups.iter().filter(|group| group.mixed).count();
    let consistent = groups.iter().filter(|group| group.mixed && group.consistent).count();
    (mixed > 0).then(|| consistent as f64 / mixed as f64)
}
