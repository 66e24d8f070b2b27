use std::borrow::Cow;

use super::{Target, WholeRows};
use crate::capability::{Distributions, Signal};
use crate::real::Real;

/// The teacher's likeliest tokens at every position and the mass of all others together: what a server gives.
#[derive(Clone, Debug)]
pub struct TopRows(WholeRows);

impl TopRows {
    /// From rows of which only the teacher's likeliest tokens are held.
    pub fn new(rows: WholeRows) -> Self {
        Self(rows)
    }
}

impl Signal for TopRows {
    fn rewards(&self, _: usize) -> Option<&[f64]> {
        None
    }

    fn return_before(&self, i: usize) -> Option<f64> {
        self.0.return_before(i)
    }

    fn heard(&self, i: usize) -> bool {
        self.0.heard(i)
    }
}

/// Of a loss that asks for more than is held, no number comes out; the checks of `score: TeacherTopK` refuse it before.
impl Distributions for TopRows {
    fn teacher_row<R: Real>(&self, i: usize, t: usize) -> Cow<'_, [R]> {
        self.0.teacher_row(i, t)
    }

    fn at_hand<R: Real>(&self, i: usize, t: usize) -> Target<'_, R> {
        self.0.target(i, t)
    }
}
