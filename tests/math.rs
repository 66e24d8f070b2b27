//! What must hold of the mathematics for any numbers, and a second, plain writing-down of the rules.

use limbeck::rng::{Purpose, Stream};
use limbeck::stages::balance::outcome::keep_balanced;
use limbeck::stages::calibrate::margin::{
    add_offset, greedy_mask, margin, shift, trajectory_return, Direction, GreedyMask, Statistic, Tally,
};
use limbeck::stages::calibrate::order::order;
use limbeck::stages::data::difficulty::{balanced, detect, Shape, Target};
use limbeck::stages::loss::divergence::Divergence;
use limbeck::stages::loss::estimator::Estimator;
use limbeck::stages::loss::grpo::group_advantages;
use limbeck::stages::loss::policy::{advantage, extrapolated, PolicyToken};
use limbeck::stages::loss::row::StudentRow;
use limbeck::stages::loss::top_k::{top_k, Gathered, Support, Tail, Truncation};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

const SUPPORTS: [Support; 3] = [Support::Student, Support::Teacher, Support::Union];
const TAILS: [Tail; 3] = [Tail::Renormalise, Tail::Bucket, Tail::Drop];
const STATISTICS: [Statistic; 2] = [Statistic::Mean, Statistic::MinMax];
const DIRECTIONS: [Direction; 3] = [Direction::CorrectUp, Direction::IncorrectDown, Direction::Both];

// ---- inputs -------------------------------------------------------------------------------------

/// A student's and a teacher's logits.
fn rows() -> impl Strategy<Value = (Vec<f64>, Vec<f64>)> {
    (2usize..12).prop_flat_map(|v| (vec(-4.0..4.0, v), vec(-4.0..4.0, v)))
}

/// Returns and outcomes of a group, some unjudged.
fn group() -> impl Strategy<Value = (Vec<f64>, Vec<Option<bool>>)> {
    vec((-2.0..2.0, any::<Option<bool>>()), 0..17).prop_map(|group| group.into_iter().unzip())
}

/// The same, with many equal returns.
fn tied_group() -> impl Strategy<Value = (Vec<f64>, Vec<Option<bool>>)> {
    let tied = (-4i32..5).prop_map(|x| f64::from(x) / 4.0);
    vec((tied, any::<Option<bool>>()), 0..13).prop_map(|group| group.into_iter().unzip())
}

fn divergences() -> impl Strategy<Value = Divergence> {
    prop_oneof![
        Just(Divergence::ForwardKl),
        Just(Divergence::ReverseKl),
        Just(Divergence::Jsd { beta: 0.5 }),
        (0.05..0.95).prop_map(|beta| Divergence::Jsd { beta }),
    ]
}

fn close(got: f64, want: f64, within: f64) -> Result<(), TestCaseError> {
    prop_assert!((got - want).abs() <= within * (1.0 + want.abs()), "{} is not {}", got, want);
    Ok(())
}

/// Compares `grad` with central differences of `f` at `z`, to a part in 10⁷ of the larger of `f` and 1.
fn is_gradient(f: impl Fn(&[f64]) -> f64, z: &[f64], grad: &[f64]) -> Result<(), TestCaseError> {
    let (mut at, h, within) = (z.to_vec(), 1e-5, 1e-7 * (1.0 + f(z).abs()));
    for i in 0..z.len() {
        at[i] = z[i] + h;
        let above = f(&at);
        at[i] = z[i] - h;
        let below = f(&at);
        at[i] = z[i];
        close(grad[i], (above - below) / (2.0 * h), within)?;
    }
    Ok(())
}

fn probabilities(logits: &[f64]) -> Vec<f64> {
    let sum: f64 = logits.iter().map(|z| z.exp()).sum();
    logits.iter().map(|z| z.exp() / sum).collect()
}

// ---- divergences --------------------------------------------------------------------------------

/// The divergence of two lists of probabilities, written as in a textbook.
fn plain(divergence: Divergence, s: &[f64], q: &[f64]) -> f64 {
    let kl = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * (a / b).ln()).sum::<f64>();
    match divergence {
        Divergence::ForwardKl => kl(q, s),
        Divergence::ReverseKl => kl(s, q),
        Divergence::Jsd { beta } => {
            let m: Vec<f64> = s.iter().zip(q).map(|(s, q)| beta * q + (1.0 - beta) * s).collect();
            beta * kl(q, &m) + (1.0 - beta) * kl(s, &m)
        }
    }
}

