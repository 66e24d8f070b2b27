//! What the stub says, in each dialect: how a text is read, what follows it, and how likely its tokens are.

use limbeck::models::{Packed, Request, Sampling};
use limbeck::real::log_softmax;
use limbeck::rng::{Purpose, Stream};
use limbeck::tensor::to_host;
use limbeck::world::remote::Speaks;
use serde_json::{json, Map, Value};

use super::{Fault, Shared};

impl Shared {
    pub(super) fn tokenized(&self, text: &Value, fault: Option<Fault>) -> Value {
        let ids = self.policy.tokenizer.encode(text.as_str().unwrap_or_default()).unwrap();
        let more = u32::from(fault == Some(Fault::OtherVocabulary));
        json!({"tokens": ids.iter().map(|id| id + more).collect::<Vec<_>>()})
    }

    pub(super) fn go_on(&self, tokens: &[u32], body: &Value) -> Value {
        let count = body["max_tokens"].as_u64().or(body["sampling_params"]["max_new_tokens"].as_u64());
        let ends = if self.speaks == Speaks::LlamaCpp { self.policy.eos() } else { Vec::new() };
        let sampling = Sampling {
            temperature: 0.0,
            max_tokens: count.unwrap() as usize,
            eos: ends.clone(),
            ..Sampling::default()
        };
        let streams = vec![Stream::new(0, Purpose::Evaluation, 0, 0)];
        let request = Request { prompt: tokens.to_vec(), copies: 1, streams };
        let mut said = self.policy.decoder.generate(&[request], &sampling, None).unwrap().remove(0).tokens;
        said.retain(|id| !ends.contains(id));
        match self.speaks {
            Speaks::Vllm => {
                let named: Vec<String> = said.iter().map(|id| format!("token_id:{id}")).collect();
                json!({"choices": [{"text": "", "logprobs": {"tokens": named}}]})
            }
            Speaks::Sglang => {
                let named: Vec<Value> = said.iter().map(|id| json!([-0.1, id, null])).collect();
                json!({"meta_info": {"output_token_logprobs": named}})
            }
            Speaks::LlamaCpp => json!({"choices": [{"text": self.policy.tokenizer.decode(&said)}]}),
        }
    }

    /// Log-probabilities over the vocabulary at each token but the first, and what each token has of them.
    fn rows(&self, tokens: &[u32], fault: Option<Fault>) -> (Vec<Vec<f32>>, Vec<f64>) {
        // one more token, so that there is a row after the last
        let longer = [tokens, &[2]].concat();
        let packed = Packed::of([(&longer[..1], &longer[1..])]);
        let mut rows: Vec<Vec<f32>> = to_host(&self.policy.decoder.logits(&packed).unwrap())
            .chunks(self.policy.vocabulary())
            .map(<[f32]>::to_vec)
            .collect();
        rows.iter_mut().for_each(|row| log_softmax(row));
        let mut own = self.policy.decoder.log_probs(&packed, &longer[1..]).unwrap();
        let shifted = match fault {
            Some(Fault::Late) => rows[1..].to_vec(),
            Some(Fault::Early) => [&rows[..1], &rows[..rows.len() - 2]].concat(),
            _ => rows[..rows.len() - 1].to_vec(),
        };
        own.truncate(shifted.len());
        if matches!(fault, Some(Fault::Late | Fault::Early)) {
            own = shifted.iter().zip(&tokens[1..]).map(|(row, &id)| f64::from(row[id as usize])).collect();
        }
        (shifted, own)
    }

