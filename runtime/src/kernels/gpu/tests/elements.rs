use super::*;
use crate::kernels::adamw::{self, AdamWKernel, Hyper, Rates};
use crate::kernels::add::{self, AddKernel};
use crate::kernels::rms_norm::{self, RmsNormKernel};
use crate::kernels::select_rows::{self, SelectKernel};
use crate::kernels::swiglu::{self, SwigluKernel};

#[test]
fn sums_and_gates() {
    let cpu = Cpu::default();
    for (rows, columns) in [(1, 1), (3, 257), (40, 129)] {
        let (a, b) = (check::matrix(rows, columns, 1), check::matrix(rows, columns, 2));
        let count = rows * columns;
        let [g, before] = [3, 4].map(|minor| random(count, minor));
        let found = in_both_orders(|gpu| {
            let (x, y, g) = (matrix_on(gpu, &a), matrix_on(gpu, &b), on(gpu, &g));
            let [sum, gated] = [gpu.words(count).unwrap(), gpu.words(count).unwrap()];
            let [of_gate, of_up] = [gpu.words(count).unwrap(), gpu.words(count).unwrap()];
            let total = on(gpu, &before);
            add::gpu::add(gpu, [x.at(), y.at()], -1.5, sum.at(), count).unwrap();
            add::gpu::accumulate(gpu, total.at(), g.at(), 0.25, count).unwrap();
            swiglu::gpu::swiglu(gpu, [x.at(), y.at()], gated.at(), count).unwrap();
            let to = [of_gate.at(), of_up.at()];
            swiglu::gpu::swiglu_backward(gpu, [x.at(), y.at(), g.at()], to, count).unwrap();
            [&sum, &gated, &of_gate, &of_up, &total].map(|memory| floats(gpu, memory, count)).to_vec()
        });
        let Some(found) = found else { return };
        agree("add", &found[0], tensor::slice(&cpu.add(&a, &b, -1.5).unwrap()), 1e-6);
        agree("swiglu", &found[1], tensor::slice(&cpu.swiglu(&a, &b).unwrap()), 1e-6);
        let [g_a, g_b] = cpu.swiglu_backward(&a, &b, &buffer(&g)).unwrap();
        let mut sum = buffer(&before);
        cpu.accumulate(&mut sum, &buffer(&g), 0.25).unwrap();
        agree("gate", &found[2], &g_a, 1e-6);
        agree("up", &found[3], &g_b, 1e-6);
        agree("accumulate", &found[4], &sum, 1e-6);
    }
}

#[test]
fn norms_of_rows_and_of_heads() {
    let cpu = Cpu::default();
    for (rows, columns, width) in [(1, 8, 8), (5, 300, 300), (70, 96, 32), (3, 520, 130)] {
        let (x, weight) = (check::matrix(rows, columns, 1), check::matrix(1, width, 2));
        let (count, sizes) = (rows * columns, [rows * columns / width, width]);
        let [g, before, of_weight] = [(count, 3), (count, 4), (width, 5)].map(|(n, minor)| random(n, minor));
        let found = in_both_orders(|gpu| {
            let (x, w, g) = (matrix_on(gpu, &x), matrix_on(gpu, &weight), on(gpu, &g));
            let (y, g_x, g_w) = (gpu.words(count).unwrap(), on(gpu, &before), on(gpu, &of_weight));
            rms_norm::gpu::rms_norm(gpu, [x.at(), w.at()], 1e-5, y.at(), sizes).unwrap();
            let (given, to) = ([x.at(), w.at(), g.at()], [g_x.at(), g_w.at()]);
            rms_norm::gpu::rms_norm_backward(gpu, given, 1e-5, to, sizes).unwrap();
            vec![floats(gpu, &y, count), floats(gpu, &g_x, count), floats(gpu, &g_w, width)]
        });
        let Some(found) = found else { return };
        agree("rms_norm", &found[0], tensor::slice(&cpu.rms_norm(&x, &weight, 1e-5).unwrap()), 2e-6);
        let (mut g_x, mut g_w) = (buffer(&before), buffer(&of_weight));
        cpu.rms_norm_backward(&x, &weight, 1e-5, &buffer(&g), &mut g_x, &mut g_w).unwrap();
        agree("of x", &found[1], &g_x, 2e-6);
        agree("of the weight", &found[2], &g_w, 1e-5);
    }
}

#[test]
fn rows_again_and_again() {
    let cpu = Cpu::default();
    for (rows, width) in
        [(vec![3, 0, 3, 4, 3, 1], 70), (vec![2], 1), (vec![], 5), ((0..90).map(|i| i * 7 % 5).collect(), 33)]
    {
        let (x, g, before) =
            (check::matrix(5, width, 1), random(rows.len() * width, 2), random(5 * width, 3));
        let found = in_both_orders(|gpu| {
            let (x, g, g_x) = (matrix_on(gpu, &x), on(gpu, &g), on(gpu, &before));
            let y = gpu.words(rows.len() * width).unwrap();
            select_rows::gpu::select(gpu, x.at(), &rows, y.at(), width).unwrap();
            select_rows::gpu::select_backward(gpu, &rows, width, g.at(), g_x.at()).unwrap();
            vec![floats(gpu, &y, rows.len() * width), floats(gpu, &g_x, 5 * width)]
        });
        let Some(found) = found else { return };
        assert_eq!(found[0], tensor::slice(&cpu.select(&x, &rows).unwrap()));
        let mut g_x = buffer(&before);
        cpu.select_backward(&rows, width, &buffer(&g), &mut g_x).unwrap();
        assert_eq!(found[1], *g_x, "the same sums in the same order");
    }
}

#[test]
fn updates_norms_and_what_is_not_finite() {
    let cpu = Cpu::default();
    let hyper = Hyper { lr: 0.01, weight_decay: 0.1, grad_scale: 0.5, ..Hyper::default() };
    for count in [1, 300, 5000] {
        let rates = Rates::new(&hyper, 3, true);
        let (mut p, mut m) = (check::matrix(1, count, 1), check::matrix(1, count, 2));
        let mut v = check::matrix(1, count, 3);
        tensor::slice_mut(&mut v).iter_mut().for_each(|v| *v *= *v);
        let g = random(count, 4);
        let found = in_both_orders(|gpu| {
            let all = [matrix_on(gpu, &p), on(gpu, &g), matrix_on(gpu, &m), matrix_on(gpu, &v)];
            adamw::gpu::adamw(gpu, all.each_ref().map(Held::at), &rates, count).unwrap();
            let squares = adamw::gpu::sum_squares(gpu, all[1].at(), count).unwrap();
            let direct: f64 = g.iter().map(|&g| f64::from(g).powi(2)).sum();
            assert!((squares / direct - 1.0).abs() < 1e-12);
            assert!(adamw::gpu::is_finite(gpu, all[1].at(), count).unwrap());
            let mut wrong = g.clone();
            wrong[count / 2] = f32::NEG_INFINITY;
            assert!(!adamw::gpu::is_finite(gpu, on(gpu, &wrong).at(), count).unwrap());
            [0, 2, 3].map(|i| floats(gpu, &all[i], count)).to_vec()
        });
        let Some(found) = found else { return };
        cpu.adamw(&mut p, &buffer(&g), &mut m, &mut v, &rates).unwrap();
        for (found, expected) in found.iter().zip([&p, &m, &v]) {
            agree("adamw", found, tensor::slice(expected), 1e-6);
        }
    }
}
