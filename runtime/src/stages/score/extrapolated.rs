use crate as limbeck;
use crate::batch::Rollouts;
use crate::check::{Facts, Fault};
use crate::error::Result;
use crate::privileged::Gives;
use crate::replay::{Recorded, Voice};
use crate::signal::Beyond;
use crate::stages::loss::policy::extrapolated;
use crate::stages::score::read::{
    contexts, log_probs, or_student, plain, student_log_probs, teacher_log_probs,
};
use crate::stages::score::Score;
use crate::world::roster::{OneVoice, WithReference};
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

impl<R: WithReference, J: Gives<<R::Expert as OneVoice>::Needs>> Score<R, J> for Extrapolated {
    type Signal = Beyond;

    fn ask<W: World>(&self, world: &W, teachers: &R, rollouts: &Rollouts<J>) -> Result<Beyond> {
        let experts = teachers.expert();
        let mut contexts = contexts(world, rollouts, |known| experts.look(known))?;
        let teacher = teacher_log_probs(world, rollouts, experts, &mut contexts)?;
        let everyone: Vec<usize> = (0..rollouts.responses_N.len()).collect();
        let start = world.teacher(teachers.reference())?;
        let reference = log_probs(start, rollouts, &plain(rollouts), &everyone)?;
        let student = student_log_probs(world, rollouts)?;
        let teacher = or_student(teacher, &student);
        Ok(self.compare(student, teacher, &reference, contexts.heard_N))
    }

    fn remember(&self, recorded: &Recorded, teachers: &R, _: &Rollouts<J>) -> Result<Beyond> {
        let reference = recorded.log_probs(Voice::Reference)?;
        let teacher = recorded.log_probs(teachers.expert().recorded_as())?;
        let heard_N = vec![true; teacher.len()];
        Ok(self.compare(recorded.log_probs(Voice::Student)?, teacher, &reference, heard_N))
    }
}

impl Extrapolated {
    fn compare(
        &self,
        student_N_T: Vec<Vec<f64>>,
        teacher_N_T: Vec<Vec<f64>>,
        reference_N_T: &[Vec<f64>],
        heard_N: Vec<bool>,
    ) -> Beyond {
        let reward = |i: usize, t: usize| {
            extrapolated(teacher_N_T[i][t], reference_N_T[i][t], student_N_T[i][t], self.lambda)
        };
        let rewards_N_T = (0..student_N_T.len())
            .map(|i| (0..student_N_T[i].len()).map(|t| reward(i, t)).collect())
            .collect();
        Beyond::new(student_N_T, teacher_N_T, rewards_N_T, heard_N)
    }
}
