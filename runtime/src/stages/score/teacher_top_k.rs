use crate as limbeck;
use crate::batch::Rollouts;
use crate::check::{Facts, Fault};
use crate::error::{Error, Result};
use crate::privileged::Gives;
use crate::replay::Recorded;
use crate::signal::{Kept, Rows, TopRows, WholeRows};
use crate::stages::loss::top_k::{top_k, Gathered};
use crate::stages::loss::TopK;
use crate::stages::score::full_vocab::{remember_one, sampling};
use crate::stages::score::read::{by_voice, contexts, heard};
use crate::stages::score::Score;
use crate::world::remote::{Remote, Said};
use crate::world::roster::{BeyondPrompt, Kind, OneVoice, Somebody};
use crate::world::{Experts, Seat, Speaker, World};
use limbeck::Settings;

/// The teacher's likeliest tokens at every position, and the mass of all others together: the most that a server
/// gives. A loss compares on them, with `support = Support::Teacher`; with `tail = Tail::Bucket` all other tokens
/// are one, and nothing of either distribution is left out. A server's numbers are rounded, so what they leave of 1
/// is not known below 1e-7 and taken to be that: a reverse KL with a bucket pulls no harder than that from tokens
/// that a very sure teacher leaves out.
#[derive(Clone, Debug, Settings)]
#[settings(check = check)]
pub struct TeacherTopK {}

const fn check(_: &TeacherTopK, facts: &Facts) -> Option<Fault> {
    // a teacher that gives none of its likeliest tokens is refused by its type
    if facts.given == 0 {
        return None;
    }
    if facts.content_with == 0 {
        let says = "a server gives the teacher's likeliest tokens and no others, so only those can be compared: use `support = Support::Teacher` with a divergence on the likeliest tokens, such as `ForwardKl<TopK<20>>`";
        return Some(Fault { stage: "loss", field: "support", says });
    }
    if facts.content_with > facts.given {
        let says = "the loss compares more of the teacher's likeliest tokens than its server gives: lower the loss's K, or raise the teacher's, as in `Remote<TopK<20>>`";
        return Some(Fault { stage: "loss", field: "", says });
    }
    None
}

/// A kind of teacher that gives its likeliest tokens.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not give its likeliest tokens",
    label = "asked for the likeliest tokens",
    note = "a server gives them where the teacher's type says how many, for example `Remote<TopK<20>>`; a teacher whose weights are here gives whole rows: use `score: FullVocab`"
)]
pub trait GivesTop: Kind {
    /// How many.
    const K: usize;
}

impl<const K: usize> GivesTop for Remote<TopK<K>> {
    const K: usize = K;
}

/// A roster whose one voice gives its likeliest tokens.
#[diagnostic::on_unimplemented(
    message = "this score asks one teacher for its likeliest tokens, and this recipe's teachers do not give them to it",
    label = "needs one teacher's likeliest tokens",
    note = "declare one teacher a prompt behind a server, for example `#[teacher] teacher: Remote<TopK<20>>`"
)]
pub trait TopVoices: OneVoice {
    /// How many.
    const K: usize;
}

impl<K: GivesTop, P: BeyondPrompt> TopVoices for Seat<K, P> {
    const K: usize = K::K;
}

impl<K: GivesTop, P: BeyondPrompt> TopVoices for Experts<K, P> {
    const K: usize = K::K;
}

impl<R: Somebody + TopVoices, J: Gives<<R as OneVoice>::Needs>> Score<R, J> for TeacherTopK {
    type Signal = TopRows;

    fn ask<W: World>(&self, world: &W, teachers: &R, rollouts: &Rollouts<J>) -> Result<TopRows> {
        let contexts = contexts(world, rollouts, |known| teachers.look(known))?;
        let said_N = by_voice(rollouts, teachers, |seat, which| match world.speaker(seat)? {
            Speaker::Served(server) => heard(server, rollouts, &contexts, which, R::K),
            Speaker::Here(_) => Err(Error::call(format!("`{seat}` is behind no server"))),
        })?;
        let read =
            |said: Option<Vec<Said>>| said.ok_or_else(|| Error::run("a response was not read by its server"));
        let said_N = said_N.into_iter().map(read).collect::<Result<Vec<_>>>()?;
        let own_N: Vec<Vec<f64>> =
            said_N.iter().map(|said_T| said_T.iter().map(|said| said.log_prob).collect()).collect();
        let rows = |said_T: &Vec<Said>| Rows::Cut64(said_T.iter().map(kept).collect());
        let rows_N = said_N.iter().map(rows).collect();
        let width = world.student().vocabulary();
        Ok(TopRows::new(WholeRows::new(width, rows_N, &own_N, &sampling(rollouts), contexts.heard_N)))
    }

    fn remember(&self, recorded: &Recorded, teachers: &R, _: &Rollouts<J>) -> Result<TopRows> {
        let voice = teachers.recorded_as();
        let whole = remember_one(voice, recorded)?;
        let width = whole.width();
        let likeliest = |rows: &Vec<f64>| rows.chunks_exact(width).map(|row| top_k(row, R::K)).collect();
        let ids_N: Vec<_> = recorded.log_rows(voice)?.iter().map(likeliest).collect();
        Ok(TopRows::new(whole.cut(&ids_N)))
    }
}

/// Below this, what the likeliest tokens leave of 1 cannot be told from the rounding of what the server sent.
const ROUNDING: f64 = 1e-7;

/// The likeliest tokens of one position, by ascending id.
fn kept(said: &Said) -> Kept<f64> {
    let mut all: Vec<(u32, f64)> = said.ids();
    all.sort_by_key(|(id, _)| *id);
    all.dedup_by_key(|(id, _)| *id);
    let (ids, log_probs): (Vec<u32>, Vec<f64>) = all.into_iter().unzip();
    let some = Gathered::from_log_probs(log_probs);
    Kept::On(ids.into(), Gathered { rest: some.rest.max(ROUNDING.ln()), ..some })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::remote::Token;

    #[test]
    fn what_a_server_gave_is_held_by_id_and_the_rest_is_what_is_left() {
        let said = |likeliest: &[(u32, f64)]| Said {
            log_prob: -1.0,
            likeliest: likeliest.iter().map(|&(id, p)| (Token::Id(id), p.ln())).collect(),
            text: None,
        };
        let Kept::On(ids, some) = kept(&said(&[(7, 0.5), (2, 0.3), (7, 0.5)])) else { panic!("a whole row") };
        assert_eq!(*ids, [2, 7]);
        assert!((some.logits[0].exp() - 0.3).abs() < 1e-12 && (some.rest.exp() - 0.2).abs() < 1e-12);
        // rounded up to a whole: still something is left for a divergence to be finite
        let Kept::On(_, some) = kept(&said(&[(1, 1.0), (2, 1e-9)])) else { panic!("a whole row") };
        assert!((some.rest - ROUNDING.ln()).abs() < 1e-12);
    }
}
