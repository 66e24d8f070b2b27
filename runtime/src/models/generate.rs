//! Rollouts: many responses at once, each token in one pass over all rows that still speak.
//!
//! What a row says depends on its prompt, its stream and the weights alone, bit for bit: not on the other
//! rows, not on how many there are, not on the number of threads.

use super::decoder::Decoder;
use super::forward::Pass;
use super::packed::{Before, Packed};
use super::sample::Sampling;
use super::vision::Sight;
use crate::error::{Error, Result};
use crate::kernels::attention::attention;
use crate::kernels::decode_attention::{Cache, CacheShape, Place};
use crate::kernels::sample::{sample, Drawn};
use crate::kernels::select_rows::select_rows;
use crate::rng::Stream;
use crate::tensor::{self, Device, Matrix, NoneTape};

/// A prompt to answer a number of times.
#[derive(Clone, Debug)]
pub struct Request {
    /// The prompt's tokens.
    pub prompt: Vec<u32>,
    /// How many answers.
    pub copies: usize,
    /// A stream of random numbers for each copy; a copy takes one `uniform()` for each token it says.
    pub streams: Vec<Stream>,
}

/// One answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Generation {
    /// Its tokens, with the one that ended it.
    pub tokens: Vec<u32>,
    /// The model's own log-probability of each (temperature 1, all tokens).
    pub log_probs: Vec<f32>,
    /// Whether one of the end tokens was said.
    pub finished: bool,
}

/// Cached numbers that rows worked on together may have; requests beyond wait for the next wave.
pub(crate) const CACHED: usize = 1 << 29;

/// Rows worked on together at most.
pub(crate) const TOGETHER: usize = 1024;

/// Prompt tokens read together at most.
const READ: usize = 16 * 1024;

impl<D: Device> Decoder<D> {
    /// Answers every request `copies` times; the answers are in the order of requests, then copies. A
    /// response ends with an end token, after `max_tokens`, or where the model has no more positions.
    /// `progress` is called after each token with the number of tokens said so far, over all rows.
    ///
    /// # Errors
    /// When a prompt is empty, longer than the model's positions or has a token outside the vocabulary,
    /// when there is not a stream for each copy, when a setting makes no sense, when the logits are not
    /// finite, or when the device fails.
    pub fn generate(
        &self,
        requests: &[Request],
        sampling: &Sampling,
        progress: Option<&(dyn Fn(usize) + Sync)>,
    ) -> Result<Vec<Generation>> {
        self.generate_seeing(requests, &[], sampling, progress)
    }

    /// [`Decoder::generate`], where request i shows the images `sights[i]`; beyond the end of `sights` they show none.
    ///
    /// # Errors
    /// As [`Decoder::generate`], or when there are images and the model has no eyes.
    pub fn generate_seeing(
        &self,
        requests: &[Request],
        sights: &[&[Sight]],
        sampling: &Sampling,
        progress: Option<&(dyn Fn(usize) + Sync)>,
    ) -> Result<Vec<Generation>> {
        self.check(requests, sampling)?;
        let mut answers = Vec::with_capacity(requests.iter().map(|request| request.copies).sum());
        let mut said = 0;
        let mut rest = requests;
        while !rest.is_empty() {
            let first = requests.len() - rest.len();
            let (wave, later) = rest.split_at(self.wave(rest, sampling));
            let sights = &sights[first.min(sights.len())..];
            rest = later;
            let mut report = |new: usize| {
                said += new;
                if let Some(progress) = progress {
                    progress(said);
                }
            };
            answers.extend(tensor::within(&self.device, || {
                Wave::new(self, wave, sights, sampling)?.run(&mut report)
            })?);
        }
        Ok(answers)
    }

