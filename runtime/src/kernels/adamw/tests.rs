use super::*;
use crate::kernels::check;
use crate::models::tests::tiny;
use crate::models::Decoder;
use crate::tensor::{self, Cpu, Grads};

#[test]
fn an_update_is_the_formula_of_torch() {
    let device = Cpu::default();
    let hyper = Hyper { lr: 0.01, beta1: 0.9, beta2: 0.98, eps: 1e-6, weight_decay: 0.1, grad_scale: 0.5 };
    let (mut p, mut m, mut v) = (check::matrix(3, 7, 1), check::matrix(3, 7, 2), check::matrix(3, 7, 3));
    tensor::slice_mut(&mut m).fill(0.0);
    tensor::slice_mut(&mut v).fill(0.0);
    let mut expected: Vec<(f64, f64, f64)> =
        tensor::slice(&p).iter().map(|&p| (f64::from(p), 0.0, 0.0)).collect();
    for step in 1..=5 {
        let gradient = check::matrix(3, 7, 10 + step);
        let mut grads = Grads::zeros(&device, [&gradient]).unwrap();
        grads.fill(0, tensor::slice(&gradient));
        device.adamw(&mut p, grads.buffer(0), &mut m, &mut v, &Rates::new(&hyper, step, true)).unwrap();
        for ((p, m, v), &g) in expected.iter_mut().zip(tensor::slice(&gradient)) {
            let g = f64::from(g) * 0.5;
            *p *= 1.0 - 0.01 * 0.1;
            *m = 0.9 * *m + 0.1 * g;
            *v = 0.98 * *v + 0.02 * g * g;
            let (mean, square) =
                (*m / (1.0 - 0.9f64.powi(step as i32)), *v / (1.0 - 0.98f64.powi(step as i32)));
            *p -= 0.01 * mean / (square.sqrt() + 1e-6);
        }
        for (&p, (e, _, _)) in tensor::slice(&p).iter().zip(&expected) {
            assert!((f64::from(p) - e).abs() < 1e-6, "{p} {e}");
        }
    }
}

#[test]
fn moments_come_back_as_they_were_and_strangers_are_refused() {
    let mut decoder = Decoder::random(&tiny(), 1, &Cpu::default()).unwrap();
    let mut moments = Moments::new(&decoder).unwrap();
    let mut grads = decoder.zero_grads().unwrap();
    let first = check::matrix(1, grads.to_host(0).unwrap().len(), 5);
    grads.fill(0, tensor::slice(&first));
    let norm = tensor::slice(&first).iter().map(|&g| f64::from(g).powi(2)).sum::<f64>().sqrt();
    assert!((grad_norm(&decoder, &grads).unwrap() - norm).abs() < 1e-9);
    let before = decoder.parameters()[1].to_host();
    moments.update(&mut decoder, &grads, &Hyper::default(), |name| name.contains("embed")).unwrap();
    assert_eq!(before, decoder.parameters()[1].to_host(), "no gradient, no decay: no change");
    let saved = moments.export(&decoder);
    let again = Moments::import(&decoder, moments.steps(), saved.iter().rev().cloned().collect()).unwrap();
    assert_eq!((again.steps(), again.export(&decoder)), (1, saved.clone()));
    let refused = |saved: Vec<Moment>| Moments::import(&decoder, 1, saved).unwrap_err().to_string();
    assert!(refused(saved[1..].to_vec()).contains("embed_tokens"));
    let mut wrong = saved.clone();
    wrong[0].second.pop();
    assert!(refused(wrong).contains("values for"));
    let mut twice = saved.clone();
    twice.push(saved[0].clone());
    assert!(refused(twice).contains("twice"));
    let mut surplus = saved;
    surplus.push(Moment { name: "other".into(), first: vec![], second: vec![] });
    assert!(refused(surplus).contains("other"));
}
