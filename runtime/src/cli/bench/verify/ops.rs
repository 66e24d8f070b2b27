//! Every operation, forward and backward, beside the CPU's.

use std::sync::Arc;

use super::losses::random;
use super::{Line, Rounding};
use crate::error::Result;
use crate::kernels::adamw::{grad_norm, Hyper, Moments};
use crate::kernels::add::add_scaled;
use crate::kernels::attention::{attention, Heads, Layout, Rates, Rotary, Span};
use crate::kernels::gelu::gelu;
use crate::kernels::layer_norm::layer_norm;
use crate::kernels::linear::linear;
use crate::kernels::rms_norm::rms_norm;
use crate::kernels::select_rows::select_rows;
use crate::kernels::splice::splice;
use crate::kernels::swiglu::swiglu;
use crate::kernels::token_loss::TokenLoss;
use crate::kernels::vocabulary_loss::{vocabulary_loss, HeadGradients};
use crate::models::{Decoder, Packed, Request, Sampling};
use crate::rng::{Purpose, Stream};
use crate::tensor::{self, Cpu, Device, Grads, Matrix, OwnedTape};

use crate::cli::bench::decoder::{config, CrossEntropy};

/// What it is called, the operation, the shapes of its inputs, and the most that may differ.
type Case = (String, Op, Vec<(usize, usize)>, f64);

/// An operation, with what it needs besides matrices.
enum Op {
    Add,
    Swiglu,
    Norm,
    Select(Vec<usize>),
    Linear,
    Attention(Layout),
    Gelu,
    LayerNorm,
    Splice(Vec<usize>),
}

impl Op {
    fn run<D: Device>(&self, tape: &mut OwnedTape<D>, x: &[Matrix<D>]) -> Result<Matrix<D>> {
        match self {
            Self::Add => add_scaled(tape, &x[0], &x[1], -0.5),
            Self::Swiglu => swiglu(tape, &x[0], &x[1]),
            Self::Norm => rms_norm(tape, &x[0], &x[1], 1e-5),
            Self::Select(rows) => select_rows(tape, &x[0], rows.clone()),
            Self::Linear => linear(tape, &x[0], &x[1], Some(&x[2])),
            Self::Attention(layout) => attention(tape, [&x[0], &x[1], &x[2]], layout),
            Self::Gelu => gelu(tape, &x[0]),
            Self::LayerNorm => layer_norm(tape, &x[0], [&x[1], &x[2]], 1e-5),
            Self::Splice(places) => splice(tape, &x[0], &x[1], places.clone()),
        }
    }

    /// What comes out for random inputs of these shapes, and each input's gradient.
    fn on<D: Device>(&self, device: &D, shapes: &[(usize, usize)]) -> Result<Vec<Vec<f32>>> {
        let inputs = shapes.iter().zip(1..).map(|(&(rows, columns), minor)| {
            tensor::matrix(device, rows, columns, random(rows * columns, minor))
        });
        let inputs: Vec<Matrix<D>> = inputs.collect::<Result<_>>()?;
        let mut tape = OwnedTape::default();
        let y = self.run(&mut tape, &inputs)?;
        let (rows, columns) = tensor::shape(&y);
        // some gradient for what came out: that of a loss over it
        let head = tensor::matrix(device, 11, columns, random(11 * columns, 50))?;
        let mut gradient = tensor::zeros(device, rows * columns)?;
        let into = HeadGradients { hidden: &mut gradient, head: None };
        let targets = CrossEntropy((0..rows as u32).map(|row| row % 11).collect());
        vocabulary_loss(&y, &head, &vec![1.0; rows], &targets, Some(into))?;
        let mut grads = Grads::zeros(device, &inputs)?;
        grads.collect(&y, gradient, tape, &inputs.iter().collect::<Vec<_>>())?;
        let mut all = vec![tensor::to_host(&y)];
        for index in 0..inputs.len() {
            all.push(grads.to_host(index)?);
        }
        Ok(all)
    }
}

/// The largest difference, relative to the largest number expected; not a number where one is none.
pub(super) fn worst(found: &[f32], expected: &[f32]) -> f64 {
    let largest = expected.iter().fold(1e-6f32, |most, x| most.max(x.abs()));
    let differ = |(a, b): (&f32, &f32)| f64::from((a - b).abs()) / f64::from(largest);
    let most =
        found.iter().zip(expected).map(differ).fold(0.0, |most: f64, x| if x <= most { most } else { x });
    if found.len() == expected.len() {
        most
    } else {
        f64::NAN
    }
}

