//! What must hold of DOPD and its rivals for any numbers, and a second, plain writing-down of DOPD.

#[path = "math_dopd/plain.rs"]
mod plain;
#[path = "math_dopd/rivals.rs"]
mod rivals;

use limbeck::rng::{Purpose, Stream};
use limbeck::stages::loss::divergence::Divergence;
use limbeck::stages::loss::dopd::{Dopd, DopdLoss, Target, Targets, Weights};
use limbeck::stages::loss::row::StudentRow;
use limbeck::stages::loss::top_k::{Gathered, Support, Tail, Truncation};
use limbeck::stages::route::exact::Exact;
use limbeck::stages::route::gap::{regime, route, Regime, Routing, Source};
use limbeck::stages::route::prune::{keep_top, prune, Which};
use limbeck::stages::route::thresholds::{drop_count, Part, Thresholds, Token};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

const SUPPORTS: [Support; 3] = [Support::Student, Support::Teacher, Support::Union];
const TAILS: [Tail; 3] = [Tail::Renormalise, Tail::Bucket, Tail::Drop];

/// Log-probabilities of sampled tokens under the hinted student and the hinted teacher.
fn sampled(most: usize) -> impl Strategy<Value = (Vec<f64>, Vec<f64>)> {
    vec((-8.0..-0.01, -8.0..-0.01), 1..most).prop_map(|pairs| pairs.into_iter().unzip())
}

/// The same, with many equal gaps and many ties between the two.
fn tied(most: usize) -> impl Strategy<Value = (Vec<f64>, Vec<f64>)> {
    let one = || (1u8..5).prop_map(|halves| -0.5 * f64::from(halves));
    vec((one(), one()), 1..most).prop_map(|pairs| pairs.into_iter().unzip())
}

/// The logits of the student, the hinted student and the hinted teacher.
fn three_rows() -> impl Strategy<Value = [Vec<f64>; 3]> {
    (2usize..12).prop_flat_map(|v| [vec(-4.0..4.0, v), vec(-4.0..4.0, v), vec(-4.0..4.0, v)])
}

fn tokens((student, teacher): &(Vec<f64>, Vec<f64>)) -> Vec<Token> {
    student.iter().zip(teacher).map(|(&s, &q)| Token::of(q, s)).collect()
}

