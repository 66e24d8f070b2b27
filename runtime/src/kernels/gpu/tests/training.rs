//! A small network trained by the kernels, with products of floats and of halves.

use super::*;
use crate::kernels::adamw::{self, Hyper, Rates};
use crate::kernels::token_loss::{Described, Own, TokenLoss};
use crate::kernels::{gelu, linear, vocabulary_loss};
use crate::models::LossScale;
use crate::stages::loss::described::own;
use crate::stages::loss::row::StudentRow;

/// Rows, numbers of an input, of the hidden layer, and tokens.
const ROWS: usize = 24;
const INNER: usize = 16;
const HIDDEN: usize = 40;
const TOKENS: usize = 33;
/// How many numbers each weight has.
const WEIGHTS: [usize; 3] = [HIDDEN * INNER, INNER * HIDDEN, TOKENS * INNER];

struct Targets;

impl TokenLoss for Targets {
    fn row(&self, row: usize, logits: &[f32], grad: Option<&mut [f32]>) -> f64 {
        let mut student = match grad {
            Some(grad) => StudentRow::traced(logits, row * 7 % TOKENS, grad),
            None => StudentRow::whole(logits, row * 7 % TOKENS),
        };
        student.push_log_prob(-1.0);
        -f64::from(student.log_prob())
    }

    fn described(&self, row: usize) -> Option<Described<'_>> {
        Some(Described { sampled: (row * 7 % TOKENS) as u32, ..own(Own::CrossEntropy) })
    }
}

/// `head · W₂ gelu(W₁ x)`, with the moments of its weights.
struct Network<'a> {
    gpu: &'a Emulated,
    x: Guarded,
    weights: [Guarded; 3],
    moments: [[Guarded; 2]; 3],
    updates: u64,
    scale: LossScale,
}

impl<'a> Network<'a> {
    fn new(gpu: &'a Emulated, scale: LossScale) -> Self {
        let weight = |(count, minor)| {
            let values: Vec<f32> = random(count, minor).iter().map(|x| 0.3 * x).collect();
            on(gpu, &values)
        };
        Self {
            gpu,
            x: on(gpu, &random(ROWS * INNER, 9)),
            weights: [(WEIGHTS[0], 1), (WEIGHTS[1], 2), (WEIGHTS[2], 3)].map(weight),
            moments: WEIGHTS.map(|count| [0; 2].map(|_| on(gpu, &vec![0.0; count]))),
            updates: 0,
            scale,
        }
    }

    /// The mean loss of all rows, and the scaled gradients of the weights.
    fn backward(&self, weight: f32) -> (f64, [Guarded; 3]) {
        let (gpu, [first, second, head]) = (self.gpu, self.weights.each_ref().map(|weight| weight.at()));
        let zeros = |count: usize| on(gpu, &vec![0.0; count]);
        let [a, b, y] = [HIDDEN, HIDDEN, INNER].map(|width| gpu.words(ROWS * width).unwrap());
        let (up, down) = ([ROWS, INNER, HIDDEN], [ROWS, HIDDEN, INNER]);
        linear::gpu::linear(gpu, self.x.at(), first.into(), None, a.at(), up).unwrap();
        gelu::gpu::gelu(gpu, a.at(), b.at(), ROWS * HIDDEN).unwrap();
        linear::gpu::linear(gpu, b.at(), second.into(), None, y.at(), down).unwrap();
        let grads = WEIGHTS.map(zeros);
        let [g_x, g_a, g_b, g_y] = [INNER, HIDDEN, HIDDEN, INNER].map(|width| zeros(ROWS * width));
        let weights = [weight * self.scale.scale(); ROWS];
        let into = Some((g_y.at(), Some(grads[2].at())));
        let sizes = [ROWS, INNER, TOKENS];
        let losses =
            vocabulary_loss::gpu::vocabulary_loss(gpu, [y.at(), head], sizes, &weights, &Targets, into);
        linear::gpu::linear_learn(gpu, [b.at(), g_y.at()], grads[1].at(), None, down).unwrap();
        linear::gpu::linear_backward(gpu, [second, g_y.at()], g_b.at(), down).unwrap();
        gelu::gpu::gelu_backward(gpu, [a.at(), g_b.at()], g_a.at(), ROWS * HIDDEN).unwrap();
        linear::gpu::linear_learn(gpu, [self.x.at(), g_a.at()], grads[0].at(), None, up).unwrap();
        linear::gpu::linear_backward(gpu, [first, g_a.at()], g_x.at(), up).unwrap();
        (losses.unwrap().iter().sum::<f64>() / ROWS as f64, grads)
    }

