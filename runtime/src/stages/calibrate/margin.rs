//! Outcome-guided margin calibration: the returns of right and wrong rollouts are set at least `δ` apart,
//! by moving them (shift) or by leaving some out (greedy mask). Uni-OPD, arXiv 2605.03677, eqs 9–11.
//!
//! Right is `Some(true)`, wrong is `Some(false)`; what was not judged (`None`) takes no part.
//! `returns` and `outcomes` have one entry a rollout.

use serde::{Deserialize, Serialize};

use crate::real::Real;

/// What is compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Statistic {
    /// `m = mean_{right} G − mean_{wrong} G` (the paper's runs).
    #[default]
    Mean,
    /// `m = min_{right} G − max_{wrong} G` (the paper's text).
    MinMax,
}

/// Who moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Direction {
    /// The right ones up by `λ` ("Lift").
    CorrectUp,
    /// The wrong ones down by `λ`.
    IncorrectDown,
    /// The right ones up and the wrong ones down, by `λ/2` each ("Spread"; the paper's text runs).
    #[default]
    Both,
}

/// `G = (1/|τ|) Σ_t r_t`, the mean token reward of a rollout; 0 for an empty one.
///
/// ```
/// assert_eq!(limbeck::stages::calibrate::margin::trajectory_return(&[1.0, 2.0]), 1.5);
/// ```
pub fn trajectory_return(rewards: &[f64]) -> f64 {
    rewards.iter().fold(0.0, |sum, reward| sum + reward) / rewards.len().max(1) as f64
}

/// The margin `m` between the right and the wrong; none if either is missing.
///
/// ```
/// use limbeck::stages::calibrate::margin::{margin, Statistic};
/// let (returns, outcomes) = ([0.5, 0.25, 9.0], [Some(true), Some(false), None]);
/// assert_eq!(margin(&returns, &outcomes, Statistic::Mean), Some(0.25));
/// assert_eq!(margin(&returns[..1], &outcomes[..1], Statistic::Mean), None);
/// ```
pub fn margin(returns: &[f64], outcomes: &[Option<bool>], statistic: Statistic) -> Option<f64> {
    Tally::of(returns, outcomes).margin(statistic)
}

/// All that a margin needs of a group: two parts of a group, merged, are the group.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    right: Option<Side>,
    wrong: Option<Side>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Side {
    count: usize,
    sum: f64,
    min: f64,
    max: f64,
}

impl Tally {
    /// Counts a group, or a part of one.
    pub fn of(returns: &[f64], outcomes: &[Option<bool>]) -> Self {
        let one = |g: f64| Some(Side { count: 1, sum: g, min: g, max: g });
        returns.iter().zip(outcomes).fold(Self::default(), |tally, (&g, outcome)| match outcome {
            Some(true) => Self { right: Side::merge(tally.right, one(g)), ..tally },
            Some(false) => Self { wrong: Side::merge(tally.wrong, one(g)), ..tally },
            None => tally,
        })
    }

    /// Two parts together.
    pub fn merge(self, other: Self) -> Self {
        Self { right: Side::merge(self.right, other.right), wrong: Side::merge(self.wrong, other.wrong) }
    }

    /// `m`; none if nobody is right or nobody is wrong.
    pub fn margin(self, statistic: Statistic) -> Option<f64> {
        let (right, wrong) = (self.right?, self.wrong?);
        Some(match statistic {
            Statistic::Mean => right.sum / right.count as f64 - wrong.sum / wrong.count as f64,
            Statistic::MinMax => right.min - wrong.max,
        })
    }
}

impl Side {
    fn merge(a: Option<Self>, b: Option<Self>) -> Option<Self> {
        let (Some(a), Some(b)) = (a, b) else { return a.or(b) };
        Some(Self {
            count: a.count + b.count,
            sum: a.sum + b.sum,
            min: a.min.min(b.min),
            max: a.max.max(b.max),
        })
    }
}

/// How the rollouts of a group move.
#[derive(Clone, Debug, PartialEq)]
pub struct Shift {
    /// `m` before; none if there was nothing to compare.
    pub margin: Option<f64>,
    /// `λ = max(0, δ − m)`; 0 without a margin.
    pub lambda: f64,
    /// What to add to every token reward of each rollout; all exactly 0 where `λ` is.
    pub offsets: Vec<f64>,
}

/// The margin shift: a group with `m < δ` moves until its margin is `δ`; any other stays as it is.
///
/// ```
/// use limbeck::stages::calibrate::margin::{shift, Direction, Statistic};
/// let (returns, outcomes) = ([-0.25, 0.0], [Some(true), Some(false)]);
/// let got = shift(&returns, &outcomes, Statistic::Mean, Direction::Both, 0.5);
/// assert_eq!((got.margin, got.lambda), (Some(-0.25), 0.75));
/// assert_eq!(got.offsets, [0.375, -0.375]);
/// ```
pub fn shift(
    returns: &[f64],
    outcomes: &[Option<bool>],
    statistic: Statistic,
    direction: Direction,
    delta: f64,
) -> Shift {
    Shift::to(delta, margin(returns, outcomes, statistic), outcomes, direction)
}

