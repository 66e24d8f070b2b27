use super::*;
use crate::kernels::linear::{self, LinearKernel};
use crate::kernels::sample::{self, SampleKernel};
use crate::models::Sampling;

#[test]
fn the_linear_layer() {
    let cpu = Cpu::default();
    for (rows, inner, outer) in [(1, 3, 5), (9, 10, 7), (130, 33, 140)] {
        let (x, weight) = (check::matrix(rows, inner, 1), check::matrix(outer, inner, 2));
        let (bias, g) = (check::matrix(1, outer, 3), random(rows * outer, 4));
        let before = [rows * inner, outer * inner, outer].map(|count| random(count, 5));
        let sizes = [rows, inner, outer];
        let found = in_both_orders(|gpu| {
            let (x, w, b, g) =
                (matrix_on(gpu, &x), matrix_on(gpu, &weight), matrix_on(gpu, &bias), on(gpu, &g));
            let [plain, biased] = [0; 2].map(|_| gpu.words(rows * outer).unwrap());
            let [g_x, g_w, g_b] = before.each_ref().map(|values| on(gpu, values));
            linear::gpu::linear(gpu, x.at(), w.at().into(), None, plain.at(), sizes).unwrap();
            linear::gpu::linear(gpu, x.at(), w.at().into(), Some(b.at()), biased.at(), sizes).unwrap();
            linear::gpu::linear_backward(gpu, [w.at(), g.at()], g_x.at(), sizes).unwrap();
            linear::gpu::linear_learn(gpu, [x.at(), g.at()], g_w.at(), Some(g_b.at()), sizes).unwrap();
            let counts = [rows * outer, rows * outer, rows * inner, outer * inner, outer];
            [&plain, &biased, &g_x, &g_w, &g_b].iter().zip(counts).map(|(m, n)| floats(gpu, m, n)).collect()
        });
        let Some(found) = found else { return };
        let of = |bias| tensor::to_host(&cpu.linear(&x, &weight, None, bias).unwrap());
        agree("linear", &found[0], &of(None), 2e-6);
        agree("with a bias", &found[1], &of(Some(&bias)), 2e-6);
        let [g_x, mut g_w, mut g_b] = before.each_ref().map(|values| buffer(values));
        let g_x = cpu.linear_backward(&weight, &buffer(&g), Some(g_x)).unwrap();
        cpu.linear_learn(&x, &buffer(&g), &mut g_w, Some(&mut g_b)).unwrap();
        agree("of x", &found[2], &g_x, 5e-6);
        agree("of the weight", &found[3], &g_w, 5e-6);
        agree("of the bias", &found[4], &g_b, 5e-6);
    }
}

#[test]
fn tokens_are_those_of_the_cpu() {
    let cpu = Cpu::default();
    let settings = [
        (1.0, 1.0, 0),
        (0.0, 1.0, 0),
        (0.7, 1.0, 5),
        (1.3, 0.6, 0),
        (1.0, 0.8, 12),
        (2.0, 0.0, 0),
        (1.0, 0.3, 1),
    ];
    for width in [1, 2, 33, 300] {
        for (temperature, top_p, top_k) in settings {
            let rows = 12;
            let mut logits = check::matrix(rows, width, 1);
            // rounded, so that there are equals; and one row that is no distribution
            tensor::slice_mut(&mut logits).iter_mut().for_each(|z| *z = (*z * 4.0).round() / 2.0);
            tensor::slice_mut(&mut logits)[7 * width] = f32::NAN;
            let uniforms: Vec<f64> = (0..rows).map(|row| (row as f64 * 0.382) % 1.0).collect();
            let sampling = Sampling { temperature, top_p, top_k, ..Sampling::default() };
            let expected = cpu.draw(&logits, &sampling, &uniforms).unwrap();
            let found = in_both_orders(|gpu| {
                let z = matrix_on(gpu, &logits);
                let drawn = sample::gpu::sample(gpu, z.at(), width, &sampling, &uniforms).unwrap();
                for (row, (found, expected)) in drawn.iter().zip(&expected).enumerate() {
                    assert_eq!(
                        found.map(|it| it.token),
                        expected.map(|it| it.token),
                        "{sampling:?}, row {row} of {width}"
                    );
                }
                vec![drawn.iter().map(|it| it.map_or(0.0, |it| it.log_prob)).collect()]
            });
            let Some(found) = found else { return };
            let log_probs: Vec<f32> = expected.iter().map(|it| it.map_or(0.0, |it| it.log_prob)).collect();
            agree("log-probabilities", &found[0], &log_probs, 1e-6);
        }
    }
}
