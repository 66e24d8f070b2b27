//! Sampled tokens.

use limbeck::stages::loss::divergence::Divergence;
use limbeck::stages::loss::estimator::Estimator;
use limbeck::stages::loss::grpo::group_advantages;
use limbeck::stages::loss::policy::{advantage, extrapolated, PolicyToken};
use limbeck::stages::loss::row::StudentRow;
use proptest::prelude::*;

use crate::{close, group, is_gradient, probabilities, rows};

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