fn both<'a>(teacher: &'a [f64], student: &'a [f64]) -> Targets<'a, f64> {
    Targets { teacher: Some(Target::Row(teacher)), student: Some(Target::Row(student)) }
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

// ---- routing ------------------------------------------------------------------------------------

/// The four conditions as the paper's table has them, each by itself.
fn conditions(token: Token, bar: &Thresholds) -> [bool; 4] {
    let (low, sum) = (token.gap < bar.gap, token.student + token.teacher);
    let likely = sum >= bar.student + bar.teacher;
    let teacher = token.teacher >= token.student;
    [low && likely, low && !likely, !low && teacher, !low && !teacher]
}

proptest! {
    #[test]
    fn each_token_has_exactly_one_regime(batch in prop_oneof![sampled(80), tied(80)], trim in 0.0..0.3) {
        let (got, tokens) = (route(&batch.0, &batch.1, trim), tokens(&batch));
        prop_assert_eq!((got.regimes.len(), got.gaps.len()), (tokens.len(), tokens.len()));
        for (&token, &regime) in tokens.iter().zip(&got.regimes) {
            let holds = conditions(token, &got.thresholds);
            prop_assert_eq!(holds.iter().filter(|&&holds| holds).count(), 1);
            prop_assert!(holds[Regime::ALL.iter().position(|&at| at == regime).unwrap()]);
        }
    }

    #[test]
    fn rising_affine_maps_of_the_gap_leave_low_and_high(
        batch in sampled(80), scale in 0.01..50.0, off in -3.0..3.0,
    ) {
        let tokens = tokens(&batch);
        let moved: Vec<_> =
            tokens.iter().map(|&token| Token { gap: scale * token.gap + off, ..token }).collect();
        let (bar, other) = (Thresholds::of(&tokens, 0.05), Thresholds::of(&moved, 0.05));
        close(other.gap, scale * bar.gap + off, 1e-12)?;
        prop_assert_eq!((other.student, other.teacher), (bar.student, bar.teacher));
        for (token, moved) in tokens.iter().zip(&moved) {
            // a gap that is the average up to rounding may fall to either side
            if (token.gap - bar.gap).abs() > 1e-9 {
                prop_assert_eq!(token.gap < bar.gap, moved.gap < other.gap);
            }
        }
    }

    #[test]
    fn five_per_cent_of_under_twenty_tokens_is_none(batch in sampled(60), trim in -1.0..2.0) {
        let n = batch.0.len();
        let dropped = route(&batch.0, &batch.1, 0.05).thresholds.dropped;
        prop_assert_eq!(dropped, n / 20);
        prop_assert!(n >= 20 || dropped == 0);
        prop_assert!(drop_count(n, trim) < n); // one always stays
        prop_assert_eq!(route(&batch.0, &batch.1, trim).thresholds.dropped, drop_count(n, trim));
    }

    #[test]
    fn the_order_of_the_tokens_changes_nothing(batch in sampled(120), trim in 0.0..0.2) {
        let (mut order, n): (Vec<usize>, _) = ((0..batch.0.len()).collect(), batch.0.len());
        Stream::new(3, Purpose::Shuffle, 0, n as u64).shuffle(&mut order);
        let at = |of: &[f64]| order.iter().map(|&i| of[i]).collect::<Vec<_>>();
        let (got, other) = (route(&batch.0, &batch.1, trim), route(&at(&batch.0), &at(&batch.1), trim));
        prop_assert_eq!(got.thresholds, other.thresholds); // not even rounding
        prop_assert_eq!(order.iter().map(|&i| got.regimes[i]).collect::<Vec<_>>(), other.regimes);
    }

    #[test]
    fn a_scope_may_be_split_anywhere(
        batch in prop_oneof![sampled(120), tied(120)], trim in 0.0..0.2, cuts in vec(0usize..120, 0..5),
    ) {
        let (tokens, drop) = (tokens(&batch), drop_count(batch.0.len(), trim));
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(tokens.len())).collect();
        cuts.extend([0, tokens.len()]);
        cuts.sort_unstable();
        let part = |cut: &[usize]| Part::of(&tokens[cut[0]..cut[1]], drop);
        let parts: Vec<Part> = cuts.windows(2).map(part).collect();
        let whole = Thresholds::of(&tokens, trim);
        let fold = parts.iter().cloned().reduce(Part::merge).unwrap();
        prop_assert_eq!(fold.thresholds(), whole);
        // and merged as a tree, from the right
        let tree = parts.into_iter().rev().reduce(|later, part| part.merge(later)).unwrap();
        prop_assert_eq!(tree.thresholds(), whole);
        let routing = Routing::under(whole, &tokens);
        prop_assert_eq!(routing, route(&batch.0, &batch.1, trim));
    }

    #[test]
    fn equal_tokens_are_all_high((s, q) in (-8.0..0.0, -8.0..0.0), n in 1usize..70) {
        // a mean that was rounded up would make them low
        let got = route(&vec![s; n], &vec![q; n], 0.05);
        let want = if q >= s { Regime::HT } else { Regime::HS };
        prop_assert!(got.regimes.iter().all(|&at| at == want));
    }

    #[test]
    fn exact_sums_are_rounded_once(numbers in vec((-1.0..1.0, -60i32..60), 0..40)) {
        let numbers: Vec<f64> = numbers.into_iter().map(|(x, e): (f64, i32)| x * 2f64.powi(e)).collect();
        let of = |xs: &[f64]| xs.iter().fold(Exact::default(), |sum, &x| sum.plus(x));
        let whole: Vec<f64> = numbers.iter().map(|x| (x * 2f64.powi(50)).trunc()).collect();
        let sum: i128 = whole.iter().map(|&x| x as i128).sum();
        prop_assert_eq!(of(&whole).value(), sum as f64);
        let (a, b) = numbers.split_at(numbers.len() / 3);
        prop_assert_eq!(of(a).merge(of(b)), of(&numbers));
        prop_assert_eq!(of(b).merge(of(a)), of(&numbers));
    }

    #[test]
    fn masks_have_the_right_count(gaps in vec((0u8..9).prop_map(f64::from), 0..60), share in 0.0..1.2) {
        let (n, mut stream) = (gaps.len(), Stream::new(5, Purpose::Shuffle, 0, 0));
        let few = ((share * n as f64) as usize).min(n);
        let out = |kept: &[bool]| (0..n).filter(|&i| !kept[i]).collect::<Vec<_>>();
        let (high, low) = (prune(&gaps, share, Which::Highest), prune(&gaps, share, Which::Lowest));
        let any = prune(&gaps, share, Which::Random(&mut stream));
        for kept in [&high, &low, &any] {
            prop_assert_eq!((kept.len(), out(kept).len()), (n, few));
        }
        let kept: Vec<usize> = (0..n).filter(|&i| high[i]).collect();
        let before = |&a: &usize, &b: &usize| gaps[a] < gaps[b] || (gaps[a] == gaps[b] && a < b);
        prop_assert!(kept.iter().all(|a| out(&high).iter().all(|b| before(a, b))));
        let top = keep_top(&gaps, share);
        let most = ((share * n as f64).ceil() as usize).min(n);
        prop_assert_eq!(out(&top).len(), n - most);
    }
}

