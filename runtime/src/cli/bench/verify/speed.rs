//! How fast: kernels beside the device's own memory, and whole models.

use std::sync::Arc;
use std::time::Instant;

use super::losses::random;
use super::Line;
use crate::cli::bench::decoder::{config, CrossEntropy};
use crate::cli::bench::pair::Pair;
use crate::error::Result;
use crate::kernels::add::add;
use crate::kernels::linear::linear;
use crate::kernels::rms_norm::rms_norm;
use crate::kernels::swiglu::swiglu;
use crate::kernels::vocabulary_loss::{vocabulary_loss, HeadGradients};
use crate::log::metrics::STEP_TIME;
use crate::models::{Decoder, Family, ModelConfig, Request, Sampling};
use crate::rng::{Purpose, Stream};
use crate::tasks::{generate, TaskSpec};
use crate::tensor::{self, Device, NoneTape};
use crate::world::tokenizer::Tokenizer;
use crate::world::Policy;

/// The seconds of the fastest of five, when everything that was asked for is done.
fn fastest<D: Device>(device: &D, mut work: impl FnMut() -> Result<()>) -> Result<f64> {
    let mut best = f64::INFINITY;
    for _ in 0..6 {
        device.finish().map_err(tensor::failed)?;
        let start = Instant::now();
        work()?;
        device.finish().map_err(tensor::failed)?;
        best = best.min(start.elapsed().as_secs_f64());
    }
    Ok(best)
}

/// Kernels, in shares of the speed at which the device adds two matrices.
pub(super) fn kernels<D: Device>(device: &D, small: bool) -> Result<Vec<Line>> {
    let tape = &mut NoneTape;
    let (rows, columns, vocabulary) = if small { (64, 64, 300) } else { (8192, 4096, 151_936) };
    let matrix = |rows: usize, columns: usize, minor| {
        let some = random(4096.min(rows * columns), minor);
        let values = some.iter().copied().cycle().take(rows * columns).collect();
        tensor::matrix(device, rows, columns, values)
    };
    let (a, b, weight) = (matrix(rows, columns, 1)?, matrix(rows, columns, 2)?, matrix(1, columns, 3)?);
    let bytes = (rows * columns * 4) as f64;
    let mut lines = Vec::new();
    let seconds = fastest(device, || add(tape, &a, &b).map(drop))?;
    // read, read, zeroed, written
    let memory = 4.0 * bytes / seconds;
    lines.push(Line::number("add, bytes", memory / 1e9, "GB/s"));
    let seconds = fastest(device, || swiglu(tape, &a, &b).map(drop))?;
    lines.push(Line::number("swiglu, of the memory's speed", 4.0 * bytes / seconds / memory, ""));
    let seconds = fastest(device, || rms_norm(tape, &a, &weight, 1e-5).map(drop))?;
    lines.push(Line::number("rms_norm, of the memory's speed", 3.0 * bytes / seconds / memory, ""));
    let square = matrix(columns, columns, 4)?;
    let seconds = fastest(device, || linear(tape, &a, &square, None).map(drop))?;
    let operations = 2.0 * (rows * columns * columns) as f64;
    lines.push(Line::number("linear", operations / seconds / 1e12, "TFLOP/s"));
    let (said, inner) = if small { (64, 16) } else { (2048, 1024) };
    let (hidden, head) = (matrix(said, inner, 5)?, matrix(vocabulary, inner, 6)?);
    let targets = CrossEntropy((0..said).map(|row| (row % vocabulary) as u32).collect());
    let weights = vec![1.0 / said as f32; said];
    let seconds = fastest(device, || {
        let mut gradient = tensor::zeros(device, said * inner)?;
        let into = HeadGradients { hidden: &mut gradient, head: None };
        vocabulary_loss(&hidden, &head, &weights, &targets, Some(into)).map(drop)
    })?;
    // logits written, read, replaced by their gradient, and read again
    let moved = 4.0 * (said * vocabulary * 4) as f64;
    lines.push(Line::number("vocabulary loss, of the memory's speed", moved / seconds / memory, ""));
    Ok(lines)
}

/// The shape of Qwen3-0.6B or 1.7B.
fn qwen3(hidden_size: usize, intermediate_size: usize) -> ModelConfig {
    let base = config(hidden_size, 28, 151_936, intermediate_size, 4096);
    ModelConfig {
        family: Family::Qwen3,
        num_attention_heads: 16,
        num_key_value_heads: 8,
        head_dim: 128,
        rope_theta: 1_000_000.0,
        rms_norm_eps: 1e-6,
        tie_word_embeddings: true,
        ..base
    }
}

/// Decoding, and a step of distillation with full-vocabulary reverse KL: 64 responses of 256 tokens.
pub(super) fn models<D: Device>(device: &D) -> Result<Vec<Line>> {
    let tokenizer = Arc::new(Tokenizer::tasks()?);
    let policy = |name: &str, config: &ModelConfig, seed| -> Result<Policy<D>> {
        let decoder = Decoder::random(config, seed, device)?;
        Ok(Policy { name: name.to_string(), decoder, tokenizer: Arc::clone(&tokenizer) })
    };
    let student = policy("student", &qwen3(1024, 3072), 0)?;
    let weights = student.decoder.size() as f64;
    let mut lines = Vec::new();
    for rows in [1, 64] {
        let (new, mut take) = (128, 0);
        let seconds = fastest(device, || {
            take += 1;
            let streams = (0..rows).map(|row| Stream::new(0, Purpose::Rollout, take, row)).collect();
            let request = Request { prompt: (1..46).collect(), copies: rows as usize, streams };
            let sampling = Sampling { max_tokens: new, ..Sampling::default() };
            student.decoder.generate(&[request], &sampling, None).map(drop)
        })?;
        lines.push(Line::number(
            format!("decoding, {rows} rows"),
            (rows as usize * new) as f64 / seconds,
            "tokens/s",
        ));
        let read = weights * 4.0 * new as f64 / seconds;
        lines.push(Line::number(format!("decoding, {rows} rows: weights"), read / 1e9, "GB/s"));
    }
    let mut pair = Pair::of(student, policy("teacher", &qwen3(2048, 6144), 1)?);
    let rows = generate(&TaskSpec { levels: (2, 2), per_level: 64, ..TaskSpec::default() })?;
    let report = pair.train(rows, 3, (16, 4, 256))?;
    let times = report.metrics.iter().skip(1).filter_map(|(_, metrics)| metrics.get(STEP_TIME));
    lines.push(Line::number("step, 64 responses of 256", times.fold(f64::INFINITY, f64::min), "s"));
    Ok(lines)
}
