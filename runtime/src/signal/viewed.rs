use std::borrow::Cow;

use super::WholeRows;
use crate::capability::{Distributions, Signal, TwoViews};
use crate::real::Real;

/// The teacher's whole distributions after the prompt, and what is left of the sampled tokens' chances
/// after a poorer view of it.
#[derive(Clone, Debug)]
pub struct ViewedRows {
    teacher: WholeRows,
    views_N_T: Vec<Vec<(f64, f64)>>,
    heard_N: Vec<bool>,
}

impl ViewedRows {
    /// From the teacher's rows, each sampled token's log-probability in both views, and which responses
    /// had a poorer view.
    pub fn new(teacher: WholeRows, views_N_T: Vec<Vec<(f64, f64)>>, heard_N: Vec<bool>) -> Self {
        Self { teacher, views_N_T, heard_N }
    }
}

impl Signal for ViewedRows {
    fn rewards(&self, i: usize) -> Option<&[f64]> {
        self.teacher.rewards(i)
    }

    fn return_before(&self, i: usize) -> Option<f64> {
        self.teacher.return_before(i)
    }

    fn heard(&self, i: usize) -> bool {
        self.teacher.heard(i) && self.heard_N[i]
    }
}

impl Distributions for ViewedRows {
    fn teacher_row<R: Real>(&self, i: usize, t: usize) -> Cow<'_, [R]> {
        self.teacher.teacher_row(i, t)
    }
}

impl TwoViews for ViewedRows {
    fn views(&self, i: usize, t: usize) -> (f64, f64) {
        self.views_N_T[i][t]
    }
}
