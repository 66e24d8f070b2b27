//! The output layer and a loss over its logits: a few rows at a time, beside all rows at once.

use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args as Group, ValueEnum};
use serde_json::{json, Value};

use super::apart::apart;
use super::measured::{memory_now, milliseconds, seconds, Measured};
use crate::cli::verbs::say;
use crate::error::{Error, Result};
use crate::kernels::linear::linear;
use crate::kernels::token_loss::{token_loss, TokenLoss};
use crate::kernels::vocabulary_loss::{vocabulary_loss, HeadGradients};
use crate::real::log_softmax;
use crate::rng::{Purpose, Stream};
use crate::stages::loss::divergence::Divergence;
use crate::stages::loss::row::StudentRow;
use crate::stages::loss::top_k::{Support, Tail, Truncation};
use crate::tensor::{self, Cpu, Grads, Matrix, OwnedTape};

/// Numbers a hidden state has, and tokens of the vocabulary.
const SIZE: (usize, usize) = (256, 32_768);
/// Rows, one after the other.
const ROWS: [usize; 4] = [256, 512, 1024, 2048];

/// How logits are held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Way {
    /// All at once
    Dense,
    /// Some rows at a time
    Chunked,
}

/// What is computed from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Kind {
    /// A policy gradient's: the sampled token's log-probability
    Sampled,
    /// Forward KL over the whole vocabulary
    ForwardKl,
    /// Reverse KL over the whole vocabulary
    ReverseKl,
    /// Jensen-Shannon over the whole vocabulary
    Jsd,
    /// Reverse KL over the student's 128 likeliest tokens, renormalised
    TopK,
}

/// One measurement, in a process of its own.
#[derive(Group)]
pub(super) struct HeadPoint {
    #[arg(long, value_enum)]
    way: Way,
    #[arg(long, value_enum)]
    kind: Kind,
    #[arg(long)]
    rows: usize,
    #[arg(long)]
    repeats: usize,
}

/// What a point says: milliseconds a pass, and MB before the first pass and at most.
struct Found {
    said: Value,
    time: f64,
    before: f64,
    peak: f64,
}