    fn check(&self, requests: &[Request], sampling: &Sampling) -> Result<()> {
        let refuse = |what: String| Err(Error::call(what));
        if !(sampling.temperature.is_finite() && sampling.temperature >= 0.0) {
            return refuse(format!("the temperature is {}; it must be 0 or more", sampling.temperature));
        }
        if !(0.0..=1.0).contains(&sampling.top_p) {
            return refuse(format!("top_p is {}; it must lie between 0 and 1", sampling.top_p));
        }
        let limit = self.config.max_position_embeddings;
        for (i, Request { prompt, copies, streams }) in requests.iter().enumerate() {
            if prompt.is_empty() {
                return refuse(format!("prompt {i} is empty"));
            }
            if prompt.len() > limit {
                let length = prompt.len();
                return Err(Error::call(format!(
                    "prompt {i} has {length} tokens, but the model has only {limit} positions"
                ))
                .next("shorten the prompt, or leave it out"));
            }
            if streams.len() != *copies {
                return refuse(format!(
                    "prompt {i} is to be answered {copies} times with {} streams",
                    streams.len()
                ));
            }
        }
        Ok(())
    }

    /// How many of `requests`, at least one, are answered together.
    fn wave(&self, requests: &[Request], sampling: &Sampling) -> usize {
        let config = &self.config;
        let each = 2 * config.num_hidden_layers * config.num_key_value_heads * config.head_dim;
        let (mut rows, mut cached) = (0, 0);
        let fits = |request: &&Request| {
            let first = rows == 0;
            rows += request.copies.max(1);
            cached += (request.prompt.len()
                + request.copies * sampling.max_tokens.min(config.max_position_embeddings))
                * each;
            first || (rows <= TOGETHER && cached <= CACHED)
        };
        requests.iter().take_while(fits).count()
    }
}

/// A row that still speaks.
struct Speaker {
    row: usize,
    /// Tokens it may still say.
    left: usize,
    stream: Stream,
}

/// Requests answered together.
struct Wave<'a, D: Device> {
    pass: Pass<'a, D>,
    sampling: &'a Sampling,
    cache: Cache<D>,
    /// Logits for the next token of each speaker.
    logits: Matrix<D>,
    speakers: Vec<Speaker>,
    answers: Vec<Generation>,
}

impl<'a, D: Device> Wave<'a, D> {
    /// Reads the prompts.
    fn new(
        decoder: &'a Decoder<D>,
        requests: &'a [Request],
        sights: &[&[Sight]],
        sampling: &'a Sampling,
    ) -> Result<Self> {
        let (pass, limit) = (Pass::prepared(decoder)?, decoder.config.max_position_embeddings);
        let owners = (0..requests.len()).flat_map(|i| std::iter::repeat_n(i, requests[i].copies));
        let rows: Vec<usize> = owners.collect();
        let left = |prompt: usize| sampling.max_tokens.min(limit - requests[prompt].prompt.len());
        let shape = CacheShape {
            layers: decoder.config.num_hidden_layers,
            heads: pass.heads(),
            prompts: requests.iter().map(|request| request.prompt.len()).collect(),
            room: rows.iter().map(|&prompt| left(prompt)).max().unwrap_or(0),
            rows: rows.clone(),
        };
        let mut cache = Cache::new(&decoder.device, shape, &decoder.config.rates())?;
        let logits = read(&pass, requests, sights, &mut cache)?;
        let streams = requests.iter().flat_map(|request| request.streams.iter().cloned());
        let speakers = rows.iter().zip(streams).enumerate();
        let speakers = speakers.map(|(row, (&prompt, stream))| Speaker { row, left: left(prompt), stream });
        let empty = Generation { tokens: Vec::new(), log_probs: Vec::new(), finished: false };
        let mut wave = Self {
            pass,
            sampling,
            cache,
            // each copy of a prompt starts from the same logits
            logits: select_rows(&mut NoneTape, &logits, rows.clone())?,
            speakers: speakers.collect(),
            answers: vec![empty; rows.len()],
        };
        wave.silence(|speaker| speaker.left == 0)?;
        Ok(wave)
    }