/// The two lists a truncated divergence compares.
fn plainly_truncated(s: &[f64], q: &[f64], ids: &[usize], tail: Tail) -> (Vec<f64>, Vec<f64>) {
    let cut = |p: &[f64]| {
        let kept: Vec<f64> = ids.iter().map(|&i| p[i]).collect();
        let mass: f64 = kept.iter().sum();
        match tail {
            Tail::Drop => kept,
            Tail::Renormalise => kept.iter().map(|p| p / mass).collect(),
            Tail::Bucket => kept.iter().copied().chain([1.0 - mass]).collect(),
        }
    };
    (cut(s), cut(q))
}

proptest! {
    #[test]
    fn divergences_are_what_the_textbook_says((student, teacher) in rows(), divergence in divergences()) {
        let (s, q) = (probabilities(&student), probabilities(&teacher));
        let value = divergence.value(&student, &teacher);
        close(value, plain(divergence, &s, &q), 1e-12)?;
        prop_assert!(value >= -1e-15);
        close(divergence.value(&student, &student), 0.0, 1e-15)?;
        let mut grad = vec![0.0; student.len()];
        prop_assert_eq!(divergence.gradient(&student, &teacher, &mut grad), value);
        is_gradient(|z| divergence.value(z, &teacher), &student, &grad)?;
    }

    #[test]
    fn gradients_are_added_and_weighted(
        (student, teacher) in rows(), divergence in divergences(), k in 1usize..12,
    ) {
        for (support, tail) in SUPPORTS.into_iter().flat_map(|s| TAILS.map(|t| (s, t))) {
            let (mut once, mut more) = (vec![0.0; student.len()], vec![1.0; student.len()]);
            let top = Truncation { k, support, tail };
            top.push(divergence, &mut StudentRow::traced(&student, 0, &mut once), &teacher, 1.0);
            top.push(divergence, &mut StudentRow::traced(&student, 0, &mut more), &teacher, -2.0);
            for (once, more) in once.iter().zip(more) {
                close(more, 1.0 - 2.0 * once, 1e-13)?;
            }
        }
    }

    #[test]
    fn jensen_shannon_is_bounded_and_symmetric((student, teacher) in rows(), scale in 1.0..400.0) {
        let js = Divergence::Jsd { beta: 0.5 };
        let far: Vec<f64> = student.iter().map(|z| z * scale).collect();
        let (there, back) = (js.value(&far, &teacher), js.value(&teacher, &far));
        close(there, back, 1e-14)?;
        prop_assert!((-1e-15..=std::f64::consts::LN_2 + 1e-15).contains(&there));
    }

    #[test]
    fn truncated_values_gradients_and_masses(
        (student, teacher) in rows(), divergence in divergences(), k in 1usize..12,
    ) {
        for support in SUPPORTS {
            for tail in TAILS {
                let top = Truncation { k, support, tail };
                let mut grad = vec![0.0; student.len()];
                let mut row = StudentRow::traced(&student, 0, &mut grad);
                let got = top.push(divergence, &mut row, &teacher, 1.0).unwrap();
                let (s, q) = (probabilities(&student), probabilities(&teacher));
                let ids = support.of(&student, &teacher, k);
                let whole = k >= student.len();
                let (cut_s, cut_q) = plainly_truncated(&s, &q, &ids, if whole { Tail::Drop } else { tail });
                // an empty bucket holds rounding only: nothing to compare with there
                if !(tail == Tail::Bucket && ids.len() == student.len()) {
                    close(got.value, plain(divergence, &cut_s, &cut_q), 1e-11)?;
                }
                close(got.student_mass, ids.iter().map(|&i| s[i]).sum(), 1e-12)?;
                close(got.teacher_mass, ids.iter().map(|&i| q[i]).sum(), 1e-12)?;
                // the ids are constants for the gradient, so they are held while z moves
                let teacher = Gathered::of(&teacher, &ids);
                let fixed = |z: &[f64]| {
                    tail.push(divergence, &mut StudentRow::whole(z, 0), &ids, &teacher, 1.0).unwrap().value
                };
                is_gradient(fixed, &student, &grad)?;
            }
        }
    }

    #[test]
    fn as_wide_as_the_vocabulary_is_the_full_divergence(
        (student, teacher) in rows(), divergence in divergences(), extra in 0usize..3,
    ) {
        let (v, mut full) = (student.len(), vec![0.0; student.len()]);
        let value = divergence.gradient(&student, &teacher, &mut full);
        for (support, tail) in SUPPORTS.into_iter().flat_map(|s| TAILS.map(|t| (s, t))) {
            let mut grad = vec![0.0; v];
            let top = Truncation { k: v + extra, support, tail };
            let mut row = StudentRow::traced(&student, 0, &mut grad);
            let got = top.push(divergence, &mut row, &teacher, 1.0).unwrap();
            prop_assert_eq!((got.value, got.student_mass, got.teacher_mass), (value, 1.0, 1.0));
            prop_assert_eq!(&grad, &full);
        }
    }

    #[test]
    fn the_top_k_are_those_of_a_full_sort(row in vec(-3i32..4, 0..80), k in 0usize..90) {
        let row: Vec<f64> = row.into_iter().map(f64::from).collect();
        let mut ids: Vec<usize> = (0..row.len()).collect();
        ids.sort_by(|&a, &b| row[b].partial_cmp(&row[a]).unwrap()); // stable: of equals the lowest first
        ids.truncate(k);
        ids.sort_unstable();
        prop_assert_eq!(top_k(&row, k), ids);
    }

    #[test]
    fn single_precision_follows_double((student, teacher) in rows(), divergence in divergences()) {
        let short = |row: &[f64]| row.iter().map(|&x| x as f32).collect::<Vec<_>>();
        let (mut grad, mut grad32) = (vec![0.0; student.len()], vec![0.0; student.len()]);
        let value = divergence.gradient(&student, &teacher, &mut grad);
        let value32 = divergence.gradient(&short(&student), &short(&teacher), &mut grad32);
        close(f64::from(value32), value, 1e-5)?;
        for (got, want) in grad32.iter().zip(grad) {
            close(f64::from(*got), want, 1e-5)?;
        }
    }

    #[test]
    fn rows_of_any_scale_stay_finite(student in vec(-200f32..200.0, 5), teacher in vec(-200f32..200.0, 5)) {
        for divergence in [Divergence::ForwardKl, Divergence::ReverseKl, Divergence::Jsd { beta: 0.5 }] {
            for (support, tail) in SUPPORTS.into_iter().flat_map(|s| TAILS.map(|t| (s, t))) {
                for k in 1..6 {
                    let mut grad = vec![0.0; 5];
                    let mut row = StudentRow::traced(&student, 0, &mut grad);
                    let got = Truncation { k, support, tail }.push(divergence, &mut row, &teacher, 1.0).unwrap();
                    prop_assert!(got.value.is_finite() && grad.iter().all(|g| g.is_finite()));
                }
            }
        }
    }
}

