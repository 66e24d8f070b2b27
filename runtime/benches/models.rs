//! Whole pieces of work, timed as one process each: what `compare.py` runs beside other programs that do the same.
//!
//! ```sh
//! cargo bench -p limbeck --bench models -- decoder [VOCABULARY]
//! cargo bench -p limbeck --bench models -- rollout FOLDER [ROWS] [TOKENS]
//! cargo bench -p limbeck --bench models -- step FOLDER [ROWS] [TOKENS]
//! ```
//!
//! `RAYON_NUM_THREADS` sets the threads. A line of JSON comes out: medians in milliseconds, tokens per second, the
//! peak of resident memory in MiB.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use limbeck::kernels::adamw::{Hyper, Moments};
use limbeck::kernels::exp::log_sum_exp;
use limbeck::kernels::token_loss::TokenLoss;
use limbeck::models::{Decoder, Family, ModelConfig, Packed, Request, Sampling};
use limbeck::rng::{Purpose, Stream};
use limbeck::stages::loss::Divergence;
use limbeck::tensor::{to_host, Cpu};
use limbeck::world::tokenizer::Tokenizer;

type Failed = Box<dyn std::error::Error>;

fn main() -> Result<(), Failed> {
    limbeck::memory::keep_freed();
    // cargo adds `--bench`
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let number = |at: usize, default: usize| words.get(at).map_or(Ok(default), |word| word.parse());
    let folder = || words.get(1).map(Path::new).ok_or("name a model folder");
    let found = match words.first().map(String::as_str) {
        Some("decoder") => decoder(number(1, 2048)?)?,
        Some("rollout") => rollout(folder()?, number(2, 8)?, number(3, 64)?)?,
        Some("step") => step(folder()?, number(2, 8)?, number(3, 32)?)?,
        // `cargo bench` without a word runs every benchmark there is
        _ => return Ok(println!("say what: decoder [VOCABULARY], rollout FOLDER, or step FOLDER")),
    };
    let peak = peak_mib().map_or("null".to_string(), |mib| mib.to_string());
    let fields: Vec<String> = found.iter().map(|(name, value)| format!("\"{name}\": {value:.3}")).collect();
    println!("{{{}, \"peak_mib\": {peak}}}", fields.join(", "));
    Ok(())
}

