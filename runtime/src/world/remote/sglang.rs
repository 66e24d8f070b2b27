//! SGLang: token ids in, `input_token_logprobs` out, each with its token's id.

use serde_json::{json, Value};

use super::dialect::{array, as_long, id_of, log_prob, Ask, Request, Said, Token};

pub(super) fn score(ask: &Ask, top: usize) -> Request {
    let body = json!({
        "input_ids": ask.tokens,
        "sampling_params": {"temperature": 0.0, "max_new_tokens": 1},
        "return_logprob": true,
        // the first of the list has none: it stands for the last token that is not scored
        "logprob_start_len": ask.start - 1,
        "top_logprobs_num": top,
        "return_text_in_logprobs": true,
    });
    ("/generate", body)
}

/// `[log-probability, id, text]` for each token from the one before the first scored one.
pub(super) fn scores(ask: &Ask, json: &Value) -> Result<Vec<Said>, String> {
    let meta = &json["meta_info"];
    let rows = array(meta, "input_token_logprobs")?;
    let wanted = ask.scored();
    as_long(rows.len(), wanted.len() + 1, "log-probabilities, the first empty")?;
    let none = Vec::new();
    let tops = meta["input_top_logprobs"].as_array().unwrap_or(&none);
    if !tops.is_empty() {
        as_long(tops.len(), rows.len(), "rows of likeliest tokens")?;
    }
    let token = |(at, &id): (usize, &u32)| {
        let row = &rows[at + 1];
        if id_of(&row[1]) != Some(id) {
            return Err(format!(
                "its log-probability {at} is of the token {}, and {id} was sent: it scored other tokens",
                row[1]
            ));
        }
        let top = tops.get(at + 1).and_then(Value::as_array).unwrap_or(&none);
        let likeliest = top.iter().filter_map(|one| Some((Token::Id(id_of(&one[1])?), one[0].as_f64()?)));
        let text = row[2].as_str().map(str::to_string);
        Ok(Said { log_prob: log_prob(&row[0], at)?, likeliest: likeliest.collect(), text })
    };
    wanted.iter().enumerate().map(token).collect()
}

pub(super) fn go_on(tokens: &[u32], count: usize) -> Request {
    let body = json!({
        "input_ids": tokens,
        "sampling_params": {"temperature": 0.0, "max_new_tokens": count, "ignore_eos": true},
        "return_logprob": true,
    });
    ("/generate", body)
}

pub(super) fn went_on(json: &Value) -> Result<Vec<u32>, String> {
    let said = array(&json["meta_info"], "output_token_logprobs")?;
    said.iter().map(|one| id_of(&one[1]).ok_or_else(|| format!("{one} names no token"))).collect()
}

/// Of `/get_model_info` the model's path.
pub(super) fn models(json: &Value) -> Result<Vec<(String, Option<usize>)>, String> {
    let path = json["model_path"].as_str().ok_or("it answered without `model_path`")?;
    Ok(vec![(path.to_string(), id_of(&json["context_length"]).map(|n| n as usize))])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(rows: Value, top: Value) -> Result<Vec<Said>, String> {
        let ask = Ask { tokens: vec![5, 6, 7], start: 1 };
        scores(&ask, &json!({"meta_info": {"input_token_logprobs": rows, "input_top_logprobs": top}}))
    }

    #[test]
    fn rows_are_read_after_the_empty_one() {
        let good = json!([[null, 5, "x"], [-0.5, 6, "a"], [-2.0, 7, "b"]]);
        let said = rows(good.clone(), json!([null, [[-0.5, 6, "a"]], [[-0.25, 9, "c"]]])).unwrap();
        assert_eq!((said[0].log_prob, said[1].log_prob), (-0.5, -2.0));
        assert_eq!(said[1].likeliest, [(Token::Id(9), -0.25)]);
        assert_eq!(rows(good, Value::Null).unwrap()[1].likeliest, []);
    }

    #[test]
    fn what_is_not_whole_is_no_answer() {
        let said = |wrong: Value| rows(wrong, Value::Null).unwrap_err();
        assert!(said(json!([[null, 5, "x"], [-0.5, 6, "a"]])).contains("2 log-probabilities"));
        assert!(said(json!([[null, 5, "x"], [-0.5, 6, "a"], [-2.0, 6, "b"]])).contains("7 was sent"));
        assert!(said(json!([[null, 5, "x"], [-0.5, 6, "a"], [null, 7, "b"]])).contains("for token 1"));
        assert!(said(Value::Null).contains("without `input_token_logprobs`"));
        let good = json!([[null, 5, "x"], [-0.5, 6, "a"], [-2.0, 7, "b"]]);
        assert!(rows(good, json!([null])).unwrap_err().contains("rows of likeliest"));
    }
}
