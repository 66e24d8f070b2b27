//! How many tokens a second a model says.

use std::path::Path;

use super::measured::{seconds, Measured};
use crate::error::Result;
use crate::models::{Request, Sampling};
use crate::rng::{Purpose, Stream};
use crate::tensor::Cpu;
use crate::world::rows::{Message, PromptText};
use crate::world::Policy;

pub(super) fn measure(model: &Path, rows: usize, new: usize, repeats: usize) -> Result<Measured> {
    let policy = Policy::load("model", model, &Cpu::default())?;
    let prompt = policy.tokenizer.encode(&policy.tokenizer.render(&question(17, 25))?)?;
    let measured = Measured::of("rollout").on("rows", rows).on("new", new);
    let mut measured = measured.on("prompt_tokens", prompt.len());
    let sampling = Sampling { max_tokens: new, ..Sampling::default() };
    let mut take = 0;
    let times = seconds(repeats, || {
        take += 1;
        let streams = (0..rows).map(|row| Stream::new(0, Purpose::Rollout, take, row as u64)).collect();
        let request = Request { prompt: prompt.clone(), copies: rows, streams };
        policy.decoder.generate(&[request], &sampling, None).map(drop)
    })?;
    measured.add("rollout", "tokens/s", times.iter().map(|s| (rows * new) as f64 / s).collect());
    Ok(measured)
}

/// A question as a user asks it.
pub(super) fn question(a: usize, b: usize) -> PromptText {
    PromptText::Chat(vec![Message::new("user", format!("What is {a} + {b}? Think step by step."))])
}
