//! A server of each dialect over a small model that is here, so that its answers are right; faults by a setting.

mod says;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use limbeck::tensor::Cpu;
use limbeck::world::remote::Speaks;
use limbeck::world::Policy;
use serde_json::{json, Value};

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
    /// Tokens have other texts, and nobody can ask how a text is read.
    OtherTexts,
    /// Tokens have no texts, and nobody can ask how a text is read.
    NoTexts,
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
                let of_vocabulary = [Fault::OtherVocabulary, Fault::OtherTexts, Fault::NoTexts];
                wrong.map(|wrong| wrong.fault).filter(|fault| of_vocabulary.contains(fault))
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
            (_, "/tokenize" | "/extras/tokenize")
                if matches!(fault, Some(Fault::OtherTexts | Fault::NoTexts)) =>
            {
                (404, json!({"detail": "Not Found"}).to_string())
            }
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
