//! Teachers behind servers: vLLM, SGLang and `llama-cpp-python`.
//!
//! At the start each server is waited for, asked for its model, for how it reads a text, and for the scores of what
//! it says itself: a server whose log-probabilities stand in the wrong rows teaches nothing. After that requests
//! go to all of them at once, as many as the run file allows. What is not a whole good answer is an error of that
//! answer and is asked for again; when that does not help, the run stops with its state saved.

mod dialect;
mod handshake;
mod http;
mod kind;
mod llama_cpp;
mod pool;
mod seats;
mod self_test;
mod settings;
mod sglang;
mod vllm;
mod vocabulary;

use std::sync::Arc;

#[cfg(test)]
pub(crate) use dialect::Token;
pub(crate) use dialect::{Ask, Said};
pub use handshake::Mark;
pub use kind::{Given, Remote, Sampled};
pub(crate) use seats::{seats_fit, served};
pub use settings::{ServerFile, Speaks};

use crate::error::{Error, Result};
use crate::tensor::Device;
use crate::world::Policy;
use dialect::About;
use handshake::{chosen, listed};
use http::{Endpoint, Trouble};
use pool::{backoff, Pool};
use self_test::{score, self_test};
use vocabulary::reads_alike;

/// A teacher behind one or more servers, all of which were looked at.
pub struct Server {
    /// The seat it has in the recipe.
    seat: String,
    file: ServerFile,
    about: About,
    pool: Pool,
    context: Option<usize>,
    mark: Mark,
    /// How many tokens of its own it was asked to score.
    tested: usize,
}

impl Server {
    /// Waits for the servers of `seat`, and looks at each. `probes` are texts that the student reads, as tokens;
    /// `top` is how many of its likeliest tokens the recipe will ask for.
    ///
    /// # Errors
    /// A server that is not ready in time, serves another model, reads other tokens, or scores the wrong rows.
    pub fn connect<D: Device>(
        seat: &str,
        file: &ServerFile,
        student: &Policy<D>,
        probes: &[Vec<u32>],
        top: usize,
    ) -> Result<Self> {
        let place = format!("servers.{seat}");
        Error::together(file.faults(&place))?;
        if top > 0 && file.speaks == Speaks::LlamaCpp {
            return Err(Error::call("llama-cpp-python names the likeliest tokens by their text, which is no token id: it can say how likely the sampled token is, and no more")
                .at(format!("{place}.speaks"))
                .next("declare the teacher as `Remote`, or serve the model with vLLM or SGLang"));
        }
        let bos = student.decoder.config().bos_token_id;
        if file.prepend_bos && bos.is_none() {
            return Err(Error::call(
                "the student's config.json names no `bos_token_id` to put before the text",
            )
            .at(format!("{place}.prepend_bos"))
            .next("name the token there, or remove `prepend_bos`"));
        }
        let key = file.key_from.as_ref().map(|name| key_from(name, &place)).transpose()?;
        let pool = Pool::new(file, key.as_deref());
        let tokenizer = Arc::clone(&student.tokenizer);
        let about = About { speaks: file.speaks, model: String::new(), tokenizer, bos };
        let mark = Mark { model: String::new(), tokens: Vec::new(), start: 0, log_probs: Vec::new() };
        let file = file.clone();
        let mut server = Self { seat: seat.to_string(), file, about, pool, context: None, mark, tested: 0 };
        let probes: Vec<Vec<u32>> = probes.iter().map(|probe| server.begun(probe)).collect();
        for at in 0..server.pool.lanes.len() {
            server.look(at, &probes, top).map_err(|what| {
                Error::call(format!("`{seat}` at {}: {what}", server.pool.lanes[at].endpoint.url)).at(&place)
            })?;
        }
        Ok(server)
    }

    /// Looks at one of the servers; what the first of them is, the others are.
    fn look(&mut self, at: usize, probes: &[Vec<u32>], top: usize) -> Result<(), String> {
        let endpoint = &self.pool.lanes[at].endpoint;
        let first = at == 0;
        let wanted = if first { self.file.model.as_deref() } else { Some(&*self.mark.model) };
        let (model, context) = chosen(listed(endpoint, &self.file)?, wanted)?;
        self.about.model = model;
        let about = &self.about;
        let probe = probes.first().ok_or("there is no prompt to look at it with")?;
        let retries = self.file.retries;
        persist(retries, || reads_alike(endpoint, about, probes))?;
        self.tested = persist(retries, || self_test(endpoint, about, probes, top))?;
        let mark = persist(retries, || Mark::of(endpoint, about, probe))?;
        if first {
            self.mark = mark;
        } else {
            self.mark
                .must_be(&mark)
                .map_err(|what| format!("{what}; the servers of one teacher serve one model"))?;
        }
        self.context = match (self.context, context) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        Ok(())
    }