#[test]
fn a_recorded_row_is_no_distribution() {
    let mut row = StudentRow::recorded(-1.5f64);
    row.push_log_prob(1.0);
    assert_eq!((row.log_prob(), row.entropy(), row.logits()), (-1.5, None, None));
    assert_eq!(Divergence::ReverseKl.push(&mut row, &[0.0, 0.0], 1.0), None);
    let top = Truncation { k: 1, support: Support::Union, tail: Tail::Bucket };
    assert_eq!(top.push(Divergence::ReverseKl, &mut row, &[0.0, 0.0], 1.0), None);
}

#[test]
fn what_the_student_cannot_do_counts_nothing() {
    // a logit of −∞ is a token that is ruled out: no NaN from 0 · ∞
    let (student, teacher) = ([0.0f64, 0.0, f64::NEG_INFINITY], [0.0, 0.0, f64::NEG_INFINITY]);
    for divergence in [Divergence::ForwardKl, Divergence::ReverseKl, Divergence::Jsd { beta: 0.3 }] {
        let mut grad = [0.0; 3];
        assert_eq!(divergence.gradient(&student, &teacher, &mut grad), 0.0);
        assert_eq!(grad, [0.0; 3]);
    }
    assert!((Divergence::ReverseKl.value(&student, &[0.0; 3]) - 1.5f64.ln()).abs() < 1e-15);
    assert_eq!(Divergence::ForwardKl.value(&student, &[0.0; 3]), f64::INFINITY);
}

#[test]
fn a_wide_vocabulary_is_summed_without_drift() {
    let wide = vec![0.25f32; 1 << 18];
    let entropy = f64::from(StudentRow::whole(&wide, 0).entropy().unwrap());
    assert!((entropy - (wide.len() as f64).ln()).abs() < 1e-5, "{entropy}");
}

