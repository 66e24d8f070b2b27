use crate::capability::{Rewards, Signal};
use crate::stages::route::reopold::clipped;

/// Rewards that are held above a floor. What pulls to the teacher itself would not see the floor, so this
/// gives no [`TeacherLogProbs`](crate::capability::TeacherLogProbs).
#[derive(Clone, Debug)]
pub struct Floored {
    student_N_T: Vec<Vec<f64>>,
    teacher_N_T: Vec<Vec<Option<f64>>>,
    rewards_N_T: Vec<Vec<f64>>,
    returns_N: Vec<Option<f64>>,
    heard_N: Vec<bool>,
}

impl Floored {
    /// The rewards of responses of these lengths, and nothing of them below `floor`.
    pub fn new<S: Rewards>(before: &S, lengths_N: &[usize], floor: f64) -> Self {
        let responses = 0..lengths_N.len();
        let tokens = |i: usize| 0..lengths_N[i];
        let rewards = |i: usize| clipped(&tokens(i).map(|t| before.reward(i, t)).collect::<Vec<_>>(), floor);
        Self {
            student_N_T: responses
                .clone()
                .map(|i| tokens(i).map(|t| before.student(i, t)).collect())
                .collect(),
            teacher_N_T: responses
                .clone()
                .map(|i| tokens(i).map(|t| before.teacher(i, t)).collect())
                .collect(),
            rewards_N_T: responses.clone().map(rewards).collect(),
            returns_N: responses.clone().map(|i| before.return_before(i)).collect(),
            heard_N: responses.map(|i| before.heard(i)).collect(),
        }
    }
}

impl Signal for Floored {
    fn rewards(&self, i: usize) -> Option<&[f64]> {
        Some(&self.rewards_N_T[i])
    }

    fn return_before(&self, i: usize) -> Option<f64> {
        self.returns_N[i]
    }

    fn heard(&self, i: usize) -> bool {
        self.heard_N[i]
    }
}

impl Rewards for Floored {
    fn reward(&self, i: usize, t: usize) -> f64 {
        self.rewards_N_T[i][t]
    }

    fn student(&self, i: usize, t: usize) -> f64 {
        self.student_N_T[i][t]
    }

    fn teacher(&self, i: usize, t: usize) -> Option<f64> {
        self.teacher_N_T[i][t]
    }
}
