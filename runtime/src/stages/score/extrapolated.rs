use crate as limbeck;
use crate::batch::Rollouts;
use crate::check::{Facts, Fault};
use crate::error::Result;
use crate::replay::{Recorded, Voice};
use crate::signal::Beyond;
use crate::stages::loss::policy::extrapolated;
use crate::stages::score::read::{by_teacher, everyone, log_probs};
use crate::stages::score::Score;
use crate::world::roster::WithReference;
use crate::world::World;
use limbeck::Settings;

/// Reward extrapolation (G-OPD, arXiv 2602.12125):
/// `r_t = λ log q(y_t) + (1 − λ) log π_ref(y_t) − log s(y_t)`. At `λ = 1` it is plain distillation.
#[derive(Clone, Debug, Settings)]
#[settings(check = check)]
pub struct Extrapolated {
    /// How far beyond the teacher to go, away from the reference; 1 stays at the teacher.
    #[setting(default = 1.25)]
    pub lambda: f64,
}

const fn check(method: &Extrapolated, _: &Facts) -> Option<Fault> {
    if !(method.lambda > 0.0 && method.lambda < f64::INFINITY) {
        let says = "`lambda` is how far to go from the reference towards (1) or beyond (above 1) the teacher: it must be above 0 and finite";
        return Some(Fault { stage: "score", field: "lambda", says });
    }
    None
}

impl<R: WithReference, J> Score<R, J> for Extrapolated {
    type Signal = Beyond;

    fn ask<W: World>(&self, world: &W, teachers: &R, rollouts: &Rollouts<J>) -> Result<Beyond> {
        let teacher = by_teacher(
            world,
            rollouts,
            |domain| teachers.expert(domain),
            |policy, which| log_probs(policy, rollouts, which),
        )?;
        let reference = log_probs(world.teacher(teachers.reference())?, rollouts, &everyone(rollouts))?;
        let student = log_probs(world.student(), rollouts, &everyone(rollouts))?;
        Ok(self.compare(student, teacher, &reference))
    }

    fn remember(&self, recorded: &Recorded, _: &R, _: &Rollouts<J>) -> Result<Beyond> {
        let reference = recorded.log_probs(Voice::Reference)?;
        Ok(self.compare(recorded.log_probs(Voice::Student)?, recorded.log_probs(Voice::Teacher)?, &reference))
    }
}

impl Extrapolated {
    fn compare(
        &self,
        student_N_T: Vec<Vec<f64>>,
        teacher_N_T: Vec<Vec<f64>>,
        reference_N_T: &[Vec<f64>],
    ) -> Beyond {
        let reward = |i: usize, t: usize| {
            extrapolated(teacher_N_T[i][t], reference_N_T[i][t], student_N_T[i][t], self.lambda)
        };
        let rewards_N_T = (0..student_N_T.len())
            .map(|i| (0..student_N_T[i].len()).map(|t| reward(i, t)).collect())
            .collect();
        Beyond::new(student_N_T, teacher_N_T, rewards_N_T)
    }
}
