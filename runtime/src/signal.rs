//! The signals that the built-in scores give.

use std::borrow::Cow;
use std::sync::Arc;

use crate::capability::{Calibratable, Demonstration, Distributions, Rewards, Signal, TeacherLogProbs};
use crate::real::Real;
use crate::stages::calibrate::margin::trajectory_return;

/// Teacher against student on each sampled token.
#[derive(Clone, Debug)]
pub struct Compared {
    student_N_T: Vec<Vec<f64>>,
    teacher_N_T: Vec<Vec<f64>>,
    rewards_N_T: Vec<Vec<f64>>,
    returns_N: Vec<f64>,
}

impl Compared {
    /// From the log-probabilities of the sampled tokens and the reward they give.
    pub fn new(student_N_T: Vec<Vec<f64>>, teacher_N_T: Vec<Vec<f64>>, rewards_N_T: Vec<Vec<f64>>) -> Self {
        let returns_N = rewards_N_T.iter().map(|rewards| trajectory_return(rewards)).collect();
        Self { student_N_T, teacher_N_T, rewards_N_T, returns_N }
    }
}

impl Signal for Compared {
    fn rewards(&self, i: usize) -> Option<&[f64]> {
        Some(&self.rewards_N_T[i])
    }

    fn return_before(&self, i: usize) -> Option<f64> {
        Some(self.returns_N[i])
    }
}

impl Rewards for Compared {
    fn reward(&self, i: usize, t: usize) -> f64 {
        self.rewards_N_T[i][t]
    }

    fn student(&self, i: usize, t: usize) -> f64 {
        self.student_N_T[i][t]
    }

    fn teacher(&self, i: usize, t: usize) -> Option<f64> {
        Some(self.teacher_N_T[i][t])
    }
}

impl TeacherLogProbs for Compared {}

impl Calibratable for Compared {
    fn shift(&mut self, i: usize, offset: f64) {
        self.rewards_N_T[i].iter_mut().for_each(|reward| *reward += offset);
    }

    fn silence(&mut self, i: usize) {
        self.rewards_N_T[i].fill(0.0);
    }
}

/// As [`Compared`], but the rewards go beyond the teacher: what pulls to the teacher itself would drop
/// the reference, so this gives no [`TeacherLogProbs`].
#[derive(Clone, Debug)]
pub struct Beyond(Compared);

impl Beyond {
    /// From the log-probabilities of the sampled tokens and the reward they give.
    pub fn new(student_N_T: Vec<Vec<f64>>, teacher_N_T: Vec<Vec<f64>>, rewards_N_T: Vec<Vec<f64>>) -> Self {
        Self(Compared::new(student_N_T, teacher_N_T, rewards_N_T))
    }
}

impl Signal for Beyond {
    fn rewards(&self, i: usize) -> Option<&[f64]> {
        self.0.rewards(i)
    }

    fn return_before(&self, i: usize) -> Option<f64> {
        self.0.return_before(i)
    }
}

impl Rewards for Beyond {
    fn reward(&self, i: usize, t: usize) -> f64 {
        self.0.reward(i, t)
    }

    fn student(&self, i: usize, t: usize) -> f64 {
        self.0.student(i, t)
    }

    fn teacher(&self, i: usize, t: usize) -> Option<f64> {
        self.0.teacher(i, t)
    }
}

impl Calibratable for Beyond {
    fn shift(&mut self, i: usize, offset: f64) {
        self.0.shift(i, offset);
    }

    fn silence(&mut self, i: usize) {
        self.0.silence(i);
    }
}

/// One outcome reward for the whole response, given to each of its tokens.
#[derive(Clone, Debug)]
pub struct OutcomeRewards {
    pub(crate) student_N_T: Vec<Vec<f64>>,
    pub(crate) rewards_N_T: Vec<Vec<f64>>,
}

impl Signal for OutcomeRewards {
    fn rewards(&self, i: usize) -> Option<&[f64]> {
        Some(&self.rewards_N_T[i])
    }

    fn return_before(&self, _: usize) -> Option<f64> {
        None
    }
}

impl Rewards for OutcomeRewards {
    fn reward(&self, i: usize, t: usize) -> f64 {
        self.rewards_N_T[i][t]
    }

    fn student(&self, i: usize, t: usize) -> f64 {
        self.student_N_T[i][t]
    }

    fn teacher(&self, _: usize, _: usize) -> Option<f64> {
        None
    }
}

/// The teacher's whole distributions: log-probabilities, one row of width `V` a token.
#[derive(Clone, Debug)]
pub struct WholeRows {
    width: usize,
    rows_N: Vec<Rows>,
    /// `log q(y_t) − log s(y_t)`, for the return and for logs; never for the loss.
    rewards_N_T: Vec<Vec<f64>>,
}

/// The rows of one response, in the precision they were made in.
#[derive(Clone, Debug)]
pub enum Rows {
    /// From a model: `[T * V]`.
    F32(Arc<[f32]>),
    /// From a recording: `[T * V]`.
    F64(Arc<[f64]>),
}

impl WholeRows {
    /// From the teacher's rows and the comparison of the sampled tokens.
    pub fn new(width: usize, rows_N: Vec<Rows>, rewards_N_T: Vec<Vec<f64>>) -> Self {
        Self { width, rows_N, rewards_N_T }
    }
}

impl Signal for WholeRows {
    fn rewards(&self, _: usize) -> Option<&[f64]> {
        None
    }

    fn return_before(&self, i: usize) -> Option<f64> {
        Some(trajectory_return(&self.rewards_N_T[i]))
    }
}

impl Distributions for WholeRows {
    fn teacher_row<R: Real>(&self, i: usize, t: usize) -> Cow<'_, [R]> {
        let span = t * self.width..(t + 1) * self.width;
        match &self.rows_N[i] {
            Rows::F32(rows) => R::view32(&rows[span]),
            Rows::F64(rows) => R::view64(&rows[span]),
        }
    }
}

/// The response itself is what the student should have said.
#[derive(Clone, Copy, Debug)]
pub struct DemonstratedTokens;

impl Signal for DemonstratedTokens {
    fn rewards(&self, _: usize) -> Option<&[f64]> {
        None
    }

    fn return_before(&self, _: usize) -> Option<f64> {
        None
    }
}

impl Demonstration for DemonstratedTokens {}
