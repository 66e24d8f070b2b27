//! Calibration.

use limbeck::stages::calibrate::margin::{
    add_offset, greedy_mask, margin, shift, trajectory_return, Direction, GreedyMask, Statistic, Tally,
};
use limbeck::stages::calibrate::order::order;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::{close, group, tied_group, DIRECTIONS, STATISTICS};

/// The returns of one outcome.
fn side(returns: &[f64], outcomes: &[Option<bool>], right: bool) -> Vec<f64> {
    (0..returns.len()).filter(|&i| outcomes[i] == Some(right)).map(|i| returns[i]).collect()
}

fn mean(side: &[f64]) -> f64 {
    side.iter().sum::<f64>() / side.len() as f64
}

fn plain_margin(right: &[f64], wrong: &[f64], statistic: Statistic) -> Option<f64> {
    if right.is_empty() || wrong.is_empty() {
        return None;
    }
    Some(match statistic {
        Statistic::Mean => mean(right) - mean(wrong),
        Statistic::MinMax => {
            right.iter().copied().fold(f64::INFINITY, f64::min)
                - wrong.iter().copied().fold(f64::NEG_INFINITY, f64::max)
        }
    })
}

/// The table of section 2.5(a), cell by cell.
fn plain_shift(
    returns: &[f64],
    outcomes: &[Option<bool>],
    statistic: Statistic,
    direction: Direction,
    delta: f64,
) -> Vec<f64> {
    let m = plain_margin(&side(returns, outcomes, true), &side(returns, outcomes, false), statistic);
    let lambda = m.map_or(0.0, |m| (delta - m).max(0.0));
    let cell = |outcome: &Option<bool>| match (direction, outcome) {
        (Direction::CorrectUp, Some(true)) => lambda,
        (Direction::IncorrectDown, Some(false)) => -lambda,
        (Direction::Both, Some(true)) => lambda / 2.0,
        (Direction::Both, Some(false)) => -lambda / 2.0,
        _ => 0.0,
    };
    outcomes.iter().map(cell).collect()
}

/// The pseudo-code of section 2.5(b), line by line, on lists.
fn plain_greedy(
    returns: &[f64],
    outcomes: &[Option<bool>],
    statistic: Statistic,
    delta: f64,
    retain: f64,
) -> GreedyMask {
    let of = |right: bool| (0..returns.len()).filter(|&i| outcomes[i] == Some(right)).collect::<Vec<_>>();
    let (mut c, mut i) = (of(true), of(false));
    c.sort_by(|&a, &b| returns[a].partial_cmp(&returns[b]).unwrap());
    i.sort_by(|&a, &b| returns[b].partial_cmp(&returns[a]).unwrap());
    let gap = |c: &[usize], i: &[usize]| {
        let of = |ids: &[usize]| ids.iter().map(|&i| returns[i]).collect::<Vec<_>>();
        plain_margin(&of(c), &of(i), statistic)
    };
    let floor_c = 1.max((retain * c.len() as f64).trunc() as usize);
    let floor_i = 1.max((retain * i.len() as f64).trunc() as usize);
    let mut mask = GreedyMask { dropped: vec![], gap: gap(&c, &i), trace: vec![] };
    while mask.gap.is_some_and(|gap| gap < delta) {
        let (mut best, mut from_correct) = (mask.gap.unwrap(), None);
        if c.len() > floor_c && gap(&c[1..], &i).unwrap() > best {
            (best, from_correct) = (gap(&c[1..], &i).unwrap(), Some(true));
        }
        if i.len() > floor_i && gap(&c, &i[1..]).unwrap() > best {
            (best, from_correct) = (gap(&c, &i[1..]).unwrap(), Some(false));
        }
        let Some(from_correct) = from_correct else { break };
        let dropped = if from_correct { c.remove(0) } else { i.remove(0) };
        mask.dropped.push(dropped);
        mask.trace.push((dropped, best));
        mask.gap = Some(best);
    }
    mask
}

