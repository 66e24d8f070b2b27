use std::sync::Arc;

use rayon::prelude::*;

use crate as limbeck;
use crate::batch::{Response, Rollouts};
use crate::check::{Facts, Fault};
use crate::error::{Error, Result};
use crate::privileged::{Gives, RowAlone};
use crate::replay::{Recorded, Voice};
use crate::signal::{DualRows, Kept, Rows, WholeRows};
use crate::stages::loss::top_k::top_k;
use crate::stages::score::read::{by_teacher, contexts, log_rows, of_rows, student_logits};
use crate::stages::score::Score;
use crate::world::roster::{BeyondPrompt, GivesRows, Nobody, OneVoice, Own, ReadingAnother, Seat, Somebody};
use crate::world::{Experts, World};
use limbeck::Settings;

/// The teacher's whole distribution at every position of the student's response. Where the student's
/// own hindsight is declared beside the teacher, both are heard.
///
/// Two voices of whole rows are twice the memory, and DOPD (arXiv 2606.30626) needs whole rows only where
/// a token is compared whole. With `keep = K` the student's plain rows are read first, some responses at
/// a time, for their K likeliest tokens; of the hindsight only those are kept (and the mass of all others),
/// of the teacher the route keeps whole rows for HT and those tokens elsewhere. The loss is the same.
#[derive(Clone, Debug, Settings)]
#[settings(check = check, facts = tell)]
pub struct FullVocab {
    /// How many of the student's likeliest tokens are kept of rows that are not compared whole; 0 keeps
    /// all.
    #[setting(default = 0)]
    pub keep: usize,
}

const fn tell(method: &FullVocab, facts: Facts) -> Facts {
    Facts { whole_rows: true, kept: method.keep, ..facts }
}

const fn check(method: &FullVocab, facts: &Facts) -> Option<Fault> {
    if method.keep == 0 || (facts.cuts_rows && facts.learns_cut_rows) {
        return None;
    }
    let says = "rows are cut to `keep` tokens for a route that gives each token one voice and a loss that knows it: use `route: AdvantageGap` with `loss: Routed<TopK<128>>`, or remove `keep`";
    Some(Fault { stage: "score", field: "keep", says })
}

impl<R: Somebody + RowVoices, J: Gives<R::Needs>> Score<R, J> for FullVocab {
    type Signal = R::Signal;

    fn ask<W: World>(&self, world: &W, teachers: &R, rollouts: &Rollouts<J>) -> Result<R::Signal> {
        teachers.hear(world, rollouts, self.keep)
    }

    fn remember(&self, recorded: &Recorded, teachers: &R, _: &Rollouts<J>) -> Result<R::Signal> {
        teachers.remember(recorded, self.keep)
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

    /// Lets the teachers read; of whom it can, it keeps the student's `keep` likeliest tokens only, if that
    /// is not 0.
    ///
    /// # Errors
    /// A domain nobody teaches, numbers that are not finite, a row without what a teacher reads.
    fn hear<W: World, J: Gives<Self::Needs>>(
        &self,
        world: &W,
        rollouts: &Rollouts<J>,
        keep: usize,
    ) -> Result<Self::Signal>;

    /// Takes from a recording what the teachers said, and keeps as much of it.
    ///
    /// # Errors
    /// A line that lacks it.
    fn remember(&self, recorded: &Recorded, keep: usize) -> Result<Self::Signal>;
}

impl RowVoices for Nobody {
    type Signal = WholeRows;
    type Needs = RowAlone;

    fn hear<W: World, J: Gives<RowAlone>>(&self, _: &W, _: &Rollouts<J>, _: usize) -> Result<WholeRows> {
        Err(Error::call("the recipe declares no teacher"))
    }

    fn remember(&self, _: &Recorded, _: usize) -> Result<WholeRows> {
        Err(Error::call("the recipe declares no teacher"))
    }
}

impl<K: GivesRows, P: BeyondPrompt> RowVoices for Seat<K, P> {
    type Signal = WholeRows;
    type Needs = P::Needs;

    fn hear<W: World, J: Gives<P::Needs>>(
        &self,
        world: &W,
        rollouts: &Rollouts<J>,
        _: usize,
    ) -> Result<WholeRows> {
        hear_one(self, world, rollouts)
    }

    fn remember(&self, recorded: &Recorded, _: usize) -> Result<WholeRows> {
        remember_one(self.recorded_as(), recorded)
    }
}

impl<K: GivesRows, P: BeyondPrompt> RowVoices for Experts<K, P> {
    type Signal = WholeRows;
    type Needs = P::Needs;

    fn hear<W: World, J: Gives<P::Needs>>(
        &self,
        world: &W,
        rollouts: &Rollouts<J>,
        _: usize,
    ) -> Result<WholeRows> {
        hear_one(self, world, rollouts)
    }

