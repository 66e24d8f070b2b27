use crate::capability::{Rewards, Signal};
use crate::stages::route::reopold::clipped;

/// A signal whose rewards are held above a floor. What pulls to the teacher itself would not see the
/// floor, so this gives no [`TeacherLogProbs`](crate::capability::TeacherLogProbs).
#[derive(Clone, Debug)]
pub struct Floored<S> {
    before: S,
    rewards_N_T: Vec<Vec<f64>>,
}

impl<S: Rewards> Floored<S> {
    /// The rewards of responses of these lengths, and nothing of them below `floor`.
    pub fn new(before: S, lengths: impl IntoIterator<Item = usize>, floor: f64) -> Self {
        let of = |(i, length)| clipped(&(0..length).map(|t| before.reward(i, t)).collect::<Vec<_>>(), floor);
        let rewards_N_T = lengths.into_iter().enumerate().map(of).collect();
        Self { before, rewards_N_T }
    }
}

impl<S: Signal> Signal for Floored<S> {
    fn rewards(&self, i: usize) -> Option<&[f64]> {
        Some(&self.rewards_N_T[i])
    }

    fn return_before(&self, i: usize) -> Option<f64> {
        self.before.return_before(i)
    }

    fn heard(&self, i: usize) -> bool {
        self.before.heard(i)
    }
}

impl<S: Rewards> Rewards for Floored<S> {
    fn reward(&self, i: usize, t: usize) -> f64 {
        self.rewards_N_T[i][t]
    }

    fn student(&self, i: usize, t: usize) -> f64 {
        self.before.student(i, t)
    }

    fn teacher(&self, i: usize, t: usize) -> Option<f64> {
        self.before.teacher(i, t)
    }
}