    /// What is read, with the beginning-of-text token where the run file asks for it.
    fn begun(&self, tokens: &[u32]) -> Vec<u32> {
        match self.about.bos.filter(|bos| self.file.prepend_bos && tokens.first() != Some(bos)) {
            Some(bos) => [&[bos], tokens].concat(),
            None => tokens.to_vec(),
        }
    }

    /// What the teacher says of each token of the responses after their contexts, with its `top` likeliest tokens;
    /// none of a response that its server would read as other tokens.
    ///
    /// # Errors
    /// A server that gives no whole good answer however often it is asked.
    pub(crate) fn listen(&self, pairs: &[(&[u32], &[u32])], top: usize) -> Result<Vec<Option<Vec<Said>>>> {
        let ask = |(context, response): &(&[u32], &[u32])| {
            let mut tokens = self.begun(context);
            let start = tokens.len();
            tokens.extend_from_slice(response);
            Ask { tokens, start }
        };
        let asks: Vec<Ask> = pairs.iter().map(ask).collect();
        let sent: Vec<usize> = (0..asks.len())
            .filter(|&i| !asks[i].scored().is_empty() && self.about.can_say(&asks[i]))
            .collect();
        let again = |endpoint: &Endpoint| self.mark.is_still(endpoint, &self.about);
        let one = |endpoint: &Endpoint, at: usize| score(endpoint, &self.about, &asks[sent[at]], top);
        let said = self.pool.each(sent.len(), again, one).map_err(|what| {
            Error::lost(format!("the teacher `{}` is lost: {what}", self.seat))
                .at(format!("servers.{}", self.seat))
        })?;
        // nothing was asked about a response without tokens
        let mut all: Vec<Option<Vec<Said>>> =
            asks.iter().map(|ask| ask.scored().is_empty().then(Vec::new)).collect();
        sent.into_iter().zip(said).for_each(|(i, said)| all[i] = Some(said));
        Ok(all)
    }

    /// The seat it has in the recipe.
    pub fn seat(&self) -> &str {
        &self.seat
    }

    /// By what it is known again.
    pub fn mark(&self) -> &Mark {
        &self.mark
    }

    /// How many tokens it reads with one to say, where the server tells.
    pub(crate) fn room(&self) -> Option<usize> {
        Some(self.context?.saturating_sub(1 + usize::from(self.file.prepend_bos)))
    }

    /// What decides on its answers, in words: for the run's fingerprints.
    pub(crate) fn identity(&self) -> String {
        format!("{} {} {} {}", self.seat, self.file.speaks.name(), self.mark.model, self.file.prepend_bos)
    }

    /// Whether who answers is who was at `then`, the mark of an earlier start.
    ///
    /// # Errors
    /// In which way it is another.
    pub(crate) fn must_be(&self, then: &Mark) -> Result<()> {
        let endpoint = &self.pool.lanes[0].endpoint;
        persist(self.file.retries, || then.is_still(endpoint, &self.about)).map_err(|what| {
            Error::call(format!("`{}` at {}: {what}", self.seat, endpoint.url))
                .at(format!("servers.{}", self.seat))
                .next("serve the model this run was started with, or start a new run with `limbeck train`")
        })
    }

    /// What was found, for people.
    pub(crate) fn described(&self) -> String {
        let urls: Vec<&str> = self.pool.lanes.iter().map(|lane| &*lane.endpoint.url).collect();
        let reads = self.context.map_or_else(String::new, |n| format!(", reads {n} tokens"));
        format!(
            "teacher {}: {} at {}, model {}{reads}; reads text as the student does; each of {} tokens it said is the likeliest of its own row",
            self.seat,
            self.file.speaks.name(),
            urls.join(" and "),
            self.mark.model,
            self.tested
        )
    }
}

/// Asks again while it may help.
fn persist<T>(retries: u32, ask: impl Fn() -> Result<T, Trouble>) -> Result<T, String> {
    let mut tried = 0;
    loop {
        match ask() {
            Ok(answer) => return Ok(answer),
            Err(Trouble::Passing(_, wait)) if tried < retries => {
                std::thread::sleep(backoff(0, tried).max(wait.unwrap_or_default()));
                tried += 1;
            }
            Err(trouble) => return Err(trouble.what().to_string()),
        }
    }
}

/// The key in an environment variable.
fn key_from(name: &str, place: &str) -> Result<String> {
    let wrong = |what: &str| {
        Err(Error::call(format!("the environment variable `{name}` {what}"))
            .at(format!("{place}.key_from"))
            .next(format!("set it to the key, for example `export {name}=…`, or remove `key_from`")))
    };
    match std::env::var(name) {
        Ok(key) if key.is_empty() => wrong("is empty"),
        Ok(key) if key.chars().any(|c| !c.is_ascii_graphic()) => wrong("holds no key: a key has no spaces"),
        Ok(key) => Ok(key),
        Err(_) => wrong("is not set"),
    }
}
