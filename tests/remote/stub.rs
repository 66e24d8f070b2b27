//! A server of each dialect over a small model that is here, so that its answers are right; faults by a setting.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use limbeck::models::{Packed, Request, Sampling};
use limbeck::real::log_softmax;
use limbeck::rng::{Purpose, Stream};
use limbeck::tensor::{to_host, Cpu};
use limbeck::world::remote::Speaks;
use limbeck::world::Policy;
use serde_json::{json, Map, Value};

/// What is wrong with an answer to a request for scores.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    /// Each row is the one after.
    Late,
    /// Each row is the one before.
    Early,
    /// A row is missing.
    Short,
    /// The last log-probability is null.
    Null,
    /// The last log-probability is no number; Python writes `NaN`.
    NotANumber,
    /// The last log-probability is above 0.
    Positive,
    /// The last log-probability is a number that means "none".
    Sentinel,
    /// Other tokens were scored than those that were sent.
    OtherTokens,
    /// A status and nothing else.
    Status(u16),
    /// The answer comes when nobody waits any more.
    Slow,
    /// The connection ends before the answer.
    Dropped,
    /// The answer ends early.
    Truncated,
    /// Texts are read as other tokens.
    OtherVocabulary,
}

/// Which answers are wrong: requests for scores are counted from 0.
#[derive(Clone, Copy, Debug)]
pub struct Wrong {
    pub fault: Fault,
    pub from: usize,
    pub to: usize,
}

pub fn always(fault: Fault) -> Option<Wrong> {
    Some(Wrong { fault, from: 0, to: usize::MAX })
}

pub struct Stub {
    pub address: SocketAddr,
    shared: Arc<Shared>,
    door: Option<JoinHandle<()>>,
}

struct Shared {
    speaks: Speaks,
    model: String,
    policy: Policy<Cpu>,
    wrong: Mutex<Option<Wrong>>,
    closed: AtomicBool,
    scored: AtomicUsize,
    said: Mutex<Vec<String>>,
}

impl Stub {
    /// Opens a server for the model in `folder`, under the name `model`.
    pub fn open(speaks: Speaks, folder: &Path, model: &str, wrong: Option<Wrong>) -> Self {
        let policy = Policy::load(model, folder, &Cpu::default()).expect("a model");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let shared = Arc::new(Shared {
            speaks,
            model: model.to_string(),
            policy,
            wrong: Mutex::new(wrong),
            closed: AtomicBool::new(false),
            scored: AtomicUsize::new(0),
            said: Mutex::default(),
        });
        let (address, at_the_door) = (listener.local_addr().expect("an address"), Arc::clone(&shared));
        let door = std::thread::spawn(move || {
            for caller in listener.incoming().flatten() {
                if at_the_door.closed.load(Ordering::SeqCst) {
                    return;
                }
                let shared = Arc::clone(&at_the_door);
                std::thread::spawn(move || shared.serve(caller));
            }
        });
        Self { address, shared, door: Some(door) }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many requests for scores there were.
    pub fn scored(&self) -> usize {
        self.shared.scored.load(Ordering::SeqCst)
    }

    /// The headers of every request, as they came.
    pub fn heard(&self) -> String {
        self.shared.said.lock().unwrap().concat()
    }
}

/// Nobody listens any more.
impl Drop for Stub {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(door) = self.door.take() {
            let _ = door.join();
        }
    }
}

/// An answer: its status and its body.
type Answer = (u16, String);

impl Shared {
    fn serve(&self, mut caller: TcpStream) {
        let _ = caller.set_read_timeout(Some(Duration::from_secs(20)));
        let Some((path, body)) = self.read(&caller) else { return };
        let wrong = *self.wrong.lock().unwrap();
        let fault = match path.as_str() {
            "/v1/completions" | "/generate" if asks_for_scores(&body) => {
                let count = self.scored.fetch_add(1, Ordering::SeqCst);
                wrong.filter(|wrong| (wrong.from..wrong.to).contains(&count)).map(|wrong| wrong.fault)
            }
            "/tokenize" | "/extras/tokenize" => {
                wrong.map(|wrong| wrong.fault).filter(|fault| *fault == Fault::OtherVocabulary)
            }
            _ => None,
        };
        let (status, text) = match fault {
            Some(Fault::Status(status)) => {
                (status, json!({"error": {"message": "out of memory"}}).to_string())
            }
            _ => self.answer(&path, &body, fault),
        };
        let head = format!("HTTP/1.1 {status} X\r\ncontent-type: application/json\r\nretry-after: 0\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", text.len());
        match fault {
            Some(Fault::Dropped) => drop(caller.write_all(&head.as_bytes()[..20])),
            // until the caller hangs up
            Some(Fault::Slow) => drop(caller.read(&mut [0])),
            Some(Fault::Truncated) => {
                let short = &text[..text.len() / 2];
                let head = head.replace(&text.len().to_string(), &short.len().to_string());
                let _ = caller.write_all((head + short).as_bytes());
            }
            _ => drop(caller.write_all((head + &text).as_bytes())),
        }
        let _ = caller.shutdown(Shutdown::Both);
    }

