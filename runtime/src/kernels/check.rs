//! Finite differences for the tests of the operations.

use crate::error::Result;
use crate::kernels::token_loss::{token_loss, TokenLoss};
use crate::rng::{Purpose, Stream};
use crate::tensor::{self, Buffer, Cpu, Grads, Matrix, OwnedTape};
use std::sync::Arc;

/// A matrix of standard normal numbers; another `minor`, other numbers.
pub(crate) fn matrix(rows: usize, columns: usize, minor: u64) -> Matrix<Cpu> {
    let mut stream = Stream::new(11, Purpose::Task, 0, minor);
    let values = (0..rows * columns).map(|_| stream.normal() as f32).collect();
    tensor::matrix(&Cpu::default(), rows, columns, values).unwrap()
}

/// The gradient of a total with respect to itself.
pub(crate) fn one() -> Buffer<Cpu> {
    let mut one = tensor::zeros(&Cpu::default(), 1).unwrap();
    one[0] = 1.0;
    one
}

/// The loss Σ factor * logit, with a factor of its own for every place.
struct Probe(Vec<f32>);

impl TokenLoss for Probe {
    fn row(&self, row: usize, logits: &[f32], grad: Option<&mut [f32]>) -> f64 {
        let factors = &self.0[row * logits.len()..][..logits.len()];
        if let Some(grad) = grad {
            grad.copy_from_slice(factors);
        }
        logits.iter().zip(factors).map(|(&x, &f)| f64::from(x) * f64::from(f)).sum()
    }
}

/// Compares the gradients of `Σ factor * op(inputs)` with central differences, at every element of every
/// input. `tolerance` is relative to the largest gradient of that input.
pub(crate) fn differences(
    shapes: &[(usize, usize)],
    tolerance: f64,
    op: impl Fn(&mut OwnedTape<Cpu>, &[Matrix<Cpu>]) -> Result<Matrix<Cpu>>,
) {
    const STEP: f32 = 1.0 / 128.0;
    let inputs = shapes.iter().zip(1..).map(|(&(rows, columns), i)| matrix(rows, columns, i));
    let mut inputs: Vec<_> = inputs.collect();
    let run = |inputs: &[Matrix<Cpu>]| {
        let mut tape = OwnedTape::default();
        let y = op(&mut tape, inputs).unwrap();
        let (rows, columns) = tensor::shape(&y);
        let probe: Arc<dyn TokenLoss> = Arc::new(Probe(tensor::to_host(&matrix(rows, columns, 99))));
        let (total, losses) = token_loss(&mut tape, &y, &vec![1.0; rows], &probe).unwrap();
        (total, losses.iter().sum::<f64>(), tape)
    };
    let (total, _, tape) = run(&inputs);
    let mut grads = Grads::zeros(inputs[0].device(), &inputs).unwrap();
    grads.collect(&total, one(), tape, &inputs.iter().collect::<Vec<_>>()).unwrap();
    for input in 0..inputs.len() {
        let gradient = grads.to_host(input).unwrap();
        let largest = gradient.iter().fold(0.0f32, |a, g| a.max(g.abs()));
        for (i, &g) in gradient.iter().enumerate() {
            let at = |inputs: &mut Vec<Matrix<Cpu>>, step: f32| {
                let kept = tensor::slice(&inputs[input])[i];
                tensor::slice_mut(&mut inputs[input])[i] = kept + step;
                let value = run(inputs).1;
                tensor::slice_mut(&mut inputs[input])[i] = kept;
                value
            };
            let slope = (at(&mut inputs, STEP) - at(&mut inputs, -STEP)) / f64::from(2.0 * STEP);
            let off = (slope - f64::from(g)).abs() / f64::from(largest.max(1e-3));
            assert!(off < tolerance, "input {input}, element {i}: gradient {g}, slope {slope}");
        }
    }
}
