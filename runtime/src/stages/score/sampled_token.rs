use crate as limbeck;
use crate::batch::Rollouts;
use crate::error::Result;
use crate::privileged::Gives;
use crate::replay::{Recorded, Voice};
use crate::signal::Compared;
use crate::stages::loss::policy::advantage;
use crate::stages::score::read::{contexts, or_student, student_uncertainty, teacher_log_probs};
use crate::stages::score::Score;
use crate::world::roster::{OneVoice, Somebody};
use crate::world::World;
use limbeck::Settings;

/// The teacher's log-probability of each sampled token against the student's:
/// `r_t = log q(y_t) − log s(y_t)`, the sampled reverse KL of on-policy distillation. The pass that reads
/// the student notes its entropy at every token as well.
#[derive(Clone, Debug, Settings)]
pub struct SampledToken {}

impl<R: Somebody + OneVoice, J: Gives<R::Needs>> Score<R, J> for SampledToken {
    type Signal = Compared;

    fn ask<W: World>(&self, world: &W, teachers: &R, rollouts: &Rollouts<J>) -> Result<Compared> {
        let mut contexts = contexts(world, rollouts, |known| teachers.look(known))?;
        let teacher = teacher_log_probs(world, rollouts, teachers, &mut contexts)?;
        let student = student_uncertainty(world, rollouts)?;
        let teacher = or_student(teacher, &student.log_probs_N_T);
        Ok(compare(student.log_probs_N_T, teacher, contexts.heard_N)
            .with_entropies(Ok(student.entropies_N_T)))
    }

    fn remember(&self, recorded: &Recorded, teachers: &R, _: &Rollouts<J>) -> Result<Compared> {
        let student = recorded.log_probs(Voice::Student)?;
        let heard_N = vec![true; student.len()];
        let compared = compare(student, recorded.log_probs(teachers.recorded_as())?, heard_N);
        Ok(compared.with_entropies(recorded.entropies(Voice::Student)))
    }
}

fn compare(student_N_T: Vec<Vec<f64>>, teacher_N_T: Vec<Vec<f64>>, heard_N: Vec<bool>) -> Compared {
    let rewards_N_T = student_N_T
        .iter()
        .zip(&teacher_N_T)
        .map(|(student, teacher)| student.iter().zip(teacher).map(|(s, q)| advantage(*q, *s)).collect())
        .collect();
    Compared::new(student_N_T, teacher_N_T, rewards_N_T, heard_N)
}
