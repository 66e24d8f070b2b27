//! Every loss over the vocabulary, beside the CPU's.

use super::ops::worst;
use super::Line;
use crate::cli::bench::decoder::CrossEntropy;
use crate::error::Result;
use crate::kernels::token_loss::{Described, Own, TokenLoss};
use crate::kernels::vocabulary_loss::{vocabulary_loss, HeadGradients};
use crate::rng::{Purpose, Stream};
use crate::signal::Target;
use crate::stages::loss::described::{own, part};
use crate::stages::loss::policy::PolicyToken;
use crate::stages::loss::row::StudentRow;
use crate::stages::loss::top_k::Truncation;
use crate::stages::loss::{Divergence, Support, Tail};
use crate::tensor::{self, Cpu, Device, Grads};

/// Standard normal numbers.
pub(super) fn random(count: usize, minor: u64) -> Vec<f32> {
    let mut stream = Stream::new(17, Purpose::Task, 0, minor);
    (0..count).map(|_| stream.normal() as f32).collect()
}

fn of<'a>(logits: &'a [f32], sampled: usize, grad: Option<&'a mut [f32]>) -> StudentRow<'a, f32> {
    match grad {
        Some(grad) => StudentRow::traced(logits, sampled, grad),
        None => StudentRow::whole(logits, sampled),
    }
}

/// The clipped policy gradient.
struct Clipped(Vec<f32>);

impl Clipped {
    fn token(&self, row: usize, new: f32) -> PolicyToken<f32> {
        PolicyToken {
            old: -3.0,
            new,
            teacher: Some(-2.5 + self.0[row]),
            advantage: self.0[row],
            clip_low: 0.2,
            clip_high: 0.28,
            gap_mask: 2.0,
        }
    }
}

impl TokenLoss for Clipped {
    fn row(&self, row: usize, logits: &[f32], grad: Option<&mut [f32]>) -> f64 {
        let mut student = of(logits, row % logits.len(), grad);
        let found = self.token(row, student.log_prob()).loss();
        student.push_log_prob(found.slope);
        f64::from(found.loss)
    }

    fn described(&self, row: usize) -> Option<Described<'_>> {
        let PolicyToken { old, teacher, advantage, clip_low, clip_high, gap_mask, .. } = self.token(row, 0.0);
        let token = Own::Clipped { old, teacher, advantage, clip_low, clip_high, gap_mask };
        Some(Described { sampled: row as u32, ..own(token) })
    }
}

/// A divergence from rows at random.
struct Compared {
    divergence: Divergence,
    how: Truncation,
    rows: Vec<f32>,
    width: usize,
}

impl Compared {
    fn teacher(&self, row: usize) -> &[f32] {
        &self.rows[row * self.width..][..self.width]
    }
}

impl TokenLoss for Compared {
    fn row(&self, row: usize, logits: &[f32], grad: Option<&mut [f32]>) -> f64 {
        let mut student = of(logits, row % self.width, grad);
        let found = self.how.push(self.divergence, &mut student, self.teacher(row), 0.7);
        found.map_or(f64::NAN, |found| f64::from(0.7 * found.value))
    }

    fn described(&self, row: usize) -> Option<Described<'_>> {
        let target = Target::Row(self.teacher(row).into());
        let parts = vec![part(self.divergence, self.how, target, 0.7)];
        Some(Described { sampled: (row % self.width) as u32, parts, ..own(Own::Nothing) })
    }
}

const ROWS: usize = 130;
const INNER: usize = 48;

/// Losses, and the gradients of hidden states and of the output layer.
fn on<D: Device>(device: &D, width: usize, loss: &dyn TokenLoss) -> Result<[Vec<f32>; 3]> {
    let hidden = tensor::matrix(device, ROWS, INNER, random(ROWS * INNER, 1))?;
    let head = tensor::matrix(device, width, INNER, random(width * INNER, 2))?;
    let weights: Vec<f32> = (0..ROWS).map(|row| [0.3, 0.0, 1.0][row % 3]).collect();
    let mut grads = Grads::zeros(device, [&head])?;
    let mut g_hidden = tensor::zeros(device, ROWS * INNER)?;
    let into = HeadGradients { hidden: &mut g_hidden, head: Some(grads.buffer_mut(0)) };
    let losses = vocabulary_loss(&hidden, &head, &weights, loss, Some(into))?;
    let losses = losses.into_iter().map(|loss| loss as f32).collect();
    Ok([losses, device.read(&g_hidden).map_err(tensor::failed)?, grads.to_host(0)?])
}

pub(super) fn all<D: Device>(device: &D, rounded: f64) -> Result<Vec<Line>> {
    let mut lines = Vec::new();
    for width in [700, 5003] {
        let mut losses: Vec<(String, Box<dyn TokenLoss>)> = vec![
            ("cross-entropy".into(), Box::new(CrossEntropy((0..ROWS as u32).collect()))),
            ("policy gradient".into(), Box::new(Clipped(random(ROWS, 3)))),
        ];
        for divergence in [Divergence::ForwardKl, Divergence::ReverseKl, Divergence::Jsd { beta: 0.3 }] {
            let mut add = |name: String, how: Truncation| {
                let rows = random(ROWS * width, 4);
                losses.push((name, Box::new(Compared { divergence, how, rows, width })));
            };
            let (support, tail) = (Support::Student, Tail::Renormalise);
            add(format!("{divergence:?}"), Truncation { k: usize::MAX, support, tail });
            for support in [Support::Student, Support::Teacher, Support::Union, Support::Sampled] {
                for tail in [Tail::Renormalise, Tail::Bucket, Tail::Drop] {
                    add(format!("{divergence:?} {support:?} {tail:?}"), Truncation { k: 64, support, tail });
                }
            }
        }
        for (name, loss) in losses {
            let (found, expected) = (on(device, width, &*loss)?, on(&Cpu::default(), width, &*loss)?);
            let differ = found.iter().zip(&expected).map(|(found, expected)| worst(found, expected));
            let most = differ.fold(0.0, |most: f64, x| if x <= most { most } else { x });
            lines.push(Line::differs(format!("{name}, V {width}"), most, 5e-5 * rounded));
        }
    }
    Ok(lines)
}
