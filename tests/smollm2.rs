//! SmolLM2-135M-Instruct, a real model, against what `transformers` makes of it (`tests/smollm2/record.py`).
//!
//! `bash scripts/fetch_smollm2.sh` fetches it; where it is not, these tests say so and do nothing. Its folder
//! is `models/smollm2-135m-instruct`, or the one that `LIMBECK_SMOLLM2` names.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use limbeck::models::{Packed, Request, Sampling};
use limbeck::rng::{Purpose, Stream};
use limbeck::tensor::Cpu;
use limbeck::world::rows::{Message, PromptText};
use limbeck::world::Policy;
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Recorded {
    /// Texts and their tokens.
    texts: Vec<(String, Vec<u32>)>,
    sentence: Vec<u32>,
    /// Of every token of the sentence after the first.
    log_probs: Vec<f64>,
    perplexity: f64,
    answers: Vec<Answer>,
}

#[derive(Deserialize)]
struct Answer {
    prompt: Value,
    /// What the model reads.
    read: String,
    /// What it says to that when it is greedy.
    tokens: Vec<u32>,
    text: String,
}

fn recorded() -> Recorded {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/smollm2/recorded.json");
    serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}

/// The model, where it is.
fn policy() -> Option<Policy<Cpu>> {
    let named = std::env::var_os("LIMBECK_SMOLLM2").map(PathBuf::from);
    let usual = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/smollm2-135m-instruct");
    // a folder that somebody named must be there
    let folder = named.clone().unwrap_or(usual);
    if named.is_none() && !folder.is_dir() {
        // not `eprintln!`, which a test that passes keeps to itself
        let said =
            "SKIPPED: SmolLM2 is not in models/smollm2-135m-instruct; scripts/fetch_smollm2.sh fetches it";
        std::io::stderr().write_all(format!("{said}\n").as_bytes()).unwrap();
        return None;
    }
    Some(Policy::load("SmolLM2", &folder, &Cpu::default()).unwrap())
}

#[test]
fn texts_have_the_tokens_of_transformers() {
    let Some(policy) = policy() else { return };
    for (text, ids) in recorded().texts {
        assert_eq!(policy.tokenizer.encode(&text).unwrap(), ids, "{text:?}");
    }
    assert_eq!(policy.eos(), [2]);
}

#[test]
fn the_sentence_has_the_perplexity_of_transformers() {
    let Some(policy) = policy() else { return };
    let recorded = recorded();
    let (first, rest) = recorded.sentence.split_at(1);
    let log_probs = policy.decoder.log_probs(&Packed::of([(first, rest)]), rest).unwrap();
    for (at, (ours, theirs)) in log_probs.iter().zip(&recorded.log_probs).enumerate() {
        assert!((ours - theirs).abs() < 1e-3, "token {at}: {ours}, {theirs} there");
    }
    let mean = log_probs.iter().sum::<f64>() / log_probs.len() as f64;
    let perplexity = (-mean).exp();
    assert!((perplexity - 14.306).abs() < 1e-3, "{perplexity}; {} there", recorded.perplexity);
}

fn messages(chat: &Value) -> Vec<Message> {
    let field = |message: &Value, name: &str| message[name].as_str().unwrap().to_string();
    let message = |m| Message { role: field(m, "role"), content: field(m, "content") };
    chat.as_array().unwrap().iter().map(message).collect()
}

#[test]
fn greedy_answers_are_those_of_transformers() {
    let Some(policy) = policy() else { return };
    for answer in recorded().answers {
        let asked = match answer.prompt.as_str() {
            Some(text) => PromptText::Plain(text.to_string()),
            None => PromptText::Chat(messages(&answer.prompt)),
        };
        assert_eq!(policy.tokenizer.render(&asked).unwrap(), answer.read);
        let prompt = policy.tokenizer.encode(&answer.read).unwrap();
        let streams = vec![Stream::new(0, Purpose::Rollout, 0, 0)];
        let sampling = Sampling { temperature: 0.0, top_p: 1.0, top_k: 0, max_tokens: 32, eos: policy.eos() };
        let said =
            policy.decoder.generate(&[Request { prompt, copies: 1, streams }], &sampling, None).unwrap();
        assert_eq!(said[0].tokens, answer.tokens, "{:?}", answer.text);
        let text = answer.text.trim_end_matches("<|im_end|>");
        assert_eq!(policy.tokenizer.decode(&said[0].tokens), text);
    }
}
