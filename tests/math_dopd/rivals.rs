//! What must hold of the methods that DOPD is compared with.

use limbeck::real::entropy;
use limbeck::stages::loss::divergence::Divergence;
use limbeck::stages::loss::eopd::{self, TeacherTop};
use limbeck::stages::loss::importance::clipped_importance;
use limbeck::stages::loss::policy::{advantage, PolicyToken};
use limbeck::stages::loss::row::StudentRow;
use limbeck::stages::route::reopold::{clipped, floor, Phase};
use limbeck::stages::route::tip::{keep_soft_or, keep_uncertain, soft_or};
use limbeck::stages::route::visual::{response_weights, token_masses, token_weights, visual_advantage};
use proptest::collection::vec;
use proptest::prelude::*;

use super::{close, is_gradient, three_rows};

proptest! {
    #[test]
    fn eopd_gradients(
        [student, old, teacher] in three_rows(), k in 1usize..12, threshold in 0.0..2.0, y in 0usize..2,
    ) {
        let (old, top) = (StudentRow::whole(&old, y).log_prob(), TeacherTop::of(&teacher, k));
        let q = StudentRow::whole(&teacher, y).log_prob();
        let token = PolicyToken {
            old, new: 0.0, teacher: Some(q), advantage: advantage(q, old),
            clip_low: 0.2, clip_high: 0.2, gap_mask: f64::INFINITY,
        };
        let mut grad = vec![0.0; student.len()];
        let mut row = StudentRow::traced(&student, y, &mut grad);
        // the clip has corners: not there
        let ratio = (row.log_prob() - old).exp();
        prop_assume!((ratio - 0.8).abs() > 1e-3 && (ratio - 1.2).abs() > 1e-3);
        let got = eopd::push(token, &top, threshold, &mut row).unwrap();
        prop_assert_eq!(got.forward.is_some(), entropy(&teacher) > threshold);
        let value = |z: &[f64]| {
            eopd::push(token, &top, threshold, &mut StudentRow::whole(z, y)).unwrap().value
        };
        is_gradient(value, &student, &grad)?;
        let (mut full, mut forward) = (vec![0.0; student.len()], vec![0.0; student.len()]);
        let whole = TeacherTop::of(&teacher, student.len());
        let value = whole.forward_kl(&mut StudentRow::traced(&student, y, &mut full), 1.0).unwrap();
        close(value, Divergence::ForwardKl.gradient(&student, &teacher, &mut forward), 1e-13)?;
        full.iter().zip(forward).try_for_each(|(&full, forward)| close(full, forward, 1e-13))?;
        prop_assert!(top.forward_kl(&mut StudentRow::whole(&student, y), 1.0).unwrap() >= -1e-14);
    }

    #[test]
    fn importance_is_held_between_0_and_its_limit(new in -80.0..0.0, old in -80.0..0.0, limit in 1.0..9.0) {
        let (got, ratio): (f64, f64) = (clipped_importance(new, old, limit), f64::exp(new - old));
        prop_assert!(got > 0.0 && got <= limit);
        if ratio <= limit && ratio > f64::exp(-20.0) {
            prop_assert_eq!(got, ratio);
        }
    }

    #[test]
    fn visual_weights_sum_to_one(
        group in vec(vec((-6.0..0.0, -6.0..0.0), 1..30), 1..9), share in 0.0..1.0, mass in 0.0..1.0,
    ) {
        let of = |tokens: &Vec<(f64, f64)>| tokens.iter().map(|&(a, b)| visual_advantage(a, b)).collect();
        let group: Vec<Vec<f64>> = group.iter().map(of).collect();
        let weights = token_weights(&group, share, mass);
        close(weights.iter().flatten().sum(), 1.0, 1e-12)?;
        prop_assert!(weights.iter().flatten().all(|&w| w >= 0.0));
        for (response, weights) in group.iter().zip(&weights) {
            prop_assert_eq!(response.len(), weights.len());
            close(token_masses(response, share, mass).iter().sum(), 1.0, 1e-12)?;
        }
        let alike = response_weights(&vec![group[0][0]; group.len()]);
        alike.iter().try_for_each(|&w| close(w, 1.0 / group.len() as f64, 1e-9))?;
    }

    #[test]
    fn tip_scores_are_between_0_and_1_and_above_either(
        tokens in vec((0.0..6.0, 0.0..6.0), 0..120), share in 0.0..1.0,
    ) {
        let (entropies, divergences): (Vec<f64>, Vec<f64>) = tokens.into_iter().unzip();
        let scores = soft_or(&entropies, &divergences, 0.02);
        let alone = soft_or(&entropies, &vec![1.0; entropies.len()], 0.02);
        for (&both, &alone) in scores.iter().zip(&alone) {
            prop_assert!((0.0..=1.0 + 1e-15).contains(&both) && both >= alone - 1e-15);
        }
        let kept = keep_soft_or(&entropies, &divergences, 0.02, share);
        let lowest = (0..kept.len()).filter(|&i| kept[i]).map(|i| scores[i]).fold(2.0, f64::min);
        prop_assert!((0..kept.len()).all(|i| kept[i] || scores[i] <= lowest));
        prop_assert_eq!(keep_uncertain(&entropies, 1.0), vec![true; entropies.len()]);
    }

    #[test]
    fn the_floor_is_that_of_a_mixed_teacher(rewards in vec(-30.0..5.0, 1..40), lambda in 0.01..0.99) {
        let (bound, mixed) = (floor(lambda), |r: f64| (lambda + (1.0 - lambda) * r.exp()).ln() / (1.0 - lambda));
        close(mixed(f64::NEG_INFINITY), bound, 1e-12)?;
        let clipped = clipped(&rewards, bound);
        for (&r, &clipped) in rewards.iter().zip(&clipped) {
            prop_assert!(clipped >= r && clipped >= bound && clipped <= mixed(r) + 1e-9);
        }
        let kept = Phase::Explore { floor: bound }.keep(&rewards, &rewards);
        prop_assert!((0..kept.len()).all(|i| kept[i] == (clipped[i] == rewards[i])));
        let refined = Phase::Refine { share: 0.2 }.keep(&rewards, &rewards);
        prop_assert_eq!(refined.iter().filter(|&&kept| kept).count(), rewards.len().div_ceil(5));
    }
}