    /// One step as a run makes it; the loss before it, and whether it was skipped.
    fn step(&mut self) -> (f64, bool) {
        let (loss, grads) = self.backward(1.0 / ROWS as f32);
        let squares = grads
            .iter()
            .zip(WEIGHTS)
            .map(|(g, count)| adamw::gpu::sum_squares(self.gpu, g.at(), count).unwrap());
        let scale = f64::from(self.scale.scale());
        let norm = squares.sum::<f64>().sqrt() / scale;
        if !norm.is_finite() {
            assert!(self.scale.skip(), "no scale was small enough");
            return (loss, true);
        }
        self.scale.kept();
        self.updates += 1;
        let grad_scale = norm.max(1.0).recip() / scale;
        let hyper = Hyper { lr: 0.02, weight_decay: 0.0, grad_scale, ..Hyper::default() };
        let rates = Rates::new(&hyper, self.updates, false);
        let all = self.weights.iter().zip(&self.moments).zip(grads.iter().zip(WEIGHTS));
        for ((weight, [first, second]), (g, count)) in all {
            let all = [weight.at(), g.at(), first.at(), second.at()];
            adamw::gpu::adamw(self.gpu, all, &rates, count).unwrap();
        }
        (loss, false)
    }

    fn steps(&mut self, count: usize) -> Vec<f64> {
        (0..count).map(|_| self.step().0).collect()
    }

    fn bits(&self) -> Vec<u32> {
        let all = self.weights.iter().zip(WEIGHTS);
        all.flat_map(|(weight, count)| floats(self.gpu, weight, count)).map(f32::to_bits).collect()
    }
}

/// Each factor of a product is off by 2^-11 = 5e-4 of itself at most, to either side as chance has it. A logit is a sum of
/// many such products, and a loss the mean of many rows, so that most of it cancels: no loss may be off by more than one
/// factor is, as a share of the first loss. (6e-5 is what it was when this was written.)
#[test]
fn losses_over_some_steps_are_those_of_floats() {
    for gpu in Emulated::both() {
        let floats = Network::new(&gpu, LossScale::starting_at(0)).steps(40);
        let halved = gpu.of_halves();
        let mut network = Network::new(&halved, LossScale::starting_at(12));
        let found = network.steps(40);
        assert_eq!(network.scale.skipped(), 0);
        assert!(floats[39] < 0.2 * floats[0], "nothing was learnt: {floats:?}");
        assert_ne!(floats, found, "nothing was rounded");
        let most = found.iter().zip(&floats).map(|(a, b)| (a - b).abs() / floats[0]).fold(0.0, f64::max);
        assert!(most < 5e-4, "{most}\n{found:?}\n{floats:?}");
    }
}

#[test]
fn a_scale_that_is_too_large_is_halved_until_gradients_fit() {
    for gpu in Emulated::both().into_iter().map(Emulated::of_halves) {
        let mut network = Network::new(&gpu, LossScale::starting_at(24));
        let before = network.bits();
        let mut skipped = 0;
        while network.step().1 {
            skipped += 1;
            assert_eq!(before, network.bits(), "a step that is skipped moves nothing");
        }
        assert!(skipped > 0, "the largest scale overflows halves");
        assert_eq!((network.scale.skipped(), network.updates), (skipped, 1));
        assert_ne!(before, network.bits());
        // from there on it is a network that began with this scale
        let mut other = Network::new(&gpu, LossScale::starting_at(24 - skipped as u8));
        assert_eq!(other.steps(1).len(), 1);
        assert_eq!(network.steps(10), other.steps(10));
        assert_eq!(network.bits(), other.bits());
    }
}

/// A token's share of a large batch's loss is small: without a scale its gradient is lost.
#[test]
fn gradients_that_halves_would_lose_are_kept_by_a_scale() {
    for gpu in Emulated::both() {
        let share = 2e-8;
        let of = |gpu: &Emulated, scale: LossScale| -> Vec<f32> {
            let (_, grads) = Network::new(gpu, scale).backward(share);
            floats(gpu, &grads[0], WEIGHTS[0]).iter().map(|g| g / scale.scale()).collect()
        };
        let (one, large) = (LossScale::starting_at(0), LossScale::default());
        let expected = of(&gpu, one);
        agree("floats, scaled", &of(&gpu, large), &expected, 1e-6);
        let lost = of(&gpu.of_halves(), one);
        assert!(lost.iter().all(|&g| g == 0.0), "halves hold nothing below 2^-25");
        agree("halves, scaled", &of(&gpu.of_halves(), large), &expected, 1e-2);
    }
}
