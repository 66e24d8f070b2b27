//! vLLM: token ids in, `prompt_logprobs` out, each row an object by token id.

use serde_json::{json, Value};

use super::dialect::{array, as_long, choice, id_of, log_prob, About, Ask, Request, Said, Token};

pub(super) fn score(about: &About, ask: &Ask, top: usize) -> Request {
    let body = json!({
        "model": about.model, "prompt": ask.tokens, "max_tokens": 1, "temperature": 0.0,
        "prompt_logprobs": top.max(1),
    });
    ("/v1/completions", body)
}

/// `prompt_logprobs`: a row a token, the first null; a row holds the token itself and the likeliest.
pub(super) fn scores(ask: &Ask, json: &Value) -> Result<Vec<Said>, String> {
    let rows = array(choice(json)?, "prompt_logprobs")?;
    as_long(rows.len(), ask.tokens.len(), "rows of log-probabilities")?;
    let token = |(at, (row, &id)): (usize, (&Value, &u32))| {
        let row = row.as_object().ok_or_else(|| format!("it gave no log-probability for token {at}"))?;
        let own = row.get(&id.to_string()).ok_or_else(|| {
            format!("its row for token {at} does not hold that token ({id}): it scored other tokens than it was sent")
        })?;
        let mut likeliest = Vec::with_capacity(row.len());
        for (name, entry) in row {
            // the token itself comes on top of the likeliest, with its rank
            let id = name.parse().map_err(|_| format!("{name:?} is no token id"))?;
            if let Some(x) = entry["logprob"].as_f64().filter(|x| x.is_finite()) {
                likeliest.push((Token::Id(id), x));
            }
        }
        let text = own["decoded_token"].as_str().map(str::to_string);
        Ok(Said { log_prob: log_prob(&own["logprob"], at)?, likeliest, text })
    };
    rows[ask.start..].iter().zip(ask.scored()).enumerate().map(token).collect()
}

pub(super) fn go_on(about: &About, tokens: &[u32], count: usize) -> Request {
    let body = json!({
        "model": about.model, "prompt": tokens, "max_tokens": count, "temperature": 0.0, "ignore_eos": true,
        "logprobs": 1, "return_tokens_as_token_ids": true,
    });
    ("/v1/completions", body)
}

/// `logprobs.tokens`, each `token_id:123`.
pub(super) fn went_on(json: &Value) -> Result<Vec<u32>, String> {
    let tokens = array(&choice(json)?["logprobs"], "tokens")?;
    let id = |token: &Value| {
        let id = token.as_str().and_then(|name| name.strip_prefix("token_id:")?.parse().ok());
        id.ok_or_else(|| format!("it named a token {token}, where `token_id:…` was asked for"))
    };
    tokens.iter().map(id).collect()
}

pub(super) fn tokenize(about: &About, text: &str) -> Request {
    ("/tokenize", json!({"model": about.model, "prompt": text, "add_special_tokens": false}))
}

/// Of `/v1/models` every model's name, and how many tokens it reads.
pub(super) fn models(json: &Value) -> Result<Vec<(String, Option<usize>)>, String> {
    let model = |model: &Value| {
        let longest = id_of(&model["max_model_len"]).or(id_of(&model["meta"]["n_ctx"]));
        Some((model["id"].as_str()?.to_string(), longest.map(|n| n as usize)))
    };
    array(json, "data")?
        .iter()
        .map(|one| model(one).ok_or_else(|| "it listed a model without `id`".into()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask() -> Ask {
        Ask { tokens: vec![5, 6, 7], start: 1 }
    }

    fn rows(rows: Value) -> Result<Vec<Said>, String> {
        scores(&ask(), &json!({"choices": [{"prompt_logprobs": rows}]}))
    }

    #[test]
    fn rows_are_read_by_token_id() {
        let said = rows(json!([null,
            {"6": {"logprob": -0.5, "rank": 1, "decoded_token": "a"}},
            {"7": {"logprob": -2.0, "rank": 2, "decoded_token": "b"}, "9": {"logprob": -0.25, "rank": 1}}]))
        .unwrap();
        assert_eq!((said[0].log_prob, said[1].log_prob), (-0.5, -2.0));
        assert_eq!(said[0].text.as_deref(), Some("a"));
        assert!(said[1].likeliest.contains(&(Token::Id(9), -0.25)));
    }

    #[test]
    fn what_is_not_whole_is_no_answer() {
        let good = json!({"6": {"logprob": -0.5}});
        let said = |wrong: Value| rows(wrong).unwrap_err();
        assert_eq!(said(json!([null, good])), "it gave 2 rows of log-probabilities, and there are 3");
        assert_eq!(said(json!([null, good, null])), "it gave no log-probability for token 1");
        assert!(said(json!([null, good, {"8": {"logprob": -1.0}}])).contains("does not hold that token (7)"));
        assert_eq!(
            said(json!([null, good, {"7": {"logprob": null}}])),
            "it gave no log-probability for token 1"
        );
        assert!(said(json!([null, good, {"7": {"logprob": 0.5}}])).contains("above 0"));
        assert!(said(json!([null, good, {"7": {"logprob": -9999.0}}])).contains("a server's word for none"));
        assert!(scores(&ask(), &json!({"choices": []})).unwrap_err().contains("no choice"));
        assert!(scores(&ask(), &json!({"choices": [{}]})).unwrap_err().contains("without `prompt_logprobs`"));
    }

    #[test]
    fn tokens_are_said_by_id() {
        let said = |token: &str| went_on(&json!({"choices": [{"logprobs": {"tokens": [token]}}]}));
        assert_eq!(said("token_id:12"), Ok(vec![12]));
        assert!(said("the").unwrap_err().contains("token_id"));
        let listed = models(&json!({"data": [{"id": "m", "max_model_len": 64}, {"id": "n"}]})).unwrap();
        assert_eq!(listed, [("m".to_string(), Some(64)), ("n".to_string(), None)]);
    }
}
