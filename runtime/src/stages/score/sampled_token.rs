use crate as limbeck;
use crate::batch::Rollouts;
use crate::error::Result;
use crate::replay::{Recorded, Voice};
use crate::signal::Compared;
use crate::stages::loss::policy::advantage;
use crate::stages::score::read::{by_teacher, everyone, log_probs};
use crate::stages::score::Score;
use crate::world::roster::{OneVoice, Somebody};
use crate::world::World;
use limbeck::Settings;

/// The teacher's log-probability of each sampled token against the student's:
/// `r_t = log q(y_t) − log s(y_t)`, the sampled reverse KL of on-policy distillation.
#[derive(Clone, Debug, Settings)]
pub struct SampledToken {}

impl<R: Somebody + OneVoice, J> Score<R, J> for SampledToken {
    type Signal = Compared;

    fn ask<W: World>(&self, world: &W, teachers: &R, rollouts: &Rollouts<J>) -> Result<Compared> {
        let teacher = by_teacher(
            world,
            rollouts,
            |domain| teachers.voice(domain),
            |policy, which| log_probs(policy, rollouts, which),
        )?;
        let student = log_probs(world.student(), rollouts, &everyone(rollouts))?;
        Ok(compare(student, teacher))
    }

    fn remember(&self, recorded: &Recorded, _: &R, _: &Rollouts<J>) -> Result<Compared> {
        Ok(compare(recorded.log_probs(Voice::Student)?, recorded.log_probs(Voice::Teacher)?))
    }
}

fn compare(student_N_T: Vec<Vec<f64>>, teacher_N_T: Vec<Vec<f64>>) -> Compared {
    let rewards_N_T = student_N_T
        .iter()
        .zip(&teacher_N_T)
        .map(|(student, teacher)| student.iter().zip(teacher).map(|(s, q)| advantage(*q, *s)).collect())
        .collect();
    Compared::new(student_N_T, teacher_N_T, rewards_N_T)
}