// ---- sampled tokens -----------------------------------------------------------------------------

proptest! {
    #[test]
    fn estimators_expect_what_they_say((student, teacher) in rows()) {
        let (s, reverse) = (probabilities(&student), Divergence::ReverseKl.value(&student, &teacher));
        let at = |logits: &[f64], y| StudentRow::whole(logits, y).log_prob();
        let expected = |f: &dyn Fn(f64, f64) -> f64| -> f64 {
            s.iter().enumerate().map(|(y, s)| s * f(at(&student, y), at(&teacher, y))).sum()
        };
        close(expected(&|s, q| Estimator::K1.value(s, q)), reverse, 1e-12)?;
        close(expected(&|s, q| Estimator::K3.value(s, q)), reverse, 1e-12)?;
    }

    #[test]
    fn estimators_as_losses_expect_these_gradients((student, teacher) in rows()) {
        let q = probabilities(&teacher);
        for (estimator, like) in [
            (Estimator::K1, None),
            (Estimator::K2, Some(Divergence::ReverseKl)),
            (Estimator::K3, Some(Divergence::ForwardKl)),
        ] {
            let (mut got, mut want) = (vec![0.0; q.len()], vec![0.0; q.len()]);
            for (y, s) in probabilities(&student).iter().enumerate() {
                let mut row = StudentRow::traced(&student, y, &mut got);
                let slope = estimator.slope(row.log_prob(), q[y].ln());
                row.push_log_prob(s * slope);
            }
            like.map(|divergence| divergence.gradient(&student, &teacher, &mut want));
            for (got, want) in got.iter().zip(want) {
                close(*got, want, 1e-12)?;
            }
        }
    }

    #[test]
    fn estimator_slopes_are_derivatives((student, teacher) in rows(), at in any::<prop::sample::Index>()) {
        let (y, mut grad) = (at.index(student.len()), vec![0.0; student.len()]);
        let q = StudentRow::whole(&teacher, y).log_prob();
        for estimator in [Estimator::K1, Estimator::K2, Estimator::K3] {
            grad.fill(0.0);
            let mut row = StudentRow::traced(&student, y, &mut grad);
            row.push_log_prob(estimator.slope(row.log_prob(), q));
            is_gradient(|z| estimator.value(StudentRow::whole(z, y).log_prob(), q), &student, &grad)?;
        }
    }

    #[test]
    fn policy_slope_is_the_derivative(
        old in -3.0..0.0, step in -0.6..0.6, teacher in -3.0..0.0, a in -2.0..2.0,
    ) {
        let (low, high) = (0.2, 0.28);
        let edge = |x: f64| (f64::exp(step) - x).abs() < 1e-4;
        prop_assume!(!edge(1.0 - low) && !edge(1.0 + high));
        let token = |new: f64| PolicyToken {
            old, new, teacher: Some(teacher), advantage: a, clip_low: low, clip_high: high, gap_mask: 10.0,
        };
        let new = old + step;
        is_gradient(|new| token(new[0]).loss().loss, &[new], &[token(new).loss().slope])?;
        let fresh = token(old).loss(); // at ρ = 1
        prop_assert_eq!((fresh.loss, fresh.slope, fresh.masked), (-a, -a, false));
    }

    #[test]
    fn the_gap_mask_is_strict(new in -20.0..0.0f64, gap in 0.0..20.0f64, mask in 1.0..15.0f64) {
        let teacher = new - gap;
        let token = PolicyToken {
            old: new, new, teacher: Some(teacher), advantage: -gap, clip_low: 0.2, clip_high: 0.28, gap_mask: mask,
        };
        prop_assert_eq!(token.loss().masked, (new - teacher).abs() >= mask);
        let alone = PolicyToken { teacher: None, ..token };
        prop_assert!(!alone.loss().masked);
        if token.loss().masked {
            prop_assert_eq!((token.loss().loss, token.loss().slope), (0.0, 0.0));
        }
        let exactly = PolicyToken { gap_mask: (new - teacher).abs(), ..token };
        prop_assert!(exactly.loss().masked);
    }

    #[test]
    fn extrapolation_by_one_is_plain_distillation(
        teacher in prop_oneof![Just(-0.0), -30.0..0.0], reference in prop_oneof![Just(f64::NEG_INFINITY), -30.0..0.0],
        student in prop_oneof![Just(0.0), Just(-0.0), -30.0..0.0], lambda in 0.5..2.0,
    ) {
        let opd = advantage(teacher, student);
        prop_assert_eq!(extrapolated(teacher, reference, student, 1.0).to_bits(), opd.to_bits());
        // a reference that is the teacher has no say at any λ
        close(extrapolated(teacher, teacher, student, lambda), opd, 1e-12)?;
        if reference.is_finite() {
            let want = lambda * teacher + (1.0 - lambda) * reference - student;
            close(extrapolated(teacher, reference, student, lambda), want, 1e-12)?;
        }
    }

    #[test]
    fn group_advantages_are_standard_scores((_, outcomes) in group()) {
        let got = group_advantages(&outcomes);
        let judged: Vec<f64> = outcomes.iter().flatten().map(|&right| f64::from(right)).collect();
        let n = judged.len() as f64;
        let mean = judged.iter().sum::<f64>() / n;
        let std = (judged.iter().map(|r| (r - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
        for (a, outcome) in got.iter().zip(&outcomes) {
            let flat = outcome.is_none() || n < 2.0 || std == 0.0;
            let want = if flat { 0.0 } else { (f64::from(outcome.unwrap()) - mean) / (std + 1e-6) };
            close(*a, want, 1e-12)?;
        }
        close(got.iter().sum(), 0.0, 1e-12)?;
    }
}

// ---- calibration --------------------------------------------------------------------------------

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

// ---- balancing ----------------------------------------------------------------------------------

/// How many of each side section 2.3 keeps.
fn plain_counts(nc: usize, ni: usize, judged: bool, r: f64) -> (usize, usize) {
    if r < 0.0 || !judged {
        return (nc, ni);
    }
    if r == 0.0 {
        return (0, ni);
    }
    if r.is_infinite() {
        return (nc, 0);
    }
    if nc == 0 || ni == 0 {
        return (nc, ni);
    }
    let (dc, di) = ((ni as f64 * r) as usize, (nc as f64 / r) as usize);
    if nc > dc && dc >= 1 {
        (dc, ni)
    } else if ni > di && di >= 1 {
        (nc, di)
    } else {
        (nc, ni)
    }
}

proptest! {
    #[test]
    fn balance_keeps_the_counts_of_the_rule(
        outcomes in vec(any::<Option<bool>>(), 0..33), seed in any::<u64>(),
        ratio in prop_oneof![0.05..5.0, select(vec![0.0, -1.0, 0.5, 1.0, 2.0, f64::INFINITY])],
    ) {
        let run = || keep_balanced(&outcomes, ratio, &mut Stream::new(seed, Purpose::Balance, 3, 1));
        let kept = run();
        prop_assert_eq!(&kept, &run());
        let right = |i: &usize| outcomes[*i] == Some(true);
        let (nc, ni) = ((0..outcomes.len()).filter(right).count(), (0..outcomes.len()).filter(|i| !right(i)).count());
        let stay = (0..outcomes.len()).filter(|&i| kept[i]);
        let got = (stay.clone().filter(right).count(), stay.filter(|i| !right(i)).count());
        let judged = outcomes.iter().any(Option::is_some);
        prop_assert_eq!(got, plain_counts(nc, ni, judged, ratio));
        if (nc == 0 || ni == 0) && ratio > 0.0 && ratio.is_finite() {
            prop_assert!(kept.iter().all(|&kept| kept));
        }
    }

    #[test]
    fn difficulty_removes_nothing_and_stays_under_its_cap(
        passes in vec(0u32..10, 0..60), samples in 0u32..10, seed in any::<u64>(),
        shape in select(vec![Shape::Auto, Shape::U, Shape::MirroredJ]),
        target in prop_oneof![Just(Target::Max), Just(Target::Mean), (0.0..1.0).prop_map(Target::Quantile)],
        cap in proptest::option::of(0u32..6),
    ) {
        let run = || balanced(&passes, samples, shape, target, cap, &mut Stream::new(seed, Purpose::Difficulty, 0, 0));
        let got = run();
        prop_assert_eq!(&got, &run());
        prop_assert!(got.shape != Shape::Auto);
        let copies: Vec<usize> =
            (0..passes.len()).map(|i| got.indices.iter().filter(|&&index| index == i).count()).collect();
        prop_assert!(copies.iter().all(|&n| n >= 1 && n <= cap.map_or(usize::MAX, |cap| cap.max(1) as usize)));
        prop_assert_eq!((got.indices.len(), got.distinct), (got.after.iter().sum(), passes.len()));
        prop_assert_eq!(got.before.iter().sum::<usize>(), passes.len());
        let top = got.before.iter().copied().max().unwrap_or(0);
        for bin in 0..=samples as usize {
            let (before, after) = (got.before[bin], got.after[bin]);
            let last = bin == samples as usize && got.shape == Shape::U;
            prop_assert!(before <= after && after <= top.max(before));
            prop_assert!(after == before || (bin > 0 && !last));
            let full = bin > 0 && !last && before > 0 && target == Target::Max;
            if full {
                prop_assert_eq!(after, cap.map_or(top, |cap| top.min(before * cap.max(1) as usize)));
            }
            // the copies of a bin are spread as evenly as they can be
            let of_bin = (0..passes.len()).filter(|&i| passes[i].min(samples) as usize == bin).map(|i| copies[i]);
            let (least, most) = of_bin.fold((usize::MAX, 0), |(least, most), n| (least.min(n), most.max(n)));
            prop_assert!(most == 0 || most - least <= 1);
        }
    }
}

/// The level bins are filled to, over the bins that are not empty.
#[test]
fn difficulty_targets_and_shapes() {
    let passes: Vec<u32> =
        [8, 1, 0, 2, 5].iter().zip(0..).flat_map(|(&n, k)| std::iter::repeat_n(k, n)).collect();
    let after = |shape, target| {
        let mut stream = Stream::new(7, Purpose::Difficulty, 0, 0);
        balanced(&passes, 4, shape, target, None, &mut stream).after
    };
    assert_eq!(after(Shape::Auto, Target::Max), [8, 8, 0, 8, 5]);
    assert_eq!(after(Shape::MirroredJ, Target::Mean), [8, 4, 0, 4, 5]);
    assert_eq!(after(Shape::MirroredJ, Target::Quantile(0.75)), [8, 5, 0, 5, 5]);
    assert_eq!(after(Shape::MirroredJ, Target::Quantile(0.5)), [8, 2, 0, 2, 5]);
    // over the median of the bins between, which of an even number is the mean of the middle two
    assert_eq!(detect(&[9, 2, 5, 4, 8, 5]), Shape::U);
    assert_eq!(detect(&[9, 2, 6, 4, 8, 5]), Shape::MirroredJ);
    assert_eq!(detect(&[9, 4, 4]), Shape::MirroredJ);
    assert_eq!([detect(&[]), detect(&[3]), detect(&[3, 3])], [Shape::MirroredJ; 3]);
}

/// Every member of a side is as likely to stay as any other.
#[test]
fn balance_draws_evenly() {
    let outcomes = [Some(true), Some(true), Some(true), Some(true), Some(false)];
    let mut stays = [0; 5];
    for seed in 0..4000 {
        let kept = keep_balanced(&outcomes, 1.0, &mut Stream::new(seed, Purpose::Balance, 0, 0));
        kept.iter().zip(&mut stays).for_each(|(&kept, stays)| *stays += i32::from(kept));
    }
    assert_eq!(stays[4], 4000);
    assert!(stays[..4].iter().all(|n| (n - 1000).abs() < 120), "{stays:?}");
}

proptest! {
    /// Ids that are gathered on their own give what the whole row gives.
    #[test]
    fn a_gathered_teacher_is_as_good_as_a_whole_one(
        ((student, teacher), ids) in rows().prop_flat_map(|rows| {
            let ids: Vec<usize> = (0..rows.0.len()).collect();
            (Just(rows), subsequence(ids.clone(), 1..ids.len()))
        }),
        divergence in divergences(),
    ) {
        let log_q: Vec<f64> = probabilities(&teacher).iter().map(|q| q.ln()).collect();
        let sent = Gathered::from_log_probs(ids.iter().map(|&i| log_q[i]).collect());
        for tail in TAILS {
            let on = |teacher: &Gathered<f64>| {
                tail.push(divergence, &mut StudentRow::whole(&student, 0), &ids, teacher, 1.0).unwrap()
            };
            let (whole, sent) = (on(&Gathered::of(&teacher, &ids)), on(&sent));
            close(sent.value, whole.value, 1e-9)?;
            close(sent.teacher_mass, whole.teacher_mass, 1e-12)?;
        }
    }
}
