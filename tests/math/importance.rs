//! Divergences weighted by the importance ratio, against finite differences.

use std::borrow::Cow;

use limbeck::capability::{Distributions, Signal};
use limbeck::prelude::*;
use limbeck::real::Real;
use limbeck::stages::loss::importance::clipped_importance;
use limbeck::stages::loss::row::StudentRow;
use limbeck::stages::loss::Loss;
use limbeck::Settings;

/// One teacher's row, at every token.
#[derive(Clone)]
struct OneRow(Vec<f64>);

impl Signal for OneRow {
    fn rewards(&self, _: usize) -> Option<&[f64]> {
        None
    }

    fn return_before(&self, _: usize) -> Option<f64> {
        None
    }
}

impl Distributions for OneRow {
    fn teacher_row<R: Real>(&self, _: usize, _: usize) -> Cow<'_, [R]> {
        R::view64(&self.0)
    }
}

const STUDENT: [f64; 6] = [0.7, -0.4, 1.3, 0.1, -1.1, 0.2];
const SAMPLED: usize = 2;

fn teacher() -> OneRow {
    let mut row = vec![-0.3, 0.9, 0.4, -0.8, 0.6, 1.1];
    limbeck::real::log_softmax(&mut row);
    OneRow(row)
}

/// Value, the loss's own weight, and gradient, where the token was drawn at `old`.
fn of<L: Loss<OneRow>>(loss: &L, row: &[f64], old: Option<f64>) -> (f64, Option<f64>, Vec<f64>) {
    let mut grad = vec![0.0; row.len()];
    let mut student = StudentRow::traced(row, SAMPLED, &mut grad).drawn_at(old);
    let found = loss.token(&teacher(), 0, 0, &mut student);
    (found.loss, found.weight, grad)
}

macro_rules! weighed {
    ($($name:ident: $loss:ty { $($setting:ident: $value:expr),* })*) => {$(
        mod $name {
            use super::*;

            fn limited(importance_clip: f64) -> $loss {
                let mut loss = <$loss as Settings>::DEFAULT;
                loss.importance_clip = importance_clip;
                $(loss.$setting = $value;)*
                loss
            }

            #[test]
            fn the_ratio_weighs_value_and_gradient_and_has_no_gradient_of_its_own() {
                let (free, clipped) = (limited(f64::INFINITY), limited(2.0));
                let new = f64::log_prob(&STUDENT, SAMPLED);
                let (value, none, plain) = of(&free, &STUDENT, Some(new - 0.3));
                assert_eq!(none, None, "without a clip the ratio counts for nothing");
                for (old, want) in [(new - 0.3, 0.3f64.exp()), (new + 0.5, (-0.5f64).exp()), (new - 3.0, 2.0)] {
                    assert!((clipped_importance(new, old, 2.0) - want).abs() < 1e-12);
                    let (got, weight, grad) = of(&clipped, &STUDENT, Some(old));
                    assert!((got - want * value).abs() < 1e-12 && got != value, "{got}");
                    assert!((weight.unwrap() - want).abs() < 1e-12);
                    for (z, (got, plain)) in grad.iter().zip(&plain).enumerate() {
                        assert!((got - want * plain).abs() < 1e-12);
                        // the ratio held constant: the difference of the divergence without it
                        let at = |step: f64| {
                            let mut row = STUDENT;
                            row[z] += step;
                            of(&free, &row, None).0
                        };
                        let slope = want * (at(1e-5) - at(-1e-5)) / 2e-5;
                        assert!((got - slope).abs() < 1e-8, "{got} and {slope}");
                    }
                }
            }

            #[test]
            fn a_ratio_of_one_changes_no_bit() {
                let (free, clipped) = (limited(f64::INFINITY), limited(2.0));
                let (value, _, grad) = of(&free, &STUDENT, None);
                let (got, weight, same) = of(&clipped, &STUDENT, Some(f64::log_prob(&STUDENT, SAMPLED)));
                assert_eq!((value, grad.clone(), Some(1.0)), (got, same, weight));
                let (got, weight, same) = of(&clipped, &STUDENT, None);
                assert_eq!((value, grad, None), (got, same, weight), "who sampled is not known");
            }
        }
    )*};
}

weighed! {
    reverse: ReverseKl {}
    forward_of_few: ForwardKl<TopK<3>> { tail: Tail::Bucket }
    jensen_shannon_of_up_to: Jsd<UpTo<3>> { beta: 0.3, tail: Tail::Bucket }
    jensen_shannon_of_all: Jsd<UpTo<100>> { beta: 0.5, tail: Tail::Bucket }
}
