//! Balancing.

use limbeck::rng::{Purpose, Stream};
use limbeck::stages::balance::outcome::keep_balanced;
use limbeck::stages::data::difficulty::{balanced, detect, Shape, Target};
use limbeck::stages::loss::row::StudentRow;
use limbeck::stages::loss::top_k::Gathered;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::{close, divergences, probabilities, rows, TAILS};

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
