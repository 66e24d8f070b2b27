use std::sync::Arc;

use crate as limbeck;
use crate::batch::{Response, Rollouts};
use crate::error::{Error, Result};
use crate::privileged::{Gives, RowAlone};
use crate::replay::{Recorded, Voice};
use crate::signal::{DualRows, Rows, WholeRows};
use crate::stages::score::read::{by_teacher, contexts, log_rows};
use crate::stages::score::Score;
use crate::world::roster::{BeyondPrompt, GivesRows, Nobody, OneVoice, Own, ReadingAnother, Seat, Somebody};
use crate::world::{Experts, World};
use limbeck::Settings;

/// The teacher's whole distribution at every position of the student's response. Where the student's
/// own hindsight is declared beside the teacher, both are heard.
#[derive(Clone, Debug, Settings)]
pub struct FullVocab {}

impl<R: Somebody + RowVoices, J: Gives<R::Needs>> Score<R, J> for FullVocab {
    type Signal = R::Signal;

    fn ask<W: World>(&self, world: &W, teachers: &R, rollouts: &Rollouts<J>) -> Result<R::Signal> {
        teachers.hear(world, rollouts)
    }

    fn remember(&self, recorded: &Recorded, teachers: &R, _: &Rollouts<J>) -> Result<R::Signal> {
        teachers.remember(recorded)
    }
}

/// A roster whose voices give whole distributions.
#[diagnostic::on_unimplemented(
    message = "a full-vocabulary score needs whole distributions from every teacher it hears, and this recipe's do not give them",
    label = "needs whole distributions",
    note = "use `score: SampledToken`, or teachers whose weights are here: one voice a prompt, or a teacher and an `Own` hindsight that read the same"
)]
pub trait RowVoices {
    /// What is heard.
    type Signal;
    /// What must be known for what the teachers read.
    type Needs;

    /// Lets the teachers read.
    ///
    /// # Errors
    /// A domain nobody teaches, numbers that are not finite, a row without what a teacher reads.
    fn hear<W: World, J: Gives<Self::Needs>>(
        &self,
        world: &W,
        rollouts: &Rollouts<J>,
    ) -> Result<Self::Signal>;

    /// Takes from a recording what the teachers said.
    ///
    /// # Errors
    /// A line that lacks it.
    fn remember(&self, recorded: &Recorded) -> Result<Self::Signal>;
}

impl RowVoices for Nobody {
    type Signal = WholeRows;
    type Needs = RowAlone;

    fn hear<W: World, J: Gives<RowAlone>>(&self, _: &W, _: &Rollouts<J>) -> Result<WholeRows> {
        Err(Error::call("the recipe declares no teacher"))
    }

    fn remember(&self, _: &Recorded) -> Result<WholeRows> {
        Err(Error::call("the recipe declares no teacher"))
    }
}

impl<K: GivesRows, P: BeyondPrompt> RowVoices for Seat<K, P> {
    type Signal = WholeRows;
    type Needs = P::Needs;

    fn hear<W: World, J: Gives<P::Needs>>(&self, world: &W, rollouts: &Rollouts<J>) -> Result<WholeRows> {
        hear_one(self, world, rollouts)
    }

    fn remember(&self, recorded: &Recorded) -> Result<WholeRows> {
        remember_one(self.recorded_as(), recorded)
    }
}

impl<K: GivesRows, P: BeyondPrompt> RowVoices for Experts<K, P> {
    type Signal = WholeRows;
    type Needs = P::Needs;

    fn hear<W: World, J: Gives<P::Needs>>(&self, world: &W, rollouts: &Rollouts<J>) -> Result<WholeRows> {
        hear_one(self, world, rollouts)
    }

    fn remember(&self, recorded: &Recorded) -> Result<WholeRows> {
        remember_one(self.recorded_as(), recorded)
    }
}

/// A voice that can be heard beside `E`'s.
#[diagnostic::on_unimplemented(
    message = "a teacher is declared that this stage never listens to",
    label = "hears one teacher a prompt, or a teacher and an `Own` hindsight",
    note = "remove the teacher, or use stages that hear both: `score: Extrapolated` for a `Start` reference, `route: AdvantageGap` for an `Own` hindsight that reads what the teacher reads"
)]
pub trait Beside<E: OneVoice>: OneVoice<Needs = E::Needs> {
    /// What is heard of the two.
    type Together: From<DualRows>;
}

impl<E: ReadingAnother<P>, P: BeyondPrompt> Beside<E> for Seat<Own, P> {
    type Together = DualRows;
}

impl<E: OneVoice, H: Beside<E>> RowVoices for (E, H) {
    type Signal = H::Together;
    type Needs = E::Needs;

    fn hear<W: World, J: Gives<E::Needs>>(&self, world: &W, rollouts: &Rollouts<J>) -> Result<H::Together> {
        let (teacher, hindsight) = (hear_one(&self.0, world, rollouts)?, hear_one(&self.1, world, rollouts)?);
        let said = |i: usize| {
            let tokens = rollouts.responses_N[i].tokens_T.iter().enumerate();
            tokens.map(|(t, &id)| (teacher.log_prob(i, t, id), hindsight.log_prob(i, t, id))).collect()
        };
        let said_N_T = (0..rollouts.responses_N.len()).map(said).collect();
        Ok(DualRows { teacher, hindsight, said_N_T }.into())
    }

    fn remember(&self, recorded: &Recorded) -> Result<H::Together> {
        let voices = (self.0.recorded_as(), self.1.recorded_as());
        let (teacher, hindsight) = (remember_one(voices.0, recorded)?, remember_one(voices.1, recorded)?);
        let (q, s) = (recorded.log_probs(voices.0)?, recorded.log_probs(voices.1)?);
        let said_N_T = q.into_iter().zip(s).map(|(q, s)| q.into_iter().zip(s).collect()).collect();
        Ok(DualRows { teacher, hindsight, said_N_T }.into())
    }
}

fn hear_one<W: World, V: OneVoice, J: Gives<V::Needs>>(
    roster: &V,
    world: &W,
    rollouts: &Rollouts<J>,
) -> Result<WholeRows> {
    let width = world.student().vocabulary();
    let contexts = contexts(world, rollouts, |known| roster.look(known))?;
    let rows_N =
        by_teacher(world, rollouts, roster, |policy, which| log_rows(policy, rollouts, &contexts, which))?;
    let said = |(rows, response): (&Vec<f32>, &Response)| {
        let ids = response.tokens_T.iter().enumerate();
        ids.map(|(t, &id)| f64::from(rows[t * width + id as usize])).collect()
    };
    let teacher: Vec<Vec<f64>> = rows_N.iter().zip(&rollouts.responses_N).map(said).collect();
    let sampled = |response: &Response| response.log_probs_T.iter().map(|&s| f64::from(s)).collect();
    let student: Vec<Vec<f64>> = rollouts.responses_N.iter().map(sampled).collect();
    let rows_N = rows_N.into_iter().map(|rows| Rows::F32(Arc::from(rows))).collect();
    Ok(WholeRows::new(width, rows_N, &teacher, &student, contexts.heard_N))
}

fn remember_one(voice: Voice, recorded: &Recorded) -> Result<WholeRows> {
    let width = recorded.width(voice)?;
    let rows_N: Vec<Rows> =
        recorded.log_rows(voice)?.into_iter().map(|rows| Rows::F64(Arc::from(rows))).collect();
    let (student, teacher) = (recorded.log_probs(Voice::Student)?, recorded.log_probs(voice)?);
    let heard_N = vec![true; rows_N.len()];
    Ok(WholeRows::new(width, rows_N, &teacher, &student, heard_N))
}