/// Ragged spans: alone, and a prompt with answers that stand after it.
fn layout(heads: Heads) -> (Layout, usize) {
    let after = |rows| Span { after: 37..90, rows };
    let spans = [
        Span::alone(0..37),
        Span::alone(37..90),
        after(90..91),
        after(91..91),
        after(91..260),
        Span::alone(260..261),
        Span::alone(261..500),
    ];
    let rotary = Arc::new(Rotary::new(300, &Rates::of(heads.width, 10_000.0)));
    (Layout { heads, spans: spans.into_iter().collect(), rotary, causal: true }, 500)
}

pub(super) fn all<D: Device>(device: &D, rounding: Rounding) -> Result<Vec<Line>> {
    let mut cases: Vec<Case> = Vec::new();
    for (rows, columns) in [(1, 1), (37, 129), (600, 257)] {
        let shape = (rows, columns);
        cases.push((format!("add {rows}x{columns}"), Op::Add, vec![shape; 2], 2e-6));
        cases.push((format!("swiglu {rows}x{columns}"), Op::Swiglu, vec![shape; 2], 5e-6));
        cases.push((format!("rms_norm {rows}x{columns}"), Op::Norm, vec![shape, (1, columns)], 2e-5));
        let rows_of: Vec<usize> = (0..2 * rows).map(|i| i * 7 % rows).collect();
        cases.push((format!("select {rows}x{columns}"), Op::Select(rows_of), vec![shape], 1e-6));
        cases.push((format!("gelu {rows}x{columns}"), Op::Gelu, vec![shape], 5e-6));
        let shapes = vec![shape, (1, columns), (1, columns)];
        cases.push((format!("layer_norm {rows}x{columns}"), Op::LayerNorm, shapes, 5e-5));
        let places: Vec<usize> = (0..rows).step_by(3).collect();
        let shapes = vec![shape, (places.len(), columns)];
        cases.push((format!("splice {rows}x{columns}"), Op::Splice(places), shapes, 1e-6));
    }
    cases.push(("rms_norm of heads".into(), Op::Norm, vec![(90, 512), (1, 128)], 2e-5));
    for (query, shared, width) in [(2, 1, 6), (4, 2, 32), (6, 2, 64), (4, 1, 128), (2, 2, 256)] {
        let heads = Heads { query, shared, width };
        let (layout, rows) = layout(heads);
        let narrow = (rows, shared * width);
        let shapes = vec![(rows, query * width), narrow, narrow];
        for causal in [true, false] {
            let name = format!("attention {query}/{shared} heads of {width}, causal {causal}");
            let op = Op::Attention(Layout { causal, ..layout.clone() });
            cases.push((name, op, shapes.clone(), 5e-5));
        }
    }
    // the gradient of what came out is a product's
    let mut lines = compared(device, cases, [1.0, rounding.more()])?;
    lines.extend(of_products(device, rounding)?);
    Ok(lines)
}

/// What products are in: the linear layer, and a small model.
pub(super) fn of_products<D: Device>(device: &D, rounding: Rounding) -> Result<Vec<Line>> {
    let case = |(rows, columns)| -> Case {
        let shapes = vec![(rows, columns), (150, columns), (1, 150)];
        (format!("linear {rows}x{columns}"), Op::Linear, shapes, 2e-5)
    };
    let cases = [(1, 1), (37, 129), (600, 257)].map(case);
    let mut lines = compared(device, cases, [rounding.more(); 2])?;
    lines.extend(of_a_model(device, rounding)?);
    Ok(lines)
}

/// Every case on the device beside the CPU; what comes out, and gradients, may differ by so many times what is allowed.
fn compared<D: Device>(
    device: &D,
    cases: impl IntoIterator<Item = Case>,
    more: [f64; 2],
) -> Result<Vec<Line>> {
    let (cpu, mut lines) = (Cpu::default(), Vec::new());
    for (name, op, shapes, allowed) in cases {
        let (found, expected) = (op.on(device, &shapes)?, op.on(&cpu, &shapes)?);
        for (index, (found, expected)) in found.iter().zip(&expected).enumerate() {
            let part = if index == 0 { String::new() } else { format!(", gradient {index}") };
            lines.push(Line::differs(
                format!("{name}{part}"),
                worst(found, expected),
                allowed * more[index.min(1)],
            ));
        }
    }
    Ok(lines)
}

