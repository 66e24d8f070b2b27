//! The signals that the built-in scores give.

mod contrasted;
mod floored;
mod rows;
mod taught;
mod top;
mod viewed;

pub use contrasted::ContrastedRows;
pub use floored::Floored;
pub use rows::{Kept, Rows, Target};
pub use taught::TaughtRows;
pub use top::TopRows;
pub use viewed::ViewedRows;

use std::borrow::Cow;

use crate::capability::{
    Calibratable, Demonstration, Distributions, Regimes, Rewards, Signal, TeacherLogProbs, TwoVoices,
    Uncertain, UncertainRewards,
};
use crate::error::{Error, Result};
use crate::real::Real;
use crate::stages::calibrate::margin::trajectory_return;
use crate::stages::route::gap::Regime;

/// Teacher against student on each sampled token.
#[derive(Clone, Debug)]
pub struct Compared {
    student_N_T: Vec<Vec<f64>>,
    teacher_N_T: Vec<Vec<f64>>,
    rewards_N_T: Vec<Vec<f64>>,
    returns_N: Vec<f64>,
    heard_N: Vec<bool>,
    entropies_N_T: Result<Vec<Vec<f64>>>,
}

impl Compared {
    /// From the log-probabilities of the sampled tokens, the reward they give, and which responses the
    /// teacher had something to say about.
    pub fn new(
        student_N_T: Vec<Vec<f64>>,
        teacher_N_T: Vec<Vec<f64>>,
        rewards_N_T: Vec<Vec<f64>>,
        heard_N: Vec<bool>,
    ) -> Self {
        let returns_N = rewards_N_T.iter().map(|rewards| trajectory_return(rewards)).collect();
        let entropies_N_T = Err(Error::call("the score did not note how uncertain the student is"));
        Self { student_N_T, teacher_N_T, rewards_N_T, returns_N, heard_N, entropies_N_T }
    }

    /// With the student's entropy at each token, or why it is not known: only who asks for it hears why.
    #[must_use]
    pub fn with_entropies(self, entropies_N_T: Result<Vec<Vec<f64>>>) -> Self {
        Self { entropies_N_T, ..self }
    }
}

impl Uncertain for Compared {
    fn entropies(&self) -> Result<&[Vec<f64>]> {
        self.entropies_N_T.as_deref().map_err(Clone::clone)
    }
}

impl UncertainRewards for Compared {}

impl Signal for Compared {
    fn rewards(&self, i: usize) -> Option<&[f64]> {
        Some(&self.rewards_N_T[i])
    }

    fn return_before(&self, i: usize) -> Option<f64> {
        Some(self.returns_N[i])
    }

    fn heard(&self, i: usize) -> bool {
        self.heard_N[i]
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
    pub fn new(
        student_N_T: Vec<Vec<f64>>,
        teacher_N_T: Vec<Vec<f64>>,
        rewards_N_T: Vec<Vec<f64>>,
        heard_N: Vec<bool>,
    ) -> Self {
        Self(Compared::new(student_N_T, teacher_N_T, rewards_N_T, heard_N))
    }
}

impl Signal for Beyond {
    fn rewards(&self, i: usize) -> Option<&[f64]> {
        self.0.rewards(i)
    }