impl Shift {
    /// Sets a group with this margin to `delta`; for a margin that was found over several ranks.
    pub fn to(delta: f64, margin: Option<f64>, outcomes: &[Option<bool>], direction: Direction) -> Self {
        let lambda = margin.map_or(0.0, |m| if m >= delta { 0.0 } else { delta - m });
        let (right, wrong) = match direction {
            Direction::CorrectUp => (lambda, 0.0),
            Direction::IncorrectDown => (0.0, -lambda),
            Direction::Both => (lambda / 2.0, -lambda / 2.0),
        };
        let offset = |right_now: bool| if right_now { right } else { wrong };
        // `+ 0.0` turns the −0 of a group that stays into 0
        let offsets = outcomes.iter().map(|outcome| outcome.map_or(0.0, offset) + 0.0).collect();
        Self { margin, lambda, offsets }
    }
}

/// Adds the same constant to every token reward; a constant of 0 leaves every bit as it is.
///
/// ```
/// let mut rewards = [0.25f64, -0.5];
/// limbeck::stages::calibrate::margin::add_offset(&mut rewards, 0.25);
/// assert_eq!(rewards, [0.5, -0.25]);
/// ```
pub fn add_offset<R: Real>(rewards: &mut [R], offset: f64) {
    if offset != 0.0 {
        rewards.iter_mut().for_each(|reward| *reward = *reward + R::of(offset));
    }
}

/// Which rollouts the greedy mask leaves out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GreedyMask {
    /// Their indices, in the order they were dropped.
    pub dropped: Vec<usize>,
    /// The margin at the end; none if there was nothing to compare.
    pub gap: Option<f64>,
    /// Each index dropped, with the margin after it.
    pub trace: Vec<(usize, f64)>,
}

/// The greedy margin mask (Uni-OPD, arXiv 2605.03677, `margin_mask_greedy.py`): while the margin is
/// under `delta`, drop the lowest right or the highest wrong rollout, whichever leaves the larger
/// margin, if that is an increase (of equals, the right one); at least `max(1, trunc(retain·n))`
/// of the `n` on each side stay.
///
/// ```
/// use limbeck::stages::calibrate::margin::{greedy_mask, Statistic};
/// let returns = [0.5, -0.5, 0.0, -0.25];
/// let outcomes = [Some(true), Some(true), Some(false), Some(false)];
/// let got = greedy_mask(&returns, &outcomes, Statistic::MinMax, 0.5, 0.25);
/// assert_eq!(got.trace, [(1, 0.5)]);
/// assert_eq!((got.dropped, got.gap), (vec![1], Some(0.5)));
/// ```
pub fn greedy_mask(
    returns: &[f64],
    outcomes: &[Option<bool>],
    statistic: Statistic,
    delta: f64,
    retain: f64,
) -> GreedyMask {
    let (right, wrong) = (ranked(returns, outcomes, true), ranked(returns, outcomes, false));
    let floor = |n: usize| ((retain * n as f64) as usize).max(1);
    let (floor_right, floor_wrong) = (floor(right.len()), floor(wrong.len()));
    let (mut right, mut wrong) = (&right[..], &wrong[..]);
    let mut mask = GreedyMask { gap: gap(right, wrong, statistic), ..GreedyMask::default() };
    while let Some(now) = mask.gap.filter(|&gap| gap < delta) {
        let less_right = (right.len() > floor_right).then(|| gap(&right[1..], wrong, statistic)).flatten();
        let less_wrong = (wrong.len() > floor_wrong).then(|| gap(right, &wrong[1..], statistic)).flatten();
        let first = less_right.filter(|&gap| gap > now);
        let second = less_wrong.filter(|&gap| gap > first.unwrap_or(now));
        let Some(better) = second.or(first) else { break };
        let shorter = if second.is_some() { &mut wrong } else { &mut right };
        mask.trace.push((shorter[0].0, better));
        *shorter = &shorter[1..];
        mask.gap = Some(better);
    }
    mask.dropped = mask.trace.iter().map(|&(index, _)| index).collect();
    mask
}

/// The rollouts of one outcome as `(index, return)`, the most contradictory first: the right by
/// rising, the wrong by falling return; equals in their order.
fn ranked(returns: &[f64], outcomes: &[Option<bool>], right: bool) -> Vec<(usize, f64)> {
    let all = returns.iter().copied().enumerate().zip(outcomes);
    let mut side: Vec<_> = all.filter(|(_, outcome)| **outcome == Some(right)).map(|(at, _)| at).collect();
    let key = |(_, g): &(usize, f64)| if right { *g + 0.0 } else { 0.0 - *g };
    side.sort_by(|a, b| key(a).total_cmp(&key(b)));
    side
}

/// The margin of two ranked sides.
fn gap(right: &[(usize, f64)], wrong: &[(usize, f64)], statistic: Statistic) -> Option<f64> {
    let (lowest, highest) = (right.first()?.1, wrong.first()?.1);
    let mean = |side: &[(usize, f64)]| side.iter().map(|(_, g)| g).sum::<f64>() / side.len() as f64;
    Some(match statistic {
        Statistic::Mean => mean(right) - mean(wrong),
        Statistic::MinMax => lowest - highest,
    })
}