    pub(super) fn scores(&self, tokens: &[u32], body: &Value, fault: Option<Fault>) -> Value {
        let (rows, own) = self.rows(tokens, fault);
        let top = [&body["prompt_logprobs"], &body["top_logprobs_num"], &body["logprobs"]];
        let top = top.iter().find_map(|k| k.as_u64()).unwrap_or(0) as usize;
        let last = rows.len() - 1;
        let value = |t: usize| match fault.filter(|_| t == last) {
            Some(Fault::Null) => Value::Null,
            Some(Fault::NotANumber) => "not a number".into(),
            Some(Fault::Positive) => 0.5.into(),
            Some(Fault::Sentinel) => (-9999.0).into(),
            _ => own[t].into(),
        };
        let id = |t: usize| tokens[t + 1] + u32::from(fault == Some(Fault::OtherTokens));
        // who cannot be asked how a text is read has other texts for its tokens
        let other = match fault {
            Some(Fault::OtherVocabulary) => self.speaks == Speaks::Sglang,
            fault => fault == Some(Fault::OtherTexts),
        };
        let text = |id: u32| self.policy.tokenizer.show(id + u32::from(other)).replace('⏎', "\n");
        let named = |id: u32| if fault == Some(Fault::NoTexts) { Value::Null } else { text(id).into() };
        let best = |row: &[f32]| {
            let mut ids: Vec<usize> = (0..row.len()).collect();
            ids.sort_by(|&a, &b| row[b].total_cmp(&row[a]).then(a.cmp(&b)));
            ids.into_iter().take(top).map(|id| (id as u32, f64::from(row[id]))).collect::<Vec<_>>()
        };
        let from = usize::from(fault == Some(Fault::Short));
        match self.speaks {
            Speaks::Vllm => {
                let row = |t: usize| {
                    let entry = |id: u32, x: Value| {
                        (id.to_string(), json!({"logprob": x, "decoded_token": named(id)}))
                    };
                    let mut row: Map<String, Value> =
                        best(&rows[t]).into_iter().map(|(id, x)| entry(id, x.into())).collect();
                    row.extend([entry(id(t), value(t))]);
                    if fault == Some(Fault::OtherTokens) {
                        row.remove(&tokens[t + 1].to_string());
                    }
                    Value::from(row)
                };
                let all: Vec<Value> = [Value::Null].into_iter().chain((from..rows.len()).map(row)).collect();
                json!({"choices": [{"text": "", "prompt_logprobs": all}]})
            }
            Speaks::Sglang => {
                let start = body["logprob_start_len"].as_u64().unwrap() as usize;
                let own: Vec<Value> = [json!([null, tokens[start], null])]
                    .into_iter()
                    .chain((start + from..rows.len()).map(|t| json!([value(t), id(t), named(id(t))])))
                    .collect();
                let likeliest =
                    |t: usize| best(&rows[t]).iter().map(|(id, x)| json!([x, id, null])).collect::<Vec<_>>();
                let tops: Vec<Value> = [Value::Null]
                    .into_iter()
                    .chain((start + from..rows.len()).map(|t| likeliest(t).into()))
                    .collect();
                json!({"meta_info": {"input_token_logprobs": own, "input_top_logprobs": tops}})
            }
            Speaks::LlamaCpp => {
                // the first token has no row; beginnings are left out; one token is said after the prompt
                let kept: Vec<usize> =
                    (0..tokens.len()).filter(|&t| tokens[t] != 1 && t + 1 > from).collect();
                let kept = &kept[from..];
                let mut texts: Vec<String> =
                    kept.iter().map(|&t| text(if t == 0 { tokens[0] } else { id(t - 1) })).collect();
                let mut own: Vec<Value> =
                    kept.iter().map(|&t| if t == 0 { Value::Null } else { value(t - 1) }).collect();
                let mut tops: Vec<Value> = kept
                    .iter()
                    .map(|&t| match t {
                        0 => Value::Null,
                        _ => best(&rows[t - 1])
                            .into_iter()
                            .map(|(id, x)| (text(id), Value::from(x)))
                            .collect::<Map<_, _>>()
                            .into(),
                    })
                    .collect();
                if fault != Some(Fault::Short) {
                    texts.push("9".to_string());
                    own.push((-0.5).into());
                    tops.push(json!({"9": -0.5}));
                }
                if fault != Some(Fault::Short) {
                    own[0] = Value::Null;
                }
                json!({"choices": [{"logprobs": {"tokens": texts, "token_logprobs": own, "top_logprobs": tops}}]})
            }
        }
    }
}
