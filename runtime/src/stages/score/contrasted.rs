use rayon::prelude::*;

use crate as limbeck;
use crate::batch::Rollouts;
use crate::capability::Distributions;
use crate::check::{Facts, Fault};
use crate::error::Result;
use crate::privileged::Gives;
use crate::real::Real;
use crate::replay::{Recorded, Voice};
use crate::signal::{ContrastedRows, WholeRows};
use crate::stages::loss::divergence::Divergence;
use crate::stages::loss::row::StudentRow;
use crate::stages::score::full_vocab::{hear_one, remember_one, RowVoices};
use crate::stages::score::read::student_rows;
use crate::stages::score::Score;
use crate::world::roster::{OneVoice, Somebody};
use crate::world::World;
use limbeck::Settings;

/// The teacher's whole distribution at every position, as [`FullVocab`](super::FullVocab) hears it, and
/// beside it two numbers a token: the student's entropy `H(s)` and its divergence from the teacher
/// (`KL(s‖q)` unless set otherwise). Of the student's own rows nothing else is kept.
#[derive(Clone, Debug, Settings)]
#[settings(check = check)]
pub struct Contrasted {
    /// How the distance of student and teacher is measured; it changes no loss.
    #[setting(default = Divergence::ReverseKl)]
    pub divergence: Divergence,
}

const fn check(method: &Contrasted, _: &Facts) -> Option<Fault> {
    if method.divergence.is_nothing() {
        return Some(Fault { stage: "score", field: "divergence", says: Divergence::NOTHING });
    }
    None
}

impl<R: Somebody + OneVoice + RowVoices, J: Gives<<R as OneVoice>::Needs>> Score<R, J> for Contrasted {
    type Signal = ContrastedRows;

    fn ask<W: World>(&self, world: &W, teachers: &R, rollouts: &Rollouts<J>) -> Result<ContrastedRows> {
        let teacher = hear_one(teachers, world, rollouts)?;
        let found_N = student_rows(world, rollouts, |i, rows: &[f32]| self.contrast(&teacher, i, rows))?;
        Ok(ContrastedRows::new(teacher, found_N))
    }

    fn remember(&self, recorded: &Recorded, teachers: &R, _: &Rollouts<J>) -> Result<ContrastedRows> {
        let teacher = remember_one(teachers.recorded_as(), recorded)?;
        let rows_N = recorded.log_rows(Voice::Student)?;
        let found_N = rows_N.iter().enumerate().map(|(i, rows)| self.contrast(&teacher, i, rows)).collect();
        Ok(ContrastedRows::new(teacher, found_N))
    }
}

impl Contrasted {
    /// Entropy and divergence at each token of response `i`, from the student's rows there: `[T * V]`.
    fn contrast<R: Real>(&self, teacher: &WholeRows, i: usize, rows: &[R]) -> Vec<(f64, f64)> {
        let at = |(t, row): (usize, &[R])| {
            let mut student = StudentRow::whole(row, 0);
            let entropy = student.entropy().unwrap_or_default();
            let divergence = self.divergence.push(&mut student, &teacher.teacher_row::<R>(i, t), R::one());
            (entropy.f64(), divergence.unwrap_or_default().f64())
        };
        rows.par_chunks_exact(teacher.width()).enumerate().map(at).collect()
    }
}