type Found = Vec<(&'static str, f64)>;

/// The median of the times `work` takes, in milliseconds, after one that does not count.
fn median(times: usize, mut work: impl FnMut() -> Result<(), Failed>) -> Result<f64, Failed> {
    work()?;
    let mut all = Vec::new();
    for _ in 0..times {
        let start = Instant::now();
        work()?;
        all.push(start.elapsed().as_secs_f64() * 1e3);
    }
    all.sort_by(f64::total_cmp);
    Ok(all[times / 2])
}

/// A small decoder, 8 sequences of 128 tokens, cross-entropy at every position.
fn decoder(vocabulary: usize) -> Result<Found, Failed> {
    const ROWS: usize = 8;
    const LENGTH: usize = 128;
    let config = ModelConfig {
        family: Family::Llama,
        hidden_size: 256,
        intermediate_size: 768,
        num_hidden_layers: 4,
        num_attention_heads: 4,
        num_key_value_heads: 4,
        head_dim: 64,
        vocab_size: vocabulary,
        max_position_embeddings: 256,
        rope_theta: 10_000.0,
        rope_scaling: Default::default(),
        rms_norm_eps: 1e-5,
        tie_word_embeddings: false,
        attention_bias: false,
        bos_token_id: None,
        eos_token_id: Vec::new(),
        pad_token_id: None,
        generation: None,
        other: Default::default(),
    };
    let mut model = Decoder::random(&config, 1, &Cpu::default())?;
    let mut stream = Stream::new(1, Purpose::Task, 0, 0);
    let mut ids = |count: usize| -> Vec<u32> {
        (0..count).map(|_| (stream.uniform() * vocabulary as f64) as u32).collect()
    };
    let texts: Vec<Vec<u32>> = (0..ROWS).map(|_| ids(LENGTH + 1)).collect();
    let packed = Packed::of(texts.iter().map(|text| text.split_at(1)));
    let targets: Vec<u32> = texts.iter().flat_map(|text| text[1..].to_vec()).collect();
    let weights = vec![1.0 / targets.len() as f32; targets.len()];
    let loss: Arc<dyn TokenLoss> = Arc::new(CrossEntropy(targets));
    let mut grads = model.zero_grads()?;
    let mut moments = Moments::new(&model)?;
    let hyper = Hyper { lr: 1e-4, beta2: 0.95, weight_decay: 0.1, ..Hyper::default() };
    let forward = median(9, || Ok(drop(model.logits(&packed)?)))?;
    let backward = median(9, || {
        grads.zero()?;
        model.backward(&packed, &weights, &loss, &mut grads)?;
        Ok(())
    })?;
    let update = median(9, || {
        grads.zero()?;
        model.backward(&packed, &weights, &loss, &mut grads)?;
        moments.update(&mut model, &grads, &hyper, |_| true)?;
        Ok(())
    })?;
    let say = |rows: usize, tokens: usize| {
        let requests = [request(vec![1, 2, 3], rows)];
        let sampling = Sampling { max_tokens: tokens, ..Sampling::default() };
        median(3, || Ok(drop(model.generate(&requests, &sampling, None)?)))
    };
    Ok(vec![
        ("forward_ms", forward),
        ("backward_ms", backward),
        ("step_ms", update),
        ("decode_ms_per_token", say(1, 128)? / 128.0),
        ("rollout_tokens_per_s", 64.0 * 64.0 / say(64, 64)? * 1e3),
    ])
}

/// So many answers to one question, of so many tokens each.
fn rollout(folder: &Path, rows: usize, tokens: usize) -> Result<Found, Failed> {
    let model = Decoder::load(folder, &Cpu::default())?;
    let tokenizer = Tokenizer::load(folder)?;
    let requests = [request(question(&tokenizer, "What is 17 + 25? Think step by step.")?, rows)];
    let sampling = Sampling { max_tokens: tokens, ..Sampling::default() };
    let took = median(3, || Ok(drop(model.generate(&requests, &sampling, None)?)))?;
    Ok(vec![
        ("rollout_tokens_per_s", (rows * tokens) as f64 / took * 1e3),
        ("prompt", requests[0].prompt.len() as f64),
    ])
}

/// An on-policy step: answers to different questions, what the teacher says at every token, the reverse KL over the
/// whole vocabulary, AdamW. The teacher has the student's weights.
fn step(folder: &Path, rows: usize, tokens: usize) -> Result<Found, Failed> {
    let device = Cpu::default();
    let (mut student, teacher) = (Decoder::load(folder, &device)?, Decoder::load(folder, &device)?);
    let tokenizer = Tokenizer::load(folder)?;
    let (mut grads, mut moments) = (student.zero_grads()?, Moments::new(&student)?);
    let (hyper, width) = (Hyper { lr: 1e-5, ..Hyper::default() }, student.config().vocab_size);
    let sampling = Sampling { max_tokens: tokens, ..Sampling::default() };
    let mut first = 2;
    let mut parts = vec![[0.0; 4]; 0];
    let took = median(3, || {
        let ask = |a: usize| {
            question(&tokenizer, &format!("What is {a} + {}? Think step by step.", a + 3))
                .map(|prompt| request(prompt, 1))
        };
        let requests: Vec<Request> = (first..first + rows).map(ask).collect::<Result<_, _>>()?;
        first += rows;
        let start = Instant::now();
        let answers = student.generate(&requests, &sampling, None)?;
        let rolled = start.elapsed();
        let pairs = requests.iter().zip(&answers);
        let packed = Packed::of(pairs.map(|(request, answer)| (&request.prompt[..], &answer.tokens[..])));
        let mut said = to_host(&teacher.logits(&packed)?);
        said.chunks_mut(width).for_each(limbeck::real::log_softmax);
        let scored = start.elapsed();
        let count = packed.rows().len();
        let loss: Arc<dyn TokenLoss> = Arc::new(ToTeacher(said));
        grads.zero()?;
        student.backward(&packed, &vec![1.0 / count as f32; count], &loss, &mut grads)?;
        let learned = start.elapsed();
        moments.update(&mut student, &grads, &hyper, |_| true)?;
        let end = start.elapsed();
        parts.push(
            [rolled, scored - rolled, learned - scored, end - learned].map(|part| part.as_secs_f64() * 1e3),
        );
        Ok(())
    })?;
    let part = |at: usize| parts[1..].iter().map(|part| part[at]).sum::<f64>() / (parts.len() - 1) as f64;
    Ok(vec![
        ("step_ms", took),
        ("rollout_ms", part(0)),
        ("score_ms", part(1)),
        ("loss_ms", part(2)),
        ("update_ms", part(3)),
    ])
}

fn request(prompt: Vec<u32>, copies: usize) -> Request {
    let streams = (0..copies).map(|copy| Stream::new(1, Purpose::Rollout, 0, copy as u64)).collect();
    Request { prompt, copies, streams }
}

/// The question as a chat in the way of SmolLM2, whose system turn says who it is.
fn question(tokenizer: &Tokenizer, text: &str) -> Result<Vec<u32>, Failed> {
    let system = "You are a helpful AI assistant named SmolLM, trained by Hugging Face";
    Ok(tokenizer.encode(&format!(
        "<|im_start|>system\n{system}<|im_end|>\n<|im_start|>user\n{text}<|im_end|>\n<|im_start|>assistant\n"
    ))?)
}

/// −ln p of the token that comes next.
struct CrossEntropy(Vec<u32>);

impl TokenLoss for CrossEntropy {
    fn row(&self, row: usize, logits: &[f32], grad: Option<&mut [f32]>) -> f64 {
        let (target, whole) = (self.0[row] as usize, log_sum_exp(logits));
        if let Some(grad) = grad {
            let shift = whole as f32;
            grad.iter_mut().zip(logits).for_each(|(g, &x)| *g = limbeck::kernels::exp::exp(x - shift));
            grad[target] -= 1.0;
        }
        whole - f64::from(logits[target])
    }
}

/// The reverse KL to the teacher's rows.
struct ToTeacher(Vec<f32>);

impl TokenLoss for ToTeacher {
    fn row(&self, row: usize, logits: &[f32], grad: Option<&mut [f32]>) -> f64 {
        let teacher = &self.0[row * logits.len()..][..logits.len()];
        f64::from(match grad {
            Some(grad) => Divergence::ReverseKl.gradient(logits, teacher, grad),
            None => Divergence::ReverseKl.value(logits, teacher),
        })
    }
}

/// The most memory that was resident at a time, where Linux says so.
fn peak_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? / 1024)
}
