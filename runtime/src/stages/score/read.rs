//! Reading responses with a policy, without a tape.

use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::batch::Rollouts;
use crate::error::{Error, Result};
use crate::models::{Before, Packed, Sight};
use crate::privileged::{context, Found, Gives, Known, Seen};
use crate::tensor::Device;
use crate::world::remote::{Said, Server};
use crate::world::roster::OneVoice;
use crate::world::tokenizer::Tokenizer;
use crate::world::{Policy, Speaker, World};

/// How many responses a policy reads at once.
pub(crate) const AT_ONCE: usize = 64;

/// What each response is read after, and whether there was anything to read beyond the prompt where
/// there should be.
pub(crate) struct Contexts {
    tokens_N: Vec<Vec<u32>>,
    sights_N: Vec<Vec<Sight>>,
    pub heard_N: Vec<bool>,
}

impl Contexts {
    /// What stands before response `i`.
    fn before(&self, i: usize) -> Before<'_> {
        Before { tokens: &self.tokens_N[i], sights: &self.sights_N[i] }
    }

    /// How many tokens stand before the first token of response `i`.
    pub fn length(&self, i: usize) -> usize {
        self.tokens_N[i].len()
    }

    /// Opens what is read before response `i`. `limbeck check` shows a teacher's context to the person who
    /// gave it its hints; nothing else may call this, or else privileged text reaches a log.
    pub fn opened_for_check(&self, i: usize, tokenizer: &Tokenizer) -> String {
        tokenizer.spell(&self.tokens_N[i])
    }
}

/// The plain prompts: what the student reads.
pub(crate) fn plain<J>(rollouts: &Rollouts<J>) -> Contexts {
    let count = rollouts.responses_N.len();
    let tokens_N = (0..count).map(|i| rollouts.prompt_of(i).tokens.clone()).collect();
    let sights_N = (0..count).map(|i| rollouts.prompt_of(i).sights.clone()).collect();
    Contexts { tokens_N, sights_N, heard_N: vec![true; count] }
}

