//! The operations of a decoder one by one: `cargo bench -p limbeck --bench kernels -- attention`.
//!
//! Products tell how many floating-point operations they did (`Gelem/s` are GFLOP/s), what is bound by memory how many
//! bytes it read and wrote. Sizes are those of the small decoder of `limbeck bench decoder`: width 256, 4 heads,
//! feed-forward 768, 8 sequences of 128 tokens.

use criterion::{criterion_group, criterion_main, BenchmarkId, Criterion, Throughput};
use limbeck::kernels::adamw::{AdamWKernel, Hyper, Rates};
use limbeck::kernels::attention::{AttentionKernel, Heads, Layout, Rates as Turns, Rotary, Span};
use limbeck::kernels::linear::LinearKernel;
use limbeck::kernels::rms_norm::RmsNormKernel;
use limbeck::kernels::swiglu::SwigluKernel;
use limbeck::kernels::token_loss::TokenLoss;
use limbeck::kernels::vocabulary_loss::{vocabulary_loss, HeadGradients};
use limbeck::models::{sample, Sampling};
use limbeck::real::Real;
use limbeck::rng::{Purpose, Stream};
use limbeck::tensor::{self, Buffer, Cpu, Matrix};
use std::hint::black_box;
use std::sync::Arc;

const WIDTH: usize = 256;
const FFN: usize = 768;
const ROWS: usize = 1024;

fn random(rows: usize, columns: usize) -> Matrix<Cpu> {
    let mut stream = Stream::new(0, Purpose::Task, 0, (rows * columns) as u64);
    let values = (0..rows * columns).map(|_| 0.1 * stream.normal() as f32).collect();
    tensor::matrix(&Cpu::default(), rows, columns, values).expect("as many values as places")
}

fn zeros(len: usize) -> Buffer<Cpu> {
    tensor::zeros(&Cpu::default(), len).expect("memory")
}

fn products(c: &mut Criterion) {
    let device = Cpu::default();
    let mut group = c.benchmark_group("linear");
    let weight = random(FFN, WIDTH);
    let packed = device.prepare(&weight).expect("memory");
    for rows in [1, 8, 64, ROWS] {
        let (x, g) = (random(rows, WIDTH), zeros(rows * FFN));
        group.throughput(Throughput::Elements((2 * rows * WIDTH * FFN) as u64));
        group.bench_function(BenchmarkId::new("forward, weights packed", rows), |b| {
            b.iter(|| device.linear(&x, &weight, Some(&packed), None))
        });
        group.bench_function(BenchmarkId::new("gradient of inputs", rows), |b| {
            b.iter(|| device.linear_backward(&weight, &g, None))
        });
        let mut g_weight = zeros(FFN * WIDTH);
        group.bench_function(BenchmarkId::new("gradient of weights", rows), |b| {
            b.iter(|| device.linear_learn(&x, &g, &mut g_weight, None))
        });
    }
}

fn attention(c: &mut Criterion) {
    let (device, heads) = (Cpu::default(), Heads { query: 4, shared: 4, width: WIDTH / 4 });
    let mut group = c.benchmark_group("attention");
    for length in [32, 128, 512] {
        let spans = (0..ROWS / length).map(|i| Span::alone(i * length..(i + 1) * length)).collect();
        let rotary = Arc::new(Rotary::new(length, &Turns::of(heads.width, 10_000.0)));
        let layout = Layout { heads, spans, rotary, causal: true };
        let [q, k, v] = [0, 1, 2].map(|_| random(ROWS, WIDTH));
        // queries by keys and weights by values, each for half the positions
        group.throughput(Throughput::Elements((2 * ROWS * (length + 1) * WIDTH) as u64));
        group.bench_function(BenchmarkId::new("forward", length), |b| {
            b.iter(|| device.attention(&q, &k, &v, &layout))
        });
        let (_, kept) = device.attention(&q, &k, &v, &layout).expect("memory");
        let [g, mut g_q, mut g_k, mut g_v] = [0, 1, 2, 3].map(|_| zeros(ROWS * WIDTH));
        group.bench_function(BenchmarkId::new("backward", length), |b| {
            b.iter(|| device.attention_backward(&kept, &v, &layout, &g, [&mut g_q, &mut g_k, &mut g_v]))
        });
    }
}

fn rows(c: &mut Criterion) {
    let device = Cpu::default();
    let mut group = c.benchmark_group("rows");
    let (x, weight) = (random(ROWS, WIDTH), random(1, WIDTH));
    group.throughput(Throughput::Bytes((2 * 4 * ROWS * WIDTH) as u64));
    group.bench_function("RMS norm", |b| b.iter(|| device.rms_norm(&x, &weight, 1e-5)));
    let (gate, up) = (random(ROWS, FFN), random(ROWS, FFN));
    group.throughput(Throughput::Bytes((3 * 4 * ROWS * FFN) as u64));
    group.bench_function("SwiGLU", |b| b.iter(|| device.swiglu(&gate, &up)));
    let [mut weight, mut first, mut second] = [0, 1, 2].map(|_| random(FFN, WIDTH));
    let (g, rates) = (zeros(FFN * WIDTH), Rates::new(&Hyper::default(), 1, true));
    group.throughput(Throughput::Bytes((7 * 4 * FFN * WIDTH) as u64));
    group.bench_function("AdamW", |b| {
        b.iter(|| device.adamw(&mut weight, &g, &mut first, &mut second, &rates))
    });
}

/// Cross-entropy with token 0.
struct First;

impl TokenLoss for First {
    fn row(&self, _: usize, logits: &[f32], grad: Option<&mut [f32]>) -> f64 {
        let whole = f32::log_sum_exp(logits);
        if let Some(grad) = grad {
            f32::add_exp(logits, whole, 1.0, grad);
            grad[0] -= 1.0;
        }
        f64::from(whole - logits[0])
    }
}

fn vocabulary(c: &mut Criterion) {
    let mut group = c.benchmark_group("vocabulary");
    for vocabulary in [2048, 32_768] {
        let (hidden, head) = (random(ROWS / 4, WIDTH), random(vocabulary, WIDTH));
        let weights = vec![1.0; ROWS / 4];
        let (mut g_hidden, mut g_head) = (zeros(ROWS / 4 * WIDTH), zeros(vocabulary * WIDTH));
        group.throughput(Throughput::Elements((3 * 2 * ROWS / 4 * WIDTH * vocabulary) as u64));
        group.bench_function(BenchmarkId::new("loss and gradients", vocabulary), |b| {
            b.iter(|| {
                let into = HeadGradients { hidden: &mut g_hidden, head: Some(&mut g_head) };
                vocabulary_loss(&hidden, &head, &weights, &First, Some(into))
            })
        });
        let logits = tensor::to_host(&random(1, vocabulary));
        group.throughput(Throughput::Bytes((4 * vocabulary) as u64));
        let plain = Sampling::default();
        group.bench_function(BenchmarkId::new("sampling", vocabulary), |b| {
            b.iter(|| sample(black_box(&logits), &plain, 0.5))
        });
        let nucleus = Sampling { top_p: 0.9, ..Sampling::default() };
        group.bench_function(BenchmarkId::new("sampling, top-p", vocabulary), |b| {
            b.iter(|| sample(black_box(&logits), &nucleus, 0.5))
        });
    }
}

criterion_group!(benches, products, attention, rows, vocabulary);
criterion_main!(benches);