#[test]
fn exact_sums_see_what_lies_below_half_a_step() {
    let of = |xs: &[f64]| xs.iter().fold(Exact::default(), |sum, &x| sum.plus(x)).value();
    let (half, tiny) = (f64::EPSILON / 2.0, f64::MIN_POSITIVE);
    assert_eq!(of(&[1.0, half]), 1.0);
    assert_eq!(of(&[tiny, 1.0, half]), 1.0 + f64::EPSILON);
    assert_eq!(of(&[-tiny, half, 1.0]), 1.0);
    assert_eq!(of(&[-tiny, -1.0, -half]), -1.0 - f64::EPSILON);
    assert_eq!((of(&[]), of(&[1.0, f64::INFINITY, -2.0])), (0.0, f64::INFINITY));
}

#[test]
fn the_borders_belong_where_the_paper_has_them() {
    let bar = Thresholds { gap: 0.5, student: 0.25, teacher: 0.5, dropped: 0 };
    assert_eq!(regime(0.25, 0.5, 0.25, &bar), Regime::LH); // q_S + q_T as on average
    assert_eq!(regime(0.5, 0.5, 0.25, &bar), Regime::HS); // A as on average
    assert_eq!(regime(0.5, 0.25, 0.25, &bar), Regime::HT); // q_T = q_S
                                                           // zeros of either sign are equal, and of equals the later goes first
    assert_eq!(prune(&[0.0, -0.0, 0.0], 0.4, Which::Highest), [true, true, false]);
    assert_eq!(prune(&[0.0, -0.0], 0.5, Which::Highest), [true, false]);
    assert_eq!(prune(&[-0.0, 0.0], 0.5, Which::Lowest), [true, false]);
    let tokens: Vec<_> = (0..40).map(|i| Token::of(-0.1 * f64::from(i), -1.0)).collect();
    let late = Part::default().merge(Part::of(&tokens, 2));
    assert_eq!(late.merge(Part::default()).thresholds(), Thresholds::of(&tokens, 0.05));
    assert_eq!(Thresholds::of(&[], 0.05), Thresholds::default());
}

#[test]
fn numbers_that_are_none_stop_nothing() {
    let odd = [f64::NAN, f64::NEG_INFINITY, -1.0, f64::INFINITY, -2.0];
    for student in odd {
        let students = [student, -1.0, f64::NEG_INFINITY, -3.0, -0.5];
        for trim in [0.0, 0.3, f64::NAN, f64::INFINITY] {
            assert_eq!(route(&students, &odd, trim).regimes.len(), 5);
        }
    }
    let infinite = || Exact::default().plus(f64::INFINITY);
    assert_eq!(Exact::default().plus(1.0).merge(infinite()).value(), f64::INFINITY);
    // an impossible token is an outlier like any other, and both finding it impossible is no gap
    let got = route(&[-1.0, -1.0, f64::NEG_INFINITY], &[-1.0, f64::NEG_INFINITY, f64::NEG_INFINITY], 0.4);
    assert_eq!((got.thresholds.gap, got.thresholds.dropped), (0.0, 1));
}

// ---- a second implementation --------------------------------------------------------------------

