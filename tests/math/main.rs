//! What must hold of the mathematics for any numbers, and a second, plain writing-down of the rules.

mod balancing;
mod both;
mod calibration;
mod divergences;
mod importance;
mod sampled;

use limbeck::stages::calibrate::margin::{Direction, Statistic};
use limbeck::stages::loss::divergence::Divergence;
use limbeck::stages::loss::top_k::{Support, Tail};
use proptest::collection::vec;
use proptest::prelude::*;

const SUPPORTS: [Support; 3] = [Support::Student, Support::Teacher, Support::Union];
const TAILS: [Tail; 3] = [Tail::Renormalise, Tail::Bucket, Tail::Drop];
const STATISTICS: [Statistic; 2] = [Statistic::Mean, Statistic::MinMax];
const DIRECTIONS: [Direction; 3] = [Direction::CorrectUp, Direction::IncorrectDown, Direction::Both];

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
