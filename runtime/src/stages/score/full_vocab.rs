use std::sync::Arc;

use crate as limbeck;
use crate::batch::Rollouts;
use crate::error::Result;
use crate::replay::{Recorded, Voice};
use crate::signal::{Rows, WholeRows};
use crate::stages::score::read::{by_teacher, log_rows};
use crate::stages::score::Score;
use crate::world::roster::{OneVoice, Somebody, VoiceWithRows};
use crate::world::World;
use limbeck::Settings;

/// The teacher's whole distribution at every position of the student's response.
#[derive(Clone, Debug, Settings)]
pub struct FullVocab {}

impl<R: Somebody + OneVoice + VoiceWithRows, J> Score<R, J> for FullVocab {
    type Signal = WholeRows;

    fn ask<W: World>(&self, world: &W, teachers: &R, rollouts: &Rollouts<J>) -> Result<WholeRows> {
        let width = world.student().vocabulary();
        let rows_N = by_teacher(
            world,
            rollouts,
            |domain| teachers.voice(domain),
            |policy, which| log_rows(policy, rollouts, which),
        )?;
        let rewards_N_T = rows_N
            .iter()
            .zip(&rollouts.responses_N)
            .map(|(rows, response)| {
                let said = response.tokens_T.iter().zip(&response.log_probs_T);
                said.enumerate()
                    .map(|(t, (&id, &s))| f64::from(rows[t * width + id as usize]) - f64::from(s))
                    .collect()
            })
            .collect();
        let rows_N = rows_N.into_iter().map(|rows| Rows::F32(Arc::from(rows))).collect();
        Ok(WholeRows::new(width, rows_N, rewards_N_T))
    }

    fn remember(&self, recorded: &Recorded, _: &R, _: &Rollouts<J>) -> Result<WholeRows> {
        let width = recorded.width(Voice::Teacher)?;
        let rows_N =
            recorded.log_rows(Voice::Teacher)?.into_iter().map(|rows| Rows::F64(Arc::from(rows))).collect();
        let (student, teacher) = (recorded.log_probs(Voice::Student)?, recorded.log_probs(Voice::Teacher)?);
        let rewards_N_T = student
            .iter()
            .zip(&teacher)
            .map(|(s, q)| s.iter().zip(q).map(|(s, q)| q - s).collect())
            .collect();
        Ok(WholeRows::new(width, rows_N, rewards_N_T))
    }
}
