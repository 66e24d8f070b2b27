use std::borrow::Cow;

use super::Rows;
use crate::capability::{Distributions, Signal, TwoVoices};
use crate::real::Real;

/// Of a teacher and the student's own hindsight, the teacher: the other's rows are gone.
#[derive(Clone, Debug)]
pub struct TaughtRows {
    width: usize,
    rows_N: Vec<Rows>,
    returns_N: Vec<Option<f64>>,
    heard_N: Vec<bool>,
}

impl TaughtRows {
    /// What the teacher said of so many responses.
    pub fn of(signal: &impl TwoVoices, responses: usize) -> Self {
        Self {
            width: signal.width(),
            rows_N: (0..responses).map(|i| signal.teacher(i).clone()).collect(),
            returns_N: (0..responses).map(|i| signal.return_before(i)).collect(),
            heard_N: (0..responses).map(|i| signal.heard(i)).collect(),
        }
    }
}

impl Signal for TaughtRows {
    fn rewards(&self, _: usize) -> Option<&[f64]> {
        None
    }

    fn return_before(&self, i: usize) -> Option<f64> {
        self.returns_N[i]
    }

    fn heard(&self, i: usize) -> bool {
        self.heard_N[i]
    }
}

impl Distributions for TaughtRows {
    fn teacher_row<R: Real>(&self, i: usize, t: usize) -> Cow<'_, [R]> {
        self.rows_N[i].row(self.width, t)
    }
}