proptest! {
    #[test]
    fn shift_meets_its_plain_twin((returns, outcomes) in group(), delta in -0.5..1.0) {
        for statistic in STATISTICS {
            for direction in DIRECTIONS {
                let got = shift(&returns, &outcomes, statistic, direction, delta);
                let want = plain_shift(&returns, &outcomes, statistic, direction, delta);
                prop_assert_eq!(&got.offsets, &want);
                let after: Vec<f64> = returns.iter().zip(&got.offsets).map(|(g, o)| g + o).collect();
                match got.margin {
                    Some(m) if m < delta => {
                        close(margin(&after, &outcomes, statistic).unwrap(), delta, 1e-12)?;
                        prop_assert_eq!(got.lambda, delta - m);
                    }
                    _ => prop_assert!(got.lambda == 0.0 && got.offsets.iter().all(|o| o.to_bits() == 0)),
                }
            }
        }
    }

    #[test]
    fn shift_moves_a_rollout_as_a_whole(rewards in vec(vec(-2.0..2.0f64, 0..6), 0..9), bits in any::<u32>()) {
        let outcomes: Vec<_> = (0..rewards.len()).map(|i| Some(bits >> i & 1 == 1)).collect();
        let returns: Vec<f64> = rewards.iter().map(|rewards| trajectory_return(rewards)).collect();
        let got = shift(&returns, &outcomes, Statistic::Mean, Direction::Both, 0.4);
        for (before, offset) in rewards.iter().zip(&got.offsets) {
            let mut after = before.clone();
            add_offset(&mut after, *offset);
            for (before, after) in before.windows(2).zip(after.windows(2)) {
                close(after[1] - after[0], before[1] - before[0], 1e-14)?;
            }
            if got.lambda == 0.0 {
                let bits = |row: &[f64]| row.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
                prop_assert_eq!(bits(&after), bits(before));
            }
        }
    }

    #[test]
    fn shift_cares_for_neither_order_nor_ranks(
        (group, turned) in vec((-2.0..2.0, any::<Option<bool>>()), 0..17)
            .prop_flat_map(|group| (Just(group.clone()), Just(group).prop_shuffle())),
        at in any::<prop::sample::Index>(), delta in 0.0..1.0,
    ) {
        let (returns, outcomes): (Vec<f64>, Vec<Option<bool>>) = group.into_iter().unzip();
        let (other, others): (Vec<f64>, Vec<Option<bool>>) = turned.into_iter().unzip();
        let cut = at.index(returns.len() + 1);
        for statistic in STATISTICS {
            let here = shift(&returns, &outcomes, statistic, Direction::Both, delta).lambda;
            let there = shift(&other, &others, statistic, Direction::Both, delta).lambda;
            close(there, here, 1e-13)?;
            let first = Tally::of(&returns[..cut], &outcomes[..cut]);
            let all = first.merge(Tally::of(&returns[cut..], &outcomes[cut..]));
            let whole = Tally::of(&returns, &outcomes).margin(statistic);
            prop_assert_eq!(all.margin(statistic).is_some(), whole.is_some());
            close(all.margin(statistic).unwrap_or(0.0), whole.unwrap_or(0.0), 1e-13)?;
        }
    }

    #[test]
    fn shift_leaves_minus_zero_alone(sign in select(vec![0.0f64, -0.0]), wide in 1.0..2.0) {
        let got = shift(&[wide, -0.0], &[Some(true), Some(false)], Statistic::Mean, Direction::Both, 0.4);
        let mut rewards = [sign];
        add_offset(&mut rewards, got.offsets[1]);
        prop_assert_eq!(rewards[0].to_bits(), sign.to_bits());
    }

    #[test]
    fn greedy_meets_its_plain_twin(
        (returns, outcomes) in prop_oneof![group(), tied_group()], retain in 0.0..1.2,
        delta in prop_oneof![-0.5..1.5, select(vec![0.0, 0.25, 0.5, 0.75])],
    ) {
        for statistic in STATISTICS {
            let got = greedy_mask(&returns, &outcomes, statistic, delta, retain);
            prop_assert_eq!(&got, &plain_greedy(&returns, &outcomes, statistic, delta, retain));
        }
    }

    #[test]
    fn greedy_floors_and_steps((returns, outcomes) in tied_group(), delta in 0.0..1.5, retain in 0.0..1.2) {
        for statistic in STATISTICS {
            let got = greedy_mask(&returns, &outcomes, statistic, delta, retain);
            let (mut left, mut now) = (outcomes.clone(), margin(&returns, &outcomes, statistic));
            let count = |all: &[Option<bool>], right| all.iter().filter(|o| **o == Some(right)).count();
            let floor = |right| 1.max((retain * count(&outcomes, right) as f64).trunc() as usize);
            // what one more drop could give, over every single rollout of a side above its floor
            let best = |left: &[Option<bool>]| {
                let drops = (0..left.len()).filter(|&i| left[i].is_some_and(|r| count(left, r) > floor(r)));
                let after = drops.filter_map(|i| {
                    let mut fewer = left.to_vec();
                    fewer[i] = None;
                    margin(&returns, &fewer, statistic)
                });
                after.fold(f64::NEG_INFINITY, f64::max)
            };
            for &(i, gap) in &got.trace {
                prop_assert!(now.unwrap() < delta && gap > now.unwrap());
                close(gap, best(&left), 1e-12)?;
                left[i] = None;
                now = Some(gap);
                close(gap, margin(&returns, &left, statistic).unwrap(), 1e-12)?;
            }
            for right in [true, false] {
                let (before, after) = (count(&outcomes, right), count(&left, right));
                prop_assert!(after == before || after >= floor(right));
            }
            prop_assert_eq!(got.gap.is_some(), now.is_some());
            if let Some(end) = now.filter(|&end| end < delta) {
                prop_assert!(best(&left) <= end + 1e-12, "stopped too early");
            }
        }
    }

    #[test]
    fn greedy_drops_the_right_one_of_equals(low in 0.25..1.0f64) {
        let outcomes = [Some(true), Some(true), Some(false), Some(false)];
        let got = greedy_mask(&[0.0, -low, 0.0, low], &outcomes, Statistic::MinMax, 2.0, 0.25);
        prop_assert_eq!(got.dropped, [1, 3]);
    }

    #[test]
    fn order_counts_pairs((returns, outcomes) in prop_oneof![group(), tied_group()]) {
        let got = order(&returns, &outcomes);
        let (right, wrong) = (side(&returns, &outcomes, true), side(&returns, &outcomes, false));
        let inverted = right.iter().flat_map(|r| wrong.iter().map(move |w| r < w)).filter(|&x| x).count();
        prop_assert_eq!((got.pairs, got.inverted), (right.len() * wrong.len(), inverted));
        prop_assert_eq!(got.mixed, !right.is_empty() && !wrong.is_empty());
        prop_assert_eq!(got.consistent, got.min_max_margin.is_none_or(|m| m >= 0.0));
        prop_assert_eq!(got.mean_margin.is_some(), got.mixed);
    }
}