    /// Speaks until nobody has anything left to say.
    fn run(mut self, report: &mut (dyn FnMut(usize) + Send)) -> Result<Vec<Generation>> {
        while !self.speakers.is_empty() {
            self.say()?;
            report(self.speakers.len());
            let answers = &self.answers;
            self.speakers.retain(|speaker| speaker.left > 0 && !answers[speaker.row].finished);
            if !self.speakers.is_empty() {
                self.listen()?;
            }
        }
        Ok(self.answers)
    }

    /// Every speaker says one token.
    fn say(&mut self) -> Result<()> {
        let uniforms: Vec<f64> = self.speakers.iter_mut().map(|speaker| speaker.stream.uniform()).collect();
        let drawn = sample(&self.logits, self.sampling, &uniforms)?;
        for (speaker, drawn) in self.speakers.iter_mut().zip(drawn) {
            let answer = &mut self.answers[speaker.row];
            let Some(Drawn { token, log_prob }) = drawn else {
                let at = answer.tokens.len();
                let what = format!("the model's logits are not finite at token {at} of row {}", speaker.row);
                return Err(Error::run(what).next(
                    "the weights have diverged: go back to an earlier checkpoint and lower the learning rate",
                ));
            };
            answer.tokens.push(token);
            answer.log_probs.push(log_prob);
            answer.finished = self.sampling.eos.contains(&token);
            speaker.left -= 1;
        }
        Ok(())
    }

    /// Every speaker hears its last token: logits for the next.
    fn listen(&mut self) -> Result<()> {
        let last = |speaker: &Speaker| self.answers[speaker.row].tokens.last().copied();
        let tokens: Vec<u32> = self.speakers.iter().filter_map(last).collect();
        let place =
            |speaker: &Speaker| Place { row: speaker.row, added: self.answers[speaker.row].tokens.len() - 1 };
        let places: Vec<Place> = self.speakers.iter().map(place).collect();
        let (tape, cache) = (&mut NoneTape, &mut self.cache);
        let hidden =
            self.pass.hidden(tape, &tokens, &mut |_, layer, qkv| cache.attend(layer, qkv, &places))?;
        self.logits = self.pass.head(tape, &hidden)?;
        Ok(())
    }

    /// Rows that `leaves` names stop before they say anything.
    fn silence(&mut self, leaves: impl Fn(&Speaker) -> bool) -> Result<()> {
        if self.speakers.iter().any(&leaves) {
            let stay = (0..self.speakers.len()).filter(|&i| !leaves(&self.speakers[i])).collect();
            self.logits = select_rows(&mut NoneTape, &self.logits, stay)?;
            self.speakers.retain(|speaker| !leaves(speaker));
        }
        Ok(())
    }
}

/// Reads all prompts into the cache, some at a time; the logits after each.
fn read<D: Device>(
    pass: &Pass<'_, D>,
    requests: &[Request],
    sights: &[&[Sight]],
    cache: &mut Cache<D>,
) -> Result<Matrix<D>> {
    let (tape, mut first, mut all) = (&mut NoneTape, 0, Vec::new());
    while first < requests.len() {
        let mut tokens = 0;
        let together = requests[first..].iter().take_while(|request| {
            let fits = tokens == 0 || tokens + request.prompt.len() <= READ;
            tokens += request.prompt.len();
            fits
        });
        let end = first + together.count();
        let batch = Packed::prompts((first..end).map(|i| Before {
            tokens: &requests[i].prompt,
            sights: sights.get(i).copied().unwrap_or_default(),
        }));
        let layout = pass.layout(&batch);
        let hidden = pass.hidden_of(tape, &batch, &mut |tape, layer, [q, k, v]| {
            cache.remember(layer, first, [k, v], &layout)?;
            attention(tape, [q, k, v], &layout)
        })?;
        let last = select_rows(tape, &hidden, batch.rows().to_vec())?;
        all.extend(tensor::to_host(&pass.head(tape, &last)?));
        first = end;
    }
    tensor::matrix(pass.device(), requests.len(), all.len() / requests.len().max(1), all)
}