    fn remember(&self, recorded: &Recorded, _: usize) -> Result<WholeRows> {
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

    fn hear<W: World, J: Gives<E::Needs>>(
        &self,
        world: &W,
        rollouts: &Rollouts<J>,
        keep: usize,
    ) -> Result<H::Together> {
        let teacher = hear_one(&self.0, world, rollouts)?;
        let (hindsight, said_N_T) = if cuts(keep, teacher.width()) {
            hear_some(&self.1, world, rollouts, keep)?
        } else {
            let hindsight = hear_one(&self.1, world, rollouts)?;
            let said_N_T = sampled(&hindsight, rollouts);
            (hindsight, said_N_T)
        };
        let said_N_T = pairs(sampled(&teacher, rollouts), said_N_T);
        Ok(DualRows { teacher, hindsight, said_N_T }.into())
    }

    fn remember(&self, recorded: &Recorded, keep: usize) -> Result<H::Together> {
        let voices = (self.0.recorded_as(), self.1.recorded_as());
        let teacher = remember_one(voices.0, recorded)?;
        let mut hindsight = remember_one(voices.1, recorded)?;
        let width = teacher.width();
        if cuts(keep, width) {
            let rows_N = recorded.log_rows(Voice::Student)?;
            let likeliest = |rows: &Vec<f64>| rows.chunks_exact(width).map(|row| top_k(row, keep)).collect();
            hindsight = hindsight.cut(&rows_N.iter().map(likeliest).collect::<Vec<_>>());
        }
        let said_N_T = pairs(recorded.log_probs(voices.0)?, recorded.log_probs(voices.1)?);
        Ok(DualRows { teacher, hindsight, said_N_T }.into())
    }
}

/// Whether so many of `width` tokens are fewer.
fn cuts(keep: usize, width: usize) -> bool {
    keep > 0 && keep < width
}

fn pairs(one_N_T: Vec<Vec<f64>>, other_N_T: Vec<Vec<f64>>) -> Vec<Vec<(f64, f64)>> {
    one_N_T.into_iter().zip(other_N_T).map(|(one, other)| one.into_iter().zip(other).collect()).collect()
}

/// What whole rows say of the sampled tokens.
fn sampled<J>(rows: &WholeRows, rollouts: &Rollouts<J>) -> Vec<Vec<f64>> {
    let of = |(i, response): (usize, &Response)| {
        response.tokens_T.iter().enumerate().map(|(t, &id)| rows.log_prob(i, t, id)).collect()
    };
    rollouts.responses_N.iter().enumerate().map(of).collect()
}

/// What the student said of its tokens while it was sampling; nothing of responses that are not its own.
pub(super) fn sampling<J>(rollouts: &Rollouts<J>) -> Vec<Vec<f64>> {
    let of = |response: &Response| response.log_probs_T.iter().map(|&s| f64::from(s)).collect();
    rollouts.responses_N.iter().map(of).collect()
}

/// Of each row only the student's `keep` likeliest tokens, and what the sampled token had. Neither the
/// student's rows nor these are held whole for longer than it takes to read some responses at once.
fn hear_some<W: World, V: OneVoice, J: Gives<V::Needs>>(
    roster: &V,
    world: &W,
    rollouts: &Rollouts<J>,
    keep: usize,
) -> Result<(WholeRows, Vec<Vec<f64>>)> {
    let width = world.student().vocabulary();
    // of the logits, as the loss will see them
    let likeliest_N: Vec<Vec<Vec<usize>>> = student_logits(world, rollouts, |_, logits| {
        logits.par_chunks_exact(width).map(|row| top_k(row, keep)).collect()
    })?;
    let contexts = contexts(world, rollouts, |known| roster.look(known))?;
    let found_N = by_teacher(world, rollouts, roster, |policy, which| {
        of_rows(policy, rollouts, &contexts, which, |i, rows| {
            let tokens = rollouts.responses_N[i].tokens_T.iter().enumerate();
            let said: Vec<f64> = tokens.map(|(t, &id)| f64::from(rows[t * width + id as usize])).collect();
            let kept: Vec<Kept<f32>> = rows
                .par_chunks_exact(width)
                .zip(&likeliest_N[i])
                .map(|(row, ids)| Kept::on(row, ids))
                .collect();
            (Rows::Cut32(kept.into()), said)
        })
    })?;
    let (rows_N, said_N_T): (Vec<Rows>, Vec<Vec<f64>>) = found_N.into_iter().unzip();
    let whole = WholeRows::new(width, rows_N, &said_N_T, &sampling(rollouts), contexts.heard_N);
    Ok((whole, said_N_T))
}

pub(super) fn hear_one<W: World, V: OneVoice, J: Gives<V::Needs>>(
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
    let rows_N = rows_N.into_iter().map(|rows| Rows::F32(Arc::from(rows))).collect();
    Ok(WholeRows::new(width, rows_N, &teacher, &sampling(rollouts), contexts.heard_N))
}

pub(super) fn remember_one(voice: Voice, recorded: &Recorded) -> Result<WholeRows> {
    let width = recorded.width(voice)?;
    let rows_N: Vec<Rows> =
        recorded.log_rows(voice)?.into_iter().map(|rows| Rows::F64(Arc::from(rows))).collect();
    let (student, teacher) = (recorded.log_probs(Voice::Student)?, recorded.log_probs(voice)?);
    let heard_N = vec![true; rows_N.len()];
    Ok(WholeRows::new(width, rows_N, &teacher, &student, heard_N))
}