/// The contexts of a roster: the prompts, and whatever its teachers read beyond them.
pub(crate) fn contexts<W: World, N, J: Gives<N>>(
    world: &W,
    rollouts: &Rollouts<J>,
    look: impl Fn(&Known<'_, N>) -> Option<Found>,
) -> Result<Contexts> {
    let mut all = plain(rollouts);
    let student = world.student();
    for i in 0..rollouts.responses_N.len() {
        let prompt = rollouts.prompt_of(i);
        let place = || format!("data, row {}", prompt.index + 1);
        match look(&Known::of(rollouts, i)) {
            None | Some(Found::Prompt) => {}
            Some(found @ (Found::Text(_) | Found::Instead(_) | Found::Shown(_))) => {
                let Seen { tokens, sights, .. } =
                    context(student, &prompt.row, Some(&found), &prompt.placement)
                        .map_err(|why| why.or_at(place()))?;
                let room = student.decoder.config().max_position_embeddings;
                let needed = tokens.len() + rollouts.responses_N[i].tokens_T.len();
                if needed > room {
                    return Err(Error::call(format!(
                        "the privileged context and its response have {needed} tokens, and the model's context is {room}"
                    ))
                    .at(place())
                    .next("shorten the row's privileged text, or `rollout.max_response_tokens`"));
                }
                (all.tokens_N[i], all.sights_N[i]) = (tokens, sights);
            }
            Some(Found::Unfit(column, says)) => {
                return Err(Error::call(format!("the row's `{column}` is nothing the teacher can read"))
                    .at(format!("{}, column `{column}`", place()))
                    .next(format!("write {says}")))
            }
            Some(Found::Nothing) => all.heard_N[i] = false,
            Some(Found::Missing(column)) => {
                return Err(Error::call(format!("the row has no `{column}` for the teacher to read"))
                    .at(format!("{}, column `{column}`", place()))
                    .next("add the column, or a teacher that reads something else"))
            }
        }
    }
    Ok(all)
}

/// The log-probability that `policy` gives each token of the responses `which`, in that order.
pub(crate) fn log_probs<D: Device, J>(
    policy: &Policy<D>,
    rollouts: &Rollouts<J>,
    contexts: &Contexts,
    which: &[usize],
) -> Result<Vec<Vec<f64>>> {
    let all = of_tokens(rollouts, contexts, which, |packed, ids| policy.decoder.log_probs(packed, ids))?;
    match all.iter().flatten().all(|x| x.is_finite()) {
        true => Ok(all),
        false => Err(not_finite(&policy.name)),
    }
}

/// What `read` finds at each token of the responses `which`, in that order.
fn of_tokens<J, T>(
    rollouts: &Rollouts<J>,
    contexts: &Contexts,
    which: &[usize],
    read: impl Fn(&Packed, &[u32]) -> Result<Vec<T>>,
) -> Result<Vec<Vec<T>>> {
    let mut all = Vec::with_capacity(which.len());
    for some in which.chunks(AT_ONCE) {
        let (packed, ids) = pack(rollouts, contexts, some);
        let mut flat = read(&packed, &ids)?.into_iter();
        all.extend(
            some.iter().map(|&i| flat.by_ref().take(rollouts.responses_N[i].tokens_T.len()).collect()),
        );
    }
    Ok(all)
}

/// The log-probabilities over the vocabulary that `policy` gives at each token of the responses `which`.
pub(crate) fn log_rows<D: Device, J>(
    policy: &Policy<D>,
    rollouts: &Rollouts<J>,
    contexts: &Contexts,
    which: &[usize],
) -> Result<Vec<Vec<f32>>> {
    of_rows(policy, rollouts, contexts, which, |_, rows| rows.to_vec())
}

/// What [`log_rows`] gives the tokens of the responses `which`: [`log_probs`], but to the same rounding, for
/// what is compared with rows.
pub(crate) fn log_probs_as_rows<D: Device, J>(
    policy: &Policy<D>,
    rollouts: &Rollouts<J>,
    contexts: &Contexts,
    which: &[usize],
) -> Result<Vec<Vec<f64>>> {
    let width = policy.vocabulary();
    of_rows(policy, rollouts, contexts, which, |i, rows| {
        let tokens = rollouts.responses_N[i].tokens_T.iter().enumerate();
        tokens.map(|(t, &id)| f64::from(rows[t * width + id as usize])).collect()
    })
}

/// What `keep` makes of the rows `[T * V]` that the student gives over each response, after the plain
/// prompt.
pub(crate) fn student_rows<W: World, J, T>(
    world: &W,
    rollouts: &Rollouts<J>,
    keep: impl Fn(usize, &[f32]) -> T,
) -> Result<Vec<T>> {
    of_rows(world.student(), rollouts, &plain(rollouts), &everyone(rollouts), keep)
}

/// What `keep` makes of the logits `[T * V]` that the student gives over each response, after the plain
/// prompt.
pub(crate) fn student_logits<W: World, J, T>(
    world: &W,
    rollouts: &Rollouts<J>,
    keep: impl Fn(usize, &[f32]) -> T,
) -> Result<Vec<T>> {
    of_logits(world.student(), rollouts, &plain(rollouts), &everyone(rollouts), |i, logits| keep(i, logits))
}

/// What `keep` makes of the rows of each of the responses `which`; the rows themselves are held no longer
/// than it takes to read some responses at once.
pub(crate) fn of_rows<D: Device, J, T>(
    policy: &Policy<D>,
    rollouts: &Rollouts<J>,
    contexts: &Contexts,
    which: &[usize],
    keep: impl Fn(usize, &[f32]) -> T,
) -> Result<Vec<T>> {
    let width = policy.vocabulary();
    of_logits(policy, rollouts, contexts, which, |i, rows| {
        rows.par_chunks_exact_mut(width).for_each(crate::real::log_softmax);
        keep(i, rows)
    })
}

/// The same of logits, which `keep` may overwrite.
fn of_logits<D: Device, J, T>(
    policy: &Policy<D>,
    rollouts: &Rollouts<J>,
    contexts: &Contexts,
    which: &[usize],
    keep: impl Fn(usize, &mut [f32]) -> T,
) -> Result<Vec<T>> {
    let mut all = Vec::with_capacity(which.len());
    for some in which.chunks(AT_ONCE) {
        let (packed, _) = pack(rollouts, contexts, some);
        let lengths: Vec<usize> = some.iter().map(|&i| rollouts.responses_N[i].tokens_T.len()).collect();
        let kept = policy.decoder.logits_of_each(&packed, &lengths, |at, rows| {
            let kept = keep(some[at], rows);
            (!rows.iter().any(|x| x.is_nan())).then_some(kept)
        })?;
        let kept: Option<Vec<T>> = kept.into_iter().collect();
        all.extend(kept.ok_or_else(|| not_finite(&policy.name))?);
    }
    Ok(all)
}

/// The student's log-probability of each token of every response, after the plain prompt.
pub(crate) fn student_log_probs<W: World, J>(world: &W, rollouts: &Rollouts<J>) -> Result<Vec<Vec<f64>>> {
    log_probs(world.student(), rollouts, &plain(rollouts), &everyone(rollouts))
}

/// How sure the student was of each token of every response, and of all it might have said there.
pub(crate) struct Sure {
    pub log_probs_N_T: Vec<Vec<f64>>,
    pub entropies_N_T: Vec<Vec<f64>>,
}

/// [`student_log_probs`], and the student's entropy at each token from the same pass.
pub(crate) fn student_uncertainty<W: World, J>(world: &W, rollouts: &Rollouts<J>) -> Result<Sure> {
    let student = world.student();
    let all = of_tokens(rollouts, &plain(rollouts), &everyone(rollouts), |packed, ids| {
        student.decoder.log_probs_and_entropies(packed, ids)
    })?;
    if all.iter().flatten().any(|(log_prob, entropy)| !(log_prob.is_finite() && entropy.is_finite())) {
        return Err(not_finite(&student.name));
    }
    let (log_probs_N_T, entropies_N_T) = all.into_iter().map(|tokens| tokens.into_iter().unzip()).unzip();
    Ok(Sure { log_probs_N_T, entropies_N_T })
}

/// Lets each response be read by the teacher of its domain, and puts the readings in batch order.
pub(crate) fn by_teacher<W: World, J, T>(
    world: &W,
    rollouts: &Rollouts<J>,
    roster: &impl OneVoice,
    read: impl Fn(&Policy<W::Device>, &[usize]) -> Result<Vec<T>>,
) -> Result<Vec<T>> {
    by_voice(rollouts, roster, |seat, which| read(world.teacher(seat)?, which))
}

/// The log-probability that each response's teacher gives its tokens. A server that reads text may read a response as
/// other tokens than the student said: then there is none, and nothing is heard of the response.
pub(crate) fn teacher_log_probs<W: World, J>(
    world: &W,
    rollouts: &Rollouts<J>,
    roster: &impl OneVoice,
    contexts: &mut Contexts,
) -> Result<Vec<Option<Vec<f64>>>> {
    let all = by_voice(rollouts, roster, |seat, which| match world.speaker(seat)? {
        Speaker::Here(policy) => {
            let found = log_probs(policy, rollouts, contexts, which)?;
            Ok(found.into_iter().map(Some).collect())
        }
        Speaker::Served(server) => {
            let said = heard(server, rollouts, contexts, which, 0)?;
            let log_probs = |said: Vec<Said>| said.iter().map(|one| one.log_prob).collect();
            Ok(said.into_iter().map(|said| said.map(log_probs)).collect())
        }
    })?;
    all.iter().zip(&mut contexts.heard_N).for_each(|(found, heard)| *heard &= found.is_some());
    Ok(all)
}

/// What a server says of the responses `which`, with its `top` likeliest tokens at each position.
pub(super) fn heard<J>(
    server: &Server,
    rollouts: &Rollouts<J>,
    contexts: &Contexts,
    which: &[usize],
    top: usize,
) -> Result<Vec<Option<Vec<Said>>>> {
    if let Some(&i) = which.iter().find(|&&i| !contexts.sights_N[i].is_empty()) {
        return Err(Error::run(format!(
            "the server of `{}` is sent tokens, and the prompt shows images",
            server.seat()
        ))
        .at(format!("data, row {}", rollouts.prompt_of(i).index + 1))
        .next("let a teacher whose weights are here read prompts with images"));
    }
    let pair = |&i: &usize| (&contexts.tokens_N[i][..], &rollouts.responses_N[i].tokens_T[..]);
    let pairs: Vec<_> = which.iter().map(pair).collect();
    let said = server.listen(&pairs, top)?;
    if !said.is_empty() && said.iter().all(Option::is_none) {
        return Err(Error::run(format!(
            "the server of `{}` reads text, and reads every response of this step as other tokens than the student said",
            server.seat()
        ))
        .next("serve the model with vLLM or SGLang, which take token ids, or lower `rollout.temperature`"));
    }
    Ok(said)
}

/// What was said; where nothing was, what the student says: such a response is not heard, and of no weight.
pub(crate) fn or_student(teacher: Vec<Option<Vec<f64>>>, student: &[Vec<f64>]) -> Vec<Vec<f64>> {
    teacher.into_iter().zip(student).map(|(said, own)| said.unwrap_or_else(|| own.clone())).collect()
}

/// Lets `read` read each response in the seat of its domain's teacher, and puts the readings in batch order.
pub(super) fn by_voice<J, T>(
    rollouts: &Rollouts<J>,
    roster: &impl OneVoice,
    read: impl Fn(&'static str, &[usize]) -> Result<Vec<T>>,
) -> Result<Vec<T>> {
    let mut by_seat: BTreeMap<&'static str, Vec<usize>> = BTreeMap::new();
    for i in 0..rollouts.responses_N.len() {
        by_seat.entry(roster.voice(rollouts.prompt_of(i).domain())?).or_default().push(i);
    }
    let mut readings: Vec<Option<T>> = (0..rollouts.responses_N.len()).map(|_| None).collect();
    for (seat, which) in by_seat {
        for (&i, reading) in which.iter().zip(read(seat, &which)?) {
            readings[i] = Some(reading);
        }
    }
    let unread = || Error::run("a response was not read by any teacher");
    readings.into_iter().map(|reading| reading.ok_or_else(unread)).collect()
}

/// Every response of a batch, by index.
fn everyone<J>(rollouts: &Rollouts<J>) -> Vec<usize> {
    (0..rollouts.responses_N.len()).collect()
}

fn pack<J>(rollouts: &Rollouts<J>, contexts: &Contexts, which: &[usize]) -> (Packed, Vec<u32>) {
    let pairs = which.iter().map(|&i| (contexts.before(i), &rollouts.responses_N[i].tokens_T[..]));
    let ids = which.iter().flat_map(|&i| rollouts.responses_N[i].tokens_T.iter().copied()).collect();
    (Packed::seeing(pairs), ids)
}

fn not_finite(name: &str) -> Error {
    Error::run(format!("`{name}` gave a log-probability that is not finite"))
        .next("its weights are damaged or training has diverged: check the model folder, or lower `step.lr`")
}
