use super::*;
use crate::kernels::check;
use crate::kernels::linear::linear;
use crate::kernels::token_loss::token_loss;
use crate::tensor::{Cpu, Grads, NoneTape, OwnedTape};
use std::sync::{Arc, Mutex};

/// ln Σ e^x − x₀: cross-entropy with the first token; infinite in row 1.
struct First;

impl TokenLoss for First {
    fn row(&self, row: usize, logits: &[f32], grad: Option<&mut [f32]>) -> f64 {
        let sum: f64 = logits.iter().map(|&x| f64::from(x).exp()).sum();
        if let Some(grad) = grad {
            assert!(grad.iter().all(|&g| g == 0.0), "a gradient comes zeroed");
            grad.iter_mut().zip(logits).for_each(|(g, &x)| *g = (f64::from(x).exp() / sum) as f32);
            grad[0] -= 1.0;
        }
        match row {
            1 => f64::INFINITY,
            _ => sum.ln() - f64::from(logits[0]),
        }
    }
}

/// All logits at once, on a tape: losses, and the gradients of hidden states and output layer.
fn dense(hidden: &Matrix<Cpu>, head: &Matrix<Cpu>, weights: &[f32]) -> (Vec<f64>, [Vec<f32>; 2]) {
    let mut tape = OwnedTape::<Cpu>::default();
    let logits = linear(&mut tape, hidden, head, None).unwrap();
    let loss: Arc<dyn TokenLoss> = Arc::new(First);
    let (total, losses) = token_loss(&mut tape, &logits, weights, &loss).unwrap();
    let mut grads = Grads::zeros(hidden.device(), [hidden, head]).unwrap();
    grads.collect(&total, check::one(), tape, &[hidden, head]).unwrap();
    (losses, [0, 1].map(|i| grads.to_host(i).unwrap()))
}

#[test]
fn some_rows_at_a_time_give_the_bits_of_all_at_once() {
    // more rows than one lot, and a vocabulary that is no multiple of anything
    for (rows, inner, width) in [(5, 7, 3), (400, 24, 101), (530, 16, 1030)] {
        let (hidden, head) = (check::matrix(rows, inner, 1), check::matrix(width, inner, 2));
        let weights: Vec<f32> = (0..rows).map(|r| if r == 1 { 0.0 } else { (r % 5) as f32 * 0.1 }).collect();
        let (losses, expected) = dense(&hidden, &head, &weights);
        let zeros = |len: usize| tensor::zeros(hidden.device(), len).unwrap();
        let (mut g_hidden, mut g_head) = (zeros(rows * inner), zeros(width * inner));
        let into = HeadGradients { hidden: &mut g_hidden, head: Some(&mut g_head) };
        assert_eq!(vocabulary_loss(&hidden, &head, &weights, &First, Some(into)).unwrap(), losses);
        assert_eq!([g_hidden.to_vec(), g_head.to_vec()], expected);
        assert_eq!(vocabulary_loss(&hidden, &head, &weights, &First, None).unwrap(), losses);
        let seen = Mutex::new(vec![Vec::new(); rows]);
        each_row(&hidden, &head, &|row, logits| seen.lock().unwrap()[row] = logits.to_vec()).unwrap();
        let logits = linear(&mut NoneTape, &hidden, &head, None).unwrap();
        assert_eq!(seen.into_inner().unwrap().concat(), tensor::slice(&logits));
    }
}

#[test]
fn gradients_are_added_and_an_output_layer_that_does_not_learn_has_none() {
    let (hidden, head) = (check::matrix(4, 6, 1), check::matrix(9, 6, 2));
    let weights = [1.0; 4];
    let (_, [expected, _]) = dense(&hidden, &head, &weights);
    let mut g_hidden = tensor::zeros(hidden.device(), 24).unwrap();
    for times in [1.0, 2.0] {
        let into = HeadGradients { hidden: &mut g_hidden, head: None };
        vocabulary_loss(&hidden, &head, &weights, &First, Some(into)).unwrap();
        for (g, once) in g_hidden.iter().zip(&expected) {
            assert!((g - times * once).abs() < 1e-6);
        }
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let (hidden, head) = (check::matrix(4, 6, 1), check::matrix(9, 5, 2));
    assert!(vocabulary_loss(&hidden, &head, &[1.0; 4], &First, None).is_err());
    assert!(each_row(&hidden, &head, &|_, _| ()).is_err());
    let head = check::matrix(9, 6, 2);
    assert!(vocabulary_loss(&hidden, &head, &[1.0; 3], &First, None).is_err());
}