/// A small model: tokens that are drawn, one training step with AdamW, the norm of the gradient.
fn of_a_model<D: Device>(device: &D, rounding: Rounding) -> Result<Vec<Line>> {
    let (cpu, rounded) = (Cpu::default(), rounding.more());
    let mut lines = Vec::new();
    let config = config(128, 2, 500, 192, 200);
    let (here, mut there) = (Decoder::random(&config, 3, &cpu)?, Decoder::random(&config, 3, device)?);
    there.scale_losses(rounding.loss_scale());
    let request = |copies: usize| -> Vec<Request> {
        let prompt = |first: u32, len: u32| (first..first + len).collect();
        let streams = |minor: usize| {
            (0..copies).map(|row| Stream::new(1, Purpose::Rollout, 0, (minor + row) as u64)).collect()
        };
        let of = |(first, len): (u32, u32)| Request {
            prompt: prompt(first, len),
            copies,
            streams: streams(first as usize),
        };
        [(3, 5), (40, 70), (7, 1)].map(of).to_vec()
    };
    let settings = [(0.0, 1.0, 0), (1.0, 1.0, 0), (0.8, 0.9, 0), (1.0, 1.0, 40), (1.2, 0.8, 20)];
    for (temperature, top_p, top_k) in settings {
        let sampling = Sampling { temperature, top_p, top_k, max_tokens: 48, eos: vec![9] };
        let expected = here.generate(&request(8), &sampling, None)?;
        let found = there.generate(&request(8), &sampling, None)?;
        let pairs = || found.iter().zip(&expected);
        let other = pairs().filter(|(found, expected)| found.tokens != expected.tokens).count();
        let name = format!("tokens at temperature {temperature}, top-p {top_p}, top-k {top_k}");
        // a token may differ where rounding puts a number on the other side of a boundary: about one row in many
        let rows = expected.len() as f64;
        lines.push(Line::differs(name, other as f64 / rows, if rounded > 1.0 { 1.0 } else { 0.1 }));
    }
    let sequence: Vec<u32> = (0..120).map(|i| i * 37 % 500).collect();
    let pairs = [
        (&sequence[..20], &sequence[20..60]),
        (&sequence[..20], &sequence[60..90]),
        (&sequence[90..91], &sequence[91..]),
    ];
    let packed = Packed::of(pairs);
    let targets: Vec<u32> = pairs.iter().flat_map(|(_, response)| response.iter().copied()).collect();
    let weights = vec![1.0 / targets.len() as f32; targets.len()];
    let loss: Arc<dyn TokenLoss> = Arc::new(CrossEntropy(targets));
    let (losses, norm, weights_after) = trained(here, &packed, &weights, &loss)?;
    let (found_losses, found_norm, found_weights) = trained(there, &packed, &weights, &loss)?;
    lines.push(Line::differs("losses of a model", worst(&found_losses, &losses), 1e-5 * rounded));
    lines.push(Line::differs("norm of the gradient", (found_norm / norm - 1.0).abs(), 1e-4 * rounded));
    lines.push(Line::differs("weights after AdamW", worst(&found_weights, &weights_after), 1e-3 * rounded));
    Ok(lines)
}

/// Losses, the norm of the gradient, and the weights after three updates.
fn trained<D: Device>(
    mut decoder: Decoder<D>,
    packed: &Packed,
    weights: &[f32],
    loss: &Arc<dyn TokenLoss>,
) -> Result<(Vec<f32>, f64, Vec<f32>)> {
    let mut moments = Moments::new(&decoder)?;
    let mut first = None;
    for _ in 0..3 {
        let mut grads = decoder.zero_grads()?;
        let losses = decoder.backward(packed, weights, loss, &mut grads)?;
        let norm = grad_norm(&decoder, &grads)?;
        first.get_or_insert((losses.iter().map(|&loss| loss as f32).collect(), norm));
        moments.update(&mut decoder, &grads, &Hyper { eps: 1e-4, ..Hyper::default() }, |_| true)?;
    }
    let (losses, norm) = first.unwrap_or_default();
    Ok((losses, norm, decoder.parameters().iter().flat_map(|p| p.to_host()).collect()))
}