    fn read(&self, caller: &TcpStream) -> Option<(String, Value)> {
        let mut reader = BufReader::new(caller.try_clone().ok()?);
        let (mut lines, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            if let Some(found) = line.to_lowercase().strip_prefix("content-length:") {
                length = found.trim().parse().ok()?;
            }
            if line.trim().is_empty() {
                break;
            }
            lines += &line;
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let path = lines.split_whitespace().nth(1)?.to_string();
        self.said.lock().unwrap().push(lines);
        Some((path, serde_json::from_slice(&body).unwrap_or_default()))
    }

    fn answer(&self, path: &str, body: &Value, fault: Option<Fault>) -> Answer {
        let good = |json: Value| (200, json.to_string());
        match (self.speaks, path) {
            (Speaks::Sglang, "/get_model_info") => good(json!({"model_path": self.model})),
            (Speaks::Vllm, "/v1/models") => good(json!({"data": [{"id": self.model, "max_model_len": 96}]})),
            (Speaks::LlamaCpp, "/v1/models") => good(json!({"data": [{"id": self.model}]})),
            (Speaks::Vllm, "/tokenize") => good(self.tokenized(&body["prompt"], fault)),
            (Speaks::LlamaCpp, "/extras/tokenize") => good(self.tokenized(&body["input"], fault)),
            (Speaks::Vllm | Speaks::LlamaCpp, "/v1/completions") | (Speaks::Sglang, "/generate") => {
                let tokens = match self.speaks {
                    Speaks::Vllm => ids(&body["prompt"]),
                    Speaks::Sglang => ids(&body["input_ids"]),
                    Speaks::LlamaCpp => {
                        self.policy.tokenizer.encode(body["prompt"].as_str().unwrap_or_default()).unwrap()
                    }
                };
                if !asks_for_scores(body) {
                    return good(self.go_on(&tokens, body));
                }
                let scored = good(self.scores(&tokens, body, fault));
                match fault {
                    Some(Fault::NotANumber) => (scored.0, scored.1.replace("\"not a number\"", "NaN")),
                    _ => scored,
                }
            }
            _ => (404, json!({"detail": "Not Found"}).to_string()),
        }
    }

    fn tokenized(&self, text: &Value, fault: Option<Fault>) -> Value {
        let ids = self.policy.tokenizer.encode(text.as_str().unwrap_or_default()).unwrap();
        let more = u32::from(fault == Some(Fault::OtherVocabulary));
        json!({"tokens": ids.iter().map(|id| id + more).collect::<Vec<_>>()})
    }

    fn go_on(&self, tokens: &[u32], body: &Value) -> Value {
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

    fn scores(&self, tokens: &[u32], body: &Value, fault: Option<Fault>) -> Value {
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
        let text = |id: u32| self.policy.tokenizer.show(id).replace('⏎', "\n");
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
                        (id.to_string(), json!({"logprob": x, "decoded_token": text(id)}))
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
                    .chain((start + from..rows.len()).map(|t| json!([value(t), id(t), text(id(t))])))
                    .collect();
                let named =
                    |t: usize| best(&rows[t]).iter().map(|(id, x)| json!([x, id, null])).collect::<Vec<_>>();
                let tops: Vec<Value> = [Value::Null]
                    .into_iter()
                    .chain((start + from..rows.len()).map(|t| named(t).into()))
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

fn ids(value: &Value) -> Vec<u32> {
    value.as_array().into_iter().flatten().filter_map(Value::as_u64).map(|id| id as u32).collect()
}

fn asks_for_scores(body: &Value) -> bool {
    body["prompt_logprobs"].is_u64() || body["echo"] == true || body["logprob_start_len"].is_u64()
}

/// A copy of one of the example models, with a beginning-of-text token.
pub fn asset(to: &Path, name: &str) -> PathBuf {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/assets").join(name);
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("an example model").flatten() {
        std::fs::copy(entry.path(), to.join(entry.file_name())).expect("a copy");
    }
    let config = to.join("config.json");
    let text = std::fs::read_to_string(&config).expect("a configuration");
    assert!(text.contains("\"bos_token_id\": null"));
    std::fs::write(&config, text.replace("\"bos_token_id\": null", "\"bos_token_id\": 1")).expect("a file");
    to.to_path_buf()
}
