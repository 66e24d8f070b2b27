use crate as limbeck;
use crate::batch::Rollouts;
use crate::check::Facts;
use crate::error::Result;
use crate::privileged::{Gives, Poorer};
use crate::replay::Recorded;
use crate::signal::ViewedRows;
use crate::stages::score::full_vocab::{hear_one, remember_one, RowVoices};
use crate::stages::score::read::{by_teacher, contexts, log_probs_as_rows};
use crate::stages::score::Score;
use crate::world::roster::{GivesRows, OneVoice, Seat};
use crate::world::World;
use limbeck::Settings;

/// A teacher's whole distributions after the prompt, and its log-probabilities of the sampled tokens after
/// a poorer view (VA-OPD, arXiv 2605.21924): two seats, and the same model sits in both.
#[derive(Clone, Debug, Settings)]
#[settings(facts = tell)]
pub struct BothViews {}

const fn tell(_: &BothViews, facts: Facts) -> Facts {
    Facts { whole_rows: true, ..facts }
}

/// A roster with a teacher that reads the prompt, and one that reads a poorer view of it.
#[diagnostic::on_unimplemented(
    message = "this score compares two readings of one teacher, and the recipe does not declare both",
    label = "needs a second reading",
    note = "declare the teacher and then its poorer view, for example `#[teacher] teacher: Frozen` and `#[teacher(reads = Pixelated)] pixelated: Frozen`"
)]
pub trait WithPoorerView {
    /// Who reads the prompt.
    type Whole: OneVoice + RowVoices;
    /// Who reads the poorer view.
    type View: OneVoice;

    /// Who reads the prompt.
    fn whole(&self) -> &Self::Whole;
    /// Who reads the poorer view.
    fn view(&self) -> &Self::View;
}

impl<E: OneVoice + RowVoices, K: GivesRows, P: Poorer> WithPoorerView for (E, Seat<K, P>) {
    type Whole = E;
    type View = Seat<K, P>;

    fn whole(&self) -> &E {
        &self.0
    }

    fn view(&self) -> &Seat<K, P> {
        &self.1
    }
}

impl<R, J> Score<R, J> for BothViews
where
    R: WithPoorerView,
    J: Gives<<R::Whole as OneVoice>::Needs> + Gives<<R::View as OneVoice>::Needs>,
{
    type Signal = ViewedRows;

    fn ask<W: World>(&self, world: &W, teachers: &R, rollouts: &Rollouts<J>) -> Result<ViewedRows> {
        let whole = hear_one(teachers.whole(), world, rollouts)?;
        let contexts = contexts(world, rollouts, |known| teachers.view().look(known))?;
        let poorer_N = by_teacher(world, rollouts, teachers.view(), |policy, which| {
            log_probs_as_rows(policy, rollouts, &contexts, which)
        })?;
        let views = |(i, poorer): (usize, &Vec<f64>)| {
            let tokens = rollouts.responses_N[i].tokens_T.iter().zip(poorer).enumerate();
            tokens.map(|(t, (&id, &poorer))| (whole.log_prob(i, t, id), poorer)).collect()
        };
        let views_N_T = poorer_N.iter().enumerate().map(views).collect();
        Ok(ViewedRows::new(whole, views_N_T, contexts.heard_N))
    }

    fn remember(&self, recorded: &Recorded, teachers: &R, _: &Rollouts<J>) -> Result<ViewedRows> {
        let voice = teachers.whole().recorded_as();
        let (whole_N, poorer_N) =
            (recorded.log_probs(voice)?, recorded.log_probs(teachers.view().recorded_as())?);
        let pairs = whole_N.into_iter().zip(poorer_N);
        let views_N_T: Vec<_> =
            pairs.map(|(whole, poorer)| whole.into_iter().zip(poorer).collect()).collect();
        let heard_N = vec![true; views_N_T.len()];
        Ok(ViewedRows::new(remember_one(voice, recorded)?, views_N_T, heard_N))
    }
}
