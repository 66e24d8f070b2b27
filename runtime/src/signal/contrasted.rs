use std::borrow::Cow;

use super::WholeRows;
use crate::capability::{Distributions, Diverging, Signal, Uncertain};
use crate::error::Result;
use crate::real::Real;

/// The teacher's whole distributions, and how uncertain the student is at each token and how far from
/// the teacher.
#[derive(Clone, Debug)]
pub struct ContrastedRows {
    teacher: WholeRows,
    entropies_N_T: Vec<Vec<f64>>,
    divergences_N_T: Vec<Vec<f64>>,
}

impl ContrastedRows {
    /// From the teacher's rows, and the student's entropy and divergence at each token.
    pub fn new(teacher: WholeRows, found_N_T: Vec<Vec<(f64, f64)>>) -> Self {
        let (entropies_N_T, divergences_N_T) =
            found_N_T.into_iter().map(|found_T| found_T.into_iter().unzip()).unzip();
        Self { teacher, entropies_N_T, divergences_N_T }
    }
}

impl Signal for ContrastedRows {
    fn rewards(&self, i: usize) -> Option<&[f64]> {
        self.teacher.rewards(i)
    }

    fn return_before(&self, i: usize) -> Option<f64> {
        self.teacher.return_before(i)
    }

    fn heard(&self, i: usize) -> bool {
        self.teacher.heard(i)
    }
}

impl Distributions for ContrastedRows {
    fn teacher_row<R: Real>(&self, i: usize, t: usize) -> Cow<'_, [R]> {
        self.teacher.teacher_row(i, t)
    }
}

impl Uncertain for ContrastedRows {
    fn entropies(&self) -> Result<&[Vec<f64>]> {
        Ok(&self.entropies_N_T)
    }
}

impl Diverging for ContrastedRows {
    fn divergence(&self, i: usize, t: usize) -> f64 {
        self.divergences_N_T[i][t]
    }
}
