//! What the servers' languages have in common: questions out, answers in, each answer looked at whole.

use std::sync::Arc;

use serde_json::Value;

use super::settings::Speaks;
use super::{llama_cpp, sglang, vllm};
use crate::world::tokenizer::Tokenizer;

/// What is to be scored: each token of `tokens[start..]` after all that stands before it.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub tokens: Vec<u32>,
    pub start: usize,
}

impl Ask {
    /// The tokens that are scored.
    pub fn scored(&self) -> &[u32] {
        &self.tokens[self.start..]
    }
}

/// A token as a server names it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token {
    Id(u32),
    /// Several tokens may have one text, so this is no id.
    Text(String),
}

/// What a server said of one token.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Said {
    pub log_prob: f64,
    /// The likeliest tokens there, the best first.
    pub likeliest: Vec<(Token, f64)>,
    /// The token as the server spells it, where it does.
    pub text: Option<String>,
}

impl Said {
    /// The likeliest tokens that are named by id.
    pub fn ids(&self) -> Vec<(u32, f64)> {
        let id = |(token, x): &(Token, f64)| match token {
            Token::Id(id) => Some((*id, *x)),
            Token::Text(_) => None,
        };
        self.likeliest.iter().filter_map(id).collect()
    }
}

/// What a dialect needs to know beside the question.
pub(crate) struct About {
    pub speaks: Speaks,
    pub model: String,
    pub tokenizer: Arc<Tokenizer>,
    /// The beginning-of-text token.
    pub bos: Option<u32>,
}

/// A request: where it goes, and what it says.
pub(super) type Request = (&'static str, Value);

impl About {
    /// Asks for the log-probabilities of `ask`, and for the `top` likeliest tokens at each.
    pub fn score(&self, ask: &Ask, top: usize) -> Request {
        match self.speaks {
            Speaks::Vllm => vllm::score(self, ask, top),
            Speaks::Sglang => sglang::score(ask, top),
            Speaks::LlamaCpp => llama_cpp::score(self, ask, top),
        }
    }

    /// The answer to [`score`](Self::score): a whole one, or what is wrong with it.
    pub fn scores(&self, ask: &Ask, top: usize, body: &str) -> Result<Vec<Said>, String> {
        let json = parse(body)?;
        let mut said = match self.speaks {
            Speaks::Vllm => vllm::scores(ask, &json),
            Speaks::Sglang => sglang::scores(ask, &json),
            Speaks::LlamaCpp => llama_cpp::scores(self, ask, &json),
        }?;
        for (at, one) in said.iter_mut().enumerate() {
            one.likeliest.sort_by(|a, b| b.1.total_cmp(&a.1));
            one.likeliest.truncate(top);
            // one text may be that of several tokens
            let least = if self.speaks == Speaks::LlamaCpp { top.min(1) } else { top };
            if one.likeliest.len() < least {
                return Err(format!(
                    "it gave {} likeliest tokens for token {at}, and {top} were asked for",
                    one.likeliest.len()
                ));
            }
        }
        Ok(said)
    }

    /// Asks for `count` tokens after `tokens`, each the likeliest.
    pub fn go_on(&self, tokens: &[u32], count: usize) -> Request {
        match self.speaks {
            Speaks::Vllm => vllm::go_on(self, tokens, count),
            Speaks::Sglang => sglang::go_on(tokens, count),
            Speaks::LlamaCpp => llama_cpp::go_on(self, tokens, count),
        }
    }

    /// The answer to [`go_on`](Self::go_on): the tokens.
    pub fn went_on(&self, tokens: &[u32], body: &str) -> Result<Vec<u32>, String> {
        let json = parse(body)?;
        match self.speaks {
            Speaks::Vllm => vllm::went_on(&json),
            Speaks::Sglang => sglang::went_on(&json),
            Speaks::LlamaCpp => llama_cpp::went_on(self, tokens, &json),
        }
    }

    /// Asks how a text is read.
    pub fn tokenize(&self, text: &str) -> Request {
        match self.speaks {
            Speaks::LlamaCpp => llama_cpp::tokenize(text),
            Speaks::Vllm | Speaks::Sglang => vllm::tokenize(self, text),
        }
    }

    /// Whether this can be asked at all: a server that reads text may read other tokens than these.
    pub fn can_say(&self, ask: &Ask) -> bool {
        self.speaks != Speaks::LlamaCpp || llama_cpp::can_say(self, ask)
    }
}

/// The answer to [`About::tokenize`].
pub(super) fn tokenized(body: &str) -> Result<Vec<u32>, String> {
    let json = parse(body)?;
    let ids = json["tokens"].as_array().ok_or("it gave no `tokens`")?;
    ids.iter().map(|id| id_of(id).ok_or_else(|| format!("{id} is no token id"))).collect()
}

/// The body as JSON, or in which way it is none.
pub(super) fn parse(body: &str) -> Result<Value, String> {
    serde_json::from_str(body).map_err(|why| {
        if why.is_eof() {
            "its JSON ends early: the answer was cut off".to_string()
        } else if ["NaN", "Infinity"].iter().any(|word| body.contains(word)) {
            "it gave a log-probability that is not finite (NaN or Infinity)".to_string()
        } else {
            format!("it answered something that is not JSON: {why}")
        }
    })
}

pub(super) fn id_of(value: &Value) -> Option<u32> {
    u32::try_from(value.as_u64()?).ok()
}

/// Log-probabilities this low are a server's word for "none": vLLM writes −9999 for −∞.
const NEVER: f64 = -1000.0;
/// A probability of 1 may be a little more after rounding.
const ROUNDING: f64 = 1e-3;

/// A log-probability that can be learnt from; what stands at token `at` otherwise is said.
pub(super) fn log_prob(value: &Value, at: usize) -> Result<f64, String> {
    match value.as_f64() {
        Some(x) if x.is_finite() && x <= ROUNDING && x > NEVER => Ok(x),
        Some(x) if x > ROUNDING => {
            Err(format!("it gave {x} as the log-probability of token {at}, which is above 0"))
        }
        Some(x) => {
            Err(format!("it gave {x} for token {at}: no log-probability, but a server's word for none"))
        }
        None if value.is_null() => Err(format!("it gave no log-probability for token {at}")),
        None => Err(format!("it gave {value} as the log-probability of token {at}")),
    }
}

/// The array `value[field]`, or that there is none.
pub(super) fn array<'a>(value: &'a Value, field: &str) -> Result<&'a Vec<Value>, String> {
    value[field].as_array().ok_or_else(|| format!("it answered without `{field}`"))
}

/// A length that must be another's.
pub(super) fn as_long(found: usize, wanted: usize, what: &str) -> Result<(), String> {
    if found == wanted {
        return Ok(());
    }
    Err(format!("it gave {found} {what}, and there are {wanted}"))
}

/// The first choice of an OpenAI-compatible answer.
pub(super) fn choice(json: &Value) -> Result<&Value, String> {
    array(json, "choices")?.first().ok_or_else(|| "it answered with no choice".to_string())
}