#[test]
fn the_borders_of_the_rivals() {
    // TIP lowers the largest entropy of 50, and no divergence
    let ramp: Vec<f64> = (0..50).map(f64::from).collect();
    let (of_entropy, of_divergence) = (soft_or(&ramp, &[0.0; 50], 0.02), soft_or(&[0.0; 50], &ramp, 0.02));
    assert_eq!((of_entropy[48], of_entropy[49], of_divergence[49]), (1.0, 1.0, 1.0));
    assert_eq!(of_divergence[48], 48.0 / 49.0);
    assert_eq!(Phase::Explore { floor: -2.0 }.keep(&[-2.0], &[0.0]), [true]);
    assert_eq!(token_masses(&[0.1, 0.2], 0.0, 0.5), [0.5, 0.5]);
    assert_eq!(visual_advantage(-2.0, -1.0), 0.0);
    assert_eq!(clipped_importance(-80.0f64, 0.0, 2.0), f64::exp(-20.0));
    // EOPD's gate is shut at the threshold itself, and its weight scales the gradient
    let (student, teacher) = ([0.5f64, -1.0, 0.25], [1.0f64, 0.0, 0.5]);
    let top = TeacherTop::of(&teacher, 2);
    let token = PolicyToken {
        old: -1.0,
        new: 0.0,
        teacher: None,
        advantage: 0.5,
        clip_low: 0.2,
        clip_high: 0.2,
        gap_mask: f64::INFINITY,
    };
    let at =
        |threshold: f64| eopd::push(token, &top, threshold, &mut StudentRow::whole(&student, 0)).unwrap();
    assert!(at(top.entropy).forward.is_none() && at(top.entropy - 1e-9).forward.is_some());
    assert_eq!(eopd::push(token, &top, 0.0, &mut StudentRow::recorded(-1.0)), None);
    let (mut once, mut more) = ([0.0; 3], [1.0; 3]);
    top.forward_kl(&mut StudentRow::traced(&student, 0, &mut once), 1.0);
    top.forward_kl(&mut StudentRow::traced(&student, 0, &mut more), -2.0);
    once.iter().zip(more).for_each(|(once, more)| assert!((more - (1.0 - 2.0 * once)).abs() < 1e-14));
}