/// Every loss at every number of rows, both ways: a table of ratios, or a JSON object a line.
pub(super) fn all(repeats: usize, json: bool) -> Result<ExitCode> {
    if !json {
        say("chunked / dense        time   memory added   whole process")?;
    }
    for kind in Kind::value_variants() {
        for rows in ROWS {
            let what = format!("{} {rows}", name(kind));
            let dense = point(Way::Dense, *kind, rows, repeats, &what)?;
            let chunked = point(Way::Chunked, *kind, rows, repeats, &what)?;
            let time = chunked.time / dense.time;
            let added = (chunked.peak - chunked.before) / (dense.peak - dense.before);
            let whole = chunked.peak / dense.peak;
            let line = json!({
                "loss": name(kind), "rows": rows,
                "ratios": {"time": time, "memory added": added, "whole process": whole},
                "dense": dense.said, "chunked": chunked.said,
            });
            let told = format!("{what:18} {time:8.2} {added:14.2} {whole:15.2}");
            say(&if json { line.to_string() } else { told })?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// One point, measured in a process of its own.
fn point(way: Way, kind: Kind, rows: usize, repeats: usize, what: &str) -> Result<Found> {
    let words = ["head-point", "--way", &name(&way), "--kind", &name(&kind), "--rows"];
    let mut args: Vec<String> = words.map(str::to_string).to_vec();
    args.extend([rows.to_string(), "--repeats".to_string(), repeats.to_string()]);
    let said = apart(&args, what)?;
    let memory = said["memory_before_mb"].as_f64().zip(said["peak_memory_mb"].as_f64());
    let ((before, peak), time) = memory
        .zip(said["series"]["pass"]["median"].as_f64())
        .ok_or_else(|| Error::run("its memory is not known here").at(what))?;
    Ok(Found { said, time, before, peak })
}

fn name(value: &impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_string()).unwrap_or_default()
}

impl HeadPoint {
    /// The gradients of hidden states and of the output layer, this way.
    pub fn measure(&self) -> Result<Measured> {
        let (width, vocabulary) = SIZE;
        let (hidden, head) = (random(self.rows, width, 1)?, random(vocabulary, width, 2)?);
        let mut teacher = tensor::to_host(&random(1, vocabulary, 3)?);
        log_softmax(&mut teacher);
        let loss: Arc<dyn TokenLoss> = Arc::new(OneTeacher { kind: self.kind, teacher });
        let weights = vec![1.0 / self.rows as f32; self.rows];
        let before = memory_now();
        let times = seconds(self.repeats, || match self.way {
            Way::Dense => dense(&hidden, &head, &weights, &loss),
            Way::Chunked => chunked(&hidden, &head, &weights, &loss),
        })?;
        let mut measured = Measured::of("head-point").on("rows", self.rows).on("memory_before_mb", before);
        measured.add("pass", "ms", milliseconds(&times));
        Ok(measured)
    }
}

fn random(rows: usize, columns: usize, minor: u64) -> Result<Matrix<Cpu>> {
    let mut stream = Stream::new(0, Purpose::Task, 0, minor);
    let scale = 1.0 / (columns as f64).sqrt();
    let values = (0..rows * columns).map(|_| (stream.normal() * scale) as f32).collect();
    tensor::matrix(&Cpu::default(), rows, columns, values)
}

fn dense(hidden: &Matrix<Cpu>, head: &Matrix<Cpu>, weights: &[f32], loss: &Arc<dyn TokenLoss>) -> Result<()> {
    let mut tape = OwnedTape::default();
    let mut grads = Grads::zeros(hidden.device(), [hidden, head])?;
    let logits = linear(&mut tape, hidden, head, None)?;
    let (total, _) = token_loss(&mut tape, &logits, weights, loss)?;
    drop(logits);
    let mut one = tensor::zeros(hidden.device(), 1)?;
    one[0] = 1.0;
    grads.collect(&total, one, tape, &[hidden, head])
}

fn chunked(
    hidden: &Matrix<Cpu>,
    head: &Matrix<Cpu>,
    weights: &[f32],
    loss: &Arc<dyn TokenLoss>,
) -> Result<()> {
    let zeros = |m: &Matrix<Cpu>| tensor::zeros(m.device(), tensor::slice(m).len());
    let (mut of_hidden, mut of_head) = (zeros(hidden)?, zeros(head)?);
    let into = HeadGradients { hidden: &mut of_hidden, head: Some(&mut of_head) };
    vocabulary_loss(hidden, head, weights, &**loss, Some(into)).map(drop)
}

/// A loss whose teacher says the same at every token.
struct OneTeacher {
    kind: Kind,
    teacher: Vec<f32>,
}

impl TokenLoss for OneTeacher {
    fn row(&self, row: usize, logits: &[f32], grad: Option<&mut [f32]>) -> f64 {
        let sampled = row % logits.len();
        let mut student = match grad {
            Some(grad) => StudentRow::traced(logits, sampled, grad),
            None => StudentRow::whole(logits, sampled),
        };
        let of = |divergence: Divergence, student: &mut StudentRow<f32>| {
            divergence.push(student, &self.teacher, 1.0).map_or(f64::NAN, f64::from)
        };
        match self.kind {
            Kind::Sampled => {
                student.push_log_prob(-1.0);
                -f64::from(student.log_prob())
            }
            Kind::ForwardKl => of(Divergence::ForwardKl, &mut student),
            Kind::ReverseKl => of(Divergence::ReverseKl, &mut student),
            Kind::Jsd => of(Divergence::Jsd { beta: 0.5 }, &mut student),
            Kind::TopK => {
                let top = Truncation { k: 128, support: Support::Student, tail: Tail::Renormalise };
                let found = top.push(Divergence::ReverseKl, &mut student, &self.teacher, 1.0);
                found.map_or(f64::NAN, |found| f64::from(found.value))
            }
        }
    }
}