    fn heard(&self, i: usize) -> bool {
        self.0.heard(i)
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
    /// The mean of `log q(y_t) − log s(y_t)` where the student sampled, for logs; never for the loss.
    returns_N: Vec<Option<f64>>,
    heard_N: Vec<bool>,
}

impl WholeRows {
    /// From the teacher's rows, and the teacher's and the student's log-probabilities of the response's
    /// tokens; the student's may be missing: then there is no return.
    pub fn new(
        width: usize,
        rows_N: Vec<Rows>,
        teacher_N_T: &[Vec<f64>],
        student_N_T: &[Vec<f64>],
        heard_N: Vec<bool>,
    ) -> Self {
        let reward = |(q, s): (&f64, &f64)| q - s;
        let mean = |(q, s): (&Vec<f64>, &Vec<f64>)| {
            let rewards: Vec<f64> = q.iter().zip(s).map(reward).collect();
            (rewards.len() == q.len()).then(|| trajectory_return(&rewards))
        };
        let returns_N = teacher_N_T.iter().zip(student_N_T).map(mean).collect();
        Self { width, rows_N, returns_N, heard_N }
    }
}

impl WholeRows {
    /// The width of a row.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// Of each row only these tokens, `[N][T][K]`, ascending.
    pub(crate) fn cut(self, ids_N: &[Vec<Vec<usize>>]) -> Self {
        let cut = |(rows, ids_T): (&Rows, &Vec<Vec<usize>>)| {
            let kept =
                ids_T.iter().enumerate().map(|(t, ids)| Kept::on(&rows.row::<f64>(self.width, t), ids));
            Rows::Cut64(kept.collect())
        };
        Self { rows_N: self.rows_N.iter().zip(ids_N).map(cut).collect(), ..self }
    }

    /// What is held at token `t` of response `i`.
    pub(crate) fn target<R: Real>(&self, i: usize, t: usize) -> Target<'_, R> {
        self.rows_N[i].target(self.width, t)
    }

    /// The log-probability of token `id` at token `t` of response `i`.
    pub(crate) fn log_prob(&self, i: usize, t: usize, id: u32) -> f64 {
        self.rows_N[i].log_prob(self.width, t, id)
    }
}

impl Signal for WholeRows {
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

impl Distributions for WholeRows {
    fn teacher_row<R: Real>(&self, i: usize, t: usize) -> Cow<'_, [R]> {
        self.rows_N[i].row(self.width, t)
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

/// A teacher and the student's own hindsight, over the whole vocabulary.
#[derive(Clone, Debug)]
pub struct DualRows {
    /// The teacher.
    pub(crate) teacher: WholeRows,
    /// The student's own weights, reading the same.
    pub(crate) hindsight: WholeRows,
    /// The log-probability of each sampled token under the teacher and under the hindsight.
    pub(crate) said_N_T: Vec<Vec<(f64, f64)>>,
}

impl Signal for DualRows {
    fn rewards(&self, _: usize) -> Option<&[f64]> {
        None
    }

    fn return_before(&self, i: usize) -> Option<f64> {
        self.teacher.return_before(i)
    }

    fn heard(&self, i: usize) -> bool {
        self.teacher.heard(i) && self.hindsight.heard(i)
    }
}

impl TwoVoices for DualRows {
    fn said(&self, i: usize, t: usize) -> (f64, f64) {
        self.said_N_T[i][t]
    }

    fn teacher(&self, i: usize) -> &Rows {
        &self.teacher.rows_N[i]
    }

    fn hindsight(&self, i: usize) -> &Rows {
        &self.hindsight.rows_N[i]
    }

    fn width(&self) -> usize {
        self.teacher.width
    }
}

/// Each token with its regime and the row of the policy it was routed to; the other row is gone.
#[derive(Clone, Debug)]
pub struct RegimeRows {
    pub(crate) width: usize,
    pub(crate) regimes_N_T: Vec<Vec<Regime>>,
    pub(crate) rows_N: Vec<Rows>,
    pub(crate) returns_N: Vec<Option<f64>>,
    pub(crate) heard_N: Vec<bool>,
}

impl Signal for RegimeRows {
    fn rewards(&self, _: usize) -> Option<&[f64]> {
        None
    }

    fn return_before(&self, i: usize) -> Option<f64> {
        self.returns_N[i]
    }

    fn heard(&self, i: usize) -> bool {
        self.heard_N[i]
    }

    fn regime(&self, i: usize, t: usize) -> Option<Regime> {
        self.regimes_N_T[i].get(t).copied()
    }
}

impl Distributions for RegimeRows {
    fn teacher_row<R: Real>(&self, i: usize, t: usize) -> Cow<'_, [R]> {
        self.rows_N[i].row(self.width, t)
    }
}

impl Regimes for RegimeRows {
    fn target<R: Real>(&self, i: usize, t: usize) -> Target<'_, R> {
        self.rows_N[i].target(self.width, t)
    }
}
