//! `llama-cpp-python`: text in, `echo` and `logprobs` out.
//!
//! The server reads text, so only what its tokenizer reads as these very tokens can be scored. It leaves
//! beginning-of-text tokens out of its answer, and names the likeliest tokens by text, which is no id. Where the
//! text does not begin with that token, every log-probability is of the row after: the self-test finds it.

use serde_json::{json, Value};

use super::dialect::{array, as_long, choice, log_prob, About, Ask, Request, Said, Token};

pub(super) fn can_say(about: &About, ask: &Ask) -> bool {
    let text = about.tokenizer.spell(&ask.tokens);
    let scores_bos = ask.scored().iter().any(|&id| Some(id) == about.bos);
    !scores_bos && about.tokenizer.encode(&text).is_ok_and(|read| read == ask.tokens)
}

pub(super) fn score(about: &About, ask: &Ask, top: usize) -> Request {
    let body = json!({
        "model": about.model, "prompt": about.tokenizer.spell(&ask.tokens), "max_tokens": 1, "temperature": 0.0,
        "echo": true, "logprobs": top.max(1),
    });
    ("/v1/completions", body)
}

/// `tokens`, `token_logprobs` and `top_logprobs` of the prompt, and perhaps of the one token said after it.
pub(super) fn scores(about: &About, ask: &Ask, json: &Value) -> Result<Vec<Said>, String> {
    let found = &choice(json)?["logprobs"];
    let (texts, own, tops) =
        (array(found, "tokens")?, array(found, "token_logprobs")?, array(found, "top_logprobs")?);
    as_long(own.len(), texts.len(), "log-probabilities for its tokens")?;
    as_long(tops.len(), texts.len(), "rows of likeliest tokens")?;
    let shown: Vec<u32> = ask.tokens.iter().copied().filter(|&id| Some(id) != about.bos).collect();
    // the token that had to be said after the prompt comes last, where it is one that is shown
    if texts.len() != shown.len() + 1 {
        as_long(texts.len(), shown.len(), "tokens")?;
    }
    let start = shown.len() - ask.scored().len();
    let token = |(at, &id): (usize, &u32)| {
        let text = texts[start + at].as_str().unwrap_or_default();
        let ours = about.tokenizer.spell(&[id]);
        if is_whole(text) && is_whole(&ours) && text.trim() != ours.trim() {
            return Err(format!(
                "its token {at} is {text:?}, and {ours:?} was sent: it reads the text as other tokens"
            ));
        }
        let likeliest = tops[start + at].as_object().into_iter().flatten();
        let likeliest = likeliest.filter_map(|(text, x)| Some((Token::Text(text.clone()), x.as_f64()?)));
        Ok(Said {
            log_prob: log_prob(&own[start + at], at)?,
            likeliest: likeliest.collect(),
            text: is_whole(text).then(|| text.to_string()),
        })
    };
    ask.scored().iter().enumerate().map(token).collect()
}

/// Special tokens are spelled as nothing, and parts of a character as a replacement.
fn is_whole(text: &str) -> bool {
    !text.is_empty() && !text.contains('\u{FFFD}')
}

pub(super) fn go_on(about: &About, tokens: &[u32], count: usize) -> Request {
    let body = json!({
        "model": about.model, "prompt": about.tokenizer.spell(tokens), "max_tokens": count, "temperature": 0.0,
        "repeat_penalty": 1.0,
    });
    ("/v1/completions", body)
}

/// The text that was said, as tokens after `tokens`.
pub(super) fn went_on(about: &About, tokens: &[u32], json: &Value) -> Result<Vec<u32>, String> {
    let text = choice(json)?["text"].as_str().ok_or("it answered without `text`")?;
    let whole = format!("{}{text}", about.tokenizer.spell(tokens));
    let all = about.tokenizer.encode(&whole).map_err(|why| why.to_string())?;
    // where the border is read otherwise, there is nothing to compare
    Ok(all.strip_prefix(tokens).map_or_else(Vec::new, <[u32]>::to_vec))
}

pub(super) fn tokenize(text: &str) -> Request {
    ("/extras/tokenize", json!({"input": text}))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::settings::Speaks;
    use super::*;
    use crate::world::tokenizer::Tokenizer;

    fn about() -> About {
        let tokenizer = Arc::new(Tokenizer::tasks().unwrap());
        About { speaks: Speaks::LlamaCpp, model: "m".into(), bos: tokenizer.token_id("^"), tokenizer }
    }

    fn answer(tokens: &[&str], own: Value) -> Value {
        let tops: Vec<Value> = tokens.iter().map(|token| json!({*token: -0.5})).collect();
        json!({"choices": [{"logprobs": {"tokens": tokens, "token_logprobs": own, "top_logprobs": tops}}]})
    }

    #[test]
    fn beginnings_are_left_out_and_the_token_said_after_is_not_scored() {
        let about = about();
        let ask = Ask { tokens: about.tokenizer.encode("^1+2=3").unwrap(), start: 5 };
        assert!(can_say(&about, &ask));
        let said = scores(
            &about,
            &ask,
            &answer(&["1", "+", "2", "=", "3", "9"], json!([null, -1, -1, -1, -2.0, -3])),
        );
        assert_eq!(said.unwrap()[0].log_prob, -2.0);
        // the token said after the prompt may be one that is not shown
        let said = scores(&about, &ask, &answer(&["1", "+", "2", "=", "3"], json!([null, -1, -1, -1, -2.0])));
        assert_eq!(said.unwrap().len(), 1);
    }

    #[test]
    fn what_is_not_whole_is_no_answer() {
        let about = about();
        let ask = Ask { tokens: about.tokenizer.encode("^1+2").unwrap(), start: 2 };
        let said = |tokens: &[&str], own: Value| scores(&about, &ask, &answer(tokens, own)).unwrap_err();
        assert!(said(&["1", "+"], json!([null, -1])).contains("it gave 2 tokens, and there are 3"));
        assert!(said(&["1", "+", "2"], json!([null, -1])).contains("2 log-probabilities"));
        assert!(said(&["1", "+", "2"], json!([null, -1, null])).contains("for token 1"));
        assert!(said(&["1", "-", "2"], json!([null, -1, -1])).contains("other tokens"));
    }

    #[test]
    fn a_beginning_among_the_scored_tokens_cannot_be_said() {
        let about = about();
        let ask = Ask { tokens: about.tokenizer.encode("^1^2").unwrap(), start: 2 };
        assert!(!can_say(&about, &ask));
        let after = Ask { start: 3, ..ask };
        assert!(can_say(&about, &after));
    }
}