/// A batch of sequences of these lengths, as logits of student, hinted student and hinted teacher.
fn batch(lengths: &[usize], width: usize, seed: u64) -> Vec<Vec<([Vec<f64>; 3], usize)>> {
    let mut stream = Stream::new(seed, Purpose::Weights, 0, 0);
    let mut position = || {
        let base: Vec<f64> = (0..width).map(|_| 2.0 * stream.normal()).collect();
        let mut near = || base.iter().map(|z| z + stream.normal()).collect::<Vec<_>>();
        ([near(), near(), near()], stream.below(width))
    };
    lengths.iter().map(|&n| (0..n).map(|_| position()).collect()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn dopd_is_what_it_is_when_written_plainly(
        lengths in vec(0usize..25, 1..5), width in 40usize..2000, k in 2usize..60, seed: u64, bucket: bool,
    ) {
        let (batch, bucket) = (batch(&lengths, width, seed), bucket && k < width); // no rest, no bucket
        let positions = |sequence: &Vec<([Vec<f64>; 3], usize)>| {
            let of = |([student, hinted, teacher], sampled): &([Vec<f64>; 3], usize)| plain::Position {
                student: plain::softmax(student),
                hinted: plain::softmax(hinted),
                teacher: plain::softmax(teacher),
                sampled: *sampled,
            };
            sequence.iter().map(of).collect::<Vec<_>>()
        };
        let plainly = plain::dopd(&batch.iter().map(positions).collect::<Vec<_>>(), k, bucket);
        let all: Vec<_> = batch.iter().flatten().collect();
        let said = |who: usize| -> Vec<f64> {
            all.iter().map(|(rows, y)| StudentRow::whole(&rows[who], *y).log_prob()).collect()
        };
        let routing = route(&said(1), &said(2), 0.05);
        let tail = if bucket { Tail::Bucket } else { Tail::Renormalise };
        let truncation = Truncation { k, support: Support::Student, tail };
        let dopd = Dopd { truncation, ..Dopd::default() };
        let (mut loss, mut want_loss) = (0.0, 0.0);
        let lengths = plainly.iter().flat_map(|sequence| sequence.iter().map(|_| sequence.len() as f64));
        for (i, (want, length)) in plainly.iter().flatten().zip(lengths).enumerate() {
            let ([student, hinted, teacher], y) = all[i];
            let mut grad = vec![0.0; width];
            let mut row = StudentRow::traced(student, *y, &mut grad);
            let got = dopd.push(routing.regimes[i], &mut row, both(teacher, hinted)).unwrap();
            prop_assert_eq!(routing.regimes[i].to_string(), want.regime);
            close(routing.gaps[i], want.gap, 1e-12)?;
            close(got.value, want.loss, 1e-12)?;
            grad.iter().zip(&want.grad).try_for_each(|(&got, &want)| close(got, want, 1e-12))?;
            loss += got.value / length;
            want_loss += want.loss / length;
        }
        close(loss, want_loss, 1e-12)?;
    }
}

// ---- token losses -------------------------------------------------------------------------------

fn regimes() -> impl Strategy<Value = Regime> {
    select(Regime::ALL.to_vec())
}

proptest! {
    #[test]
    fn unweighted_and_whole_it_is_plain_reverse_kl(
        [student, hinted, teacher] in three_rows(), regime in select(vec![Regime::LH, Regime::LL, Regime::HS]), extra in 0usize..3,
    ) {
        let (n, source) = (student.len(), if regime == Regime::LH { &teacher } else { &hinted });
        for (support, tail) in SUPPORTS.into_iter().flat_map(|s| TAILS.map(|t| (s, t))) {
            let truncation = Truncation { k: n + extra, support, tail };
            let dopd = Dopd { weights: Weights { light: 1.0, weak: 1.0 }, truncation, ..Dopd::default() };
            let (mut grad, mut plain) = (vec![0.0; n], vec![0.0; n]);
            let mut row = StudentRow::traced(&student, 0, &mut grad);
            let got = dopd.push(regime, &mut row, both(&teacher, &hinted)).unwrap();
            let value = Divergence::ReverseKl.gradient(&student, source, &mut plain);
            prop_assert_eq!(got, DopdLoss { value, divergence: value, weight: 1.0, masses: Some((1.0, 1.0)) });
            prop_assert_eq!(grad, plain);
        }
    }

    #[test]
    fn dopd_gradients(
        [student, hinted, teacher] in three_rows(), regime in regimes(), k in 1usize..12, light in 0.1..2.0,
        support in select(SUPPORTS.to_vec()), tail in select(TAILS.to_vec()),
    ) {
        let dopd = Dopd {
            weights: Weights { light, weak: 0.5 * light },
            truncation: Truncation { k, support, tail },
            ..Dopd::default()
        };
        let mut grad = vec![0.0; student.len()];
        let mut row = StudentRow::traced(&student, 0, &mut grad);
        let got = dopd.push(regime, &mut row, both(&teacher, &hinted)).unwrap();
        // the ids are constants for the gradient, so they are held while z moves
        let source = if regime.source() == Source::Teacher { &teacher } else { &hinted };
        let ids = support.of(&student, source, k);
        let gathered = Gathered::of(source, &ids);
        let whole = regime == Regime::HT || k >= student.len();
        let target = if whole { Target::Row(&source[..]) } else { Target::On(&ids, &gathered) };
        let targets = Targets { teacher: Some(target), student: Some(target) };
        let value = |z: &[f64]| dopd.push(regime, &mut StudentRow::whole(z, 0), targets).unwrap().value;
        close(value(&student), got.value, 1e-13)?;
        close(got.value, got.weight * got.divergence, 1e-15)?;
        is_gradient(value, &student, &grad)?;
    }

    #[test]
    fn what_is_not_at_hand_has_no_loss([student, hinted, teacher] in three_rows(), regime in regimes()) {
        let dopd = Dopd::default();
        let (none, all) = (Targets { teacher: None, student: None }, both(&teacher, &hinted));
        prop_assert_eq!(dopd.push(regime, &mut StudentRow::whole(&student, 0), none), None);
        prop_assert_eq!(dopd.push(regime, &mut StudentRow::recorded(-1.0), all), None);
    }
}
