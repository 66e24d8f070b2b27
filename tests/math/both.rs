//! The divergence from two voices at once, against finite differences and against one voice.

use std::sync::Arc;

use limbeck::capability::{Signal, TwoVoices};
use limbeck::prelude::*;
use limbeck::real::Real;
use limbeck::signal::Rows;
use limbeck::stages::loss::divergence::Divergence;
use limbeck::stages::loss::row::StudentRow;
use limbeck::stages::loss::Loss;
use limbeck::Settings;

#[derive(Clone)]
struct Pair(Rows, Rows);

impl Signal for Pair {
    fn rewards(&self, _: usize) -> Option<&[f64]> {
        None
    }

    fn return_before(&self, _: usize) -> Option<f64> {
        None
    }
}

impl TwoVoices for Pair {
    fn said(&self, _: usize, _: usize) -> (f64, f64) {
        (0.0, 0.0)
    }

    fn teacher(&self, _: usize) -> &Rows {
        &self.0
    }

    fn hindsight(&self, _: usize) -> &Rows {
        &self.1
    }

    fn width(&self) -> usize {
        5
    }
}

const STUDENT: [f64; 5] = [0.7, -0.4, 1.3, 0.1, -1.1];
const TEACHER: [f64; 5] = [-0.3, 0.9, 0.4, -0.8, 0.6];
const HINDSIGHT: [f64; 5] = [1.2, -0.7, 0.2, 0.3, 0.0];

fn of<R: Real>(loss: &JsdToBoth, row: &[f64]) -> (f64, Vec<f64>) {
    let row: Vec<R> = row.iter().map(|&z| R::of(z)).collect();
    let mut grad = vec![R::zero(); row.len()];
    let pair = Pair(Rows::F64(Arc::from(TEACHER)), Rows::F64(Arc::from(HINDSIGHT)));
    let found = loss.token(&pair, 0, 0, &mut StudentRow::traced(&row, 1, &mut grad));
    (found.loss, grad.into_iter().map(Real::f64).collect())
}

#[test]
fn the_gradient_is_that_of_the_value_in_both_precisions() {
    for (teacher_share, beta) in [(0.5, 0.5), (0.2, 0.7), (1.0, 0.5), (0.0, 0.3)] {
        let loss = JsdToBoth { teacher_share, beta };
        let (value, grad) = of::<f64>(&loss, &STUDENT);
        for (z, slope) in grad.iter().enumerate() {
            let at = |step: f64| {
                let mut row = STUDENT;
                row[z] += step;
                of::<f64>(&loss, &row).0
            };
            let difference = (at(1e-5) - at(-1e-5)) / 2e-5;
            assert!((slope - difference).abs() < 1e-9, "{slope} and {difference}");
        }
        let (single, single_grad) = of::<f32>(&loss, &STUDENT);
        assert!((value - single).abs() < 1e-6);
        assert!(grad.iter().zip(&single_grad).all(|(a, b)| (a - b).abs() < 1e-6));
    }
}

#[test]
fn a_voice_with_the_whole_share_is_the_only_one() {
    let one = |row: &[f64], beta| {
        let mut grad = vec![0.0; 5];
        let value = Divergence::Jsd { beta }.gradient(&STUDENT, row, &mut grad);
        (value, grad)
    };
    assert_eq!(of::<f64>(&JsdToBoth { teacher_share: 1.0, beta: 0.4 }, &STUDENT), one(&TEACHER, 0.4));
    assert_eq!(of::<f64>(&JsdToBoth { teacher_share: 0.0, beta: 0.4 }, &STUDENT), one(&HINDSIGHT, 0.4));
    let half = of::<f64>(&<JsdToBoth as Settings>::DEFAULT, &STUDENT).0;
    assert!((half - 0.5 * (one(&TEACHER, 0.5).0 + one(&HINDSIGHT, 0.5).0)).abs() < 1e-15);
}
