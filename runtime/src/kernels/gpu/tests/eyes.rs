use super::*;
use crate::kernels::gelu::{self, GeluKernel};
use crate::kernels::layer_norm::{self, LayerNormKernel};
use crate::kernels::splice::{self, SpliceKernel};

#[test]
fn gelu_and_its_gradient() {
    let cpu = Cpu::default();
    for (rows, columns) in [(1, 1), (3, 257)] {
        let (x, count) = (check::matrix(rows, columns, 1), rows * columns);
        let g = random(count, 2);
        let found = in_both_orders(|gpu| {
            let (x, g) = (matrix_on(gpu, &x), on(gpu, &g));
            let [y, g_x] = [gpu.words(count).unwrap(), gpu.words(count).unwrap()];
            gelu::gpu::gelu(gpu, x.at(), y.at(), count).unwrap();
            gelu::gpu::gelu_backward(gpu, [x.at(), g.at()], g_x.at(), count).unwrap();
            [&y, &g_x].map(|memory| floats(gpu, memory, count)).to_vec()
        });
        let Some(found) = found else { return };
        agree("gelu", &found[0], tensor::slice(&cpu.gelu(&x).unwrap()), 1e-6);
        let g_x = cpu.gelu_backward(&x, &buffer(&g)).unwrap();
        agree("of x", &found[1], &g_x, 2e-6);
    }
}

#[test]
fn layer_norms() {
    let cpu = Cpu::default();
    for (rows, width) in [(1, 8), (5, 300), (70, 33)] {
        let x = check::matrix(rows, width, 1);
        let [weight, bias] = [2, 3].map(|minor| check::matrix(1, width, minor));
        let g = random(rows * width, 4);
        let before = [(rows * width, 5), (width, 6), (width, 7)].map(|(n, minor)| random(n, minor));
        let found = in_both_orders(|gpu| {
            let [x, w, b] = [&x, &weight, &bias].map(|m| matrix_on(gpu, m));
            let (g, y) = (on(gpu, &g), gpu.words(rows * width).unwrap());
            let into = before.each_ref().map(|values| on(gpu, values));
            layer_norm::gpu::layer_norm(gpu, [x.at(), w.at(), b.at()], 1e-5, y.at(), [rows, width]).unwrap();
            let (given, to) = ([x.at(), w.at(), g.at()], into.each_ref().map(Held::at));
            layer_norm::gpu::layer_norm_backward(gpu, given, 1e-5, to, [rows, width]).unwrap();
            let all = [&y, &into[0], &into[1], &into[2]].into_iter();
            all.zip([rows * width, rows * width, width, width]).map(|(m, n)| floats(gpu, m, n)).collect()
        });
        let Some(found) = found else { return };
        agree(
            "layer_norm",
            &found[0],
            tensor::slice(&cpu.layer_norm(&x, &weight, &bias, 1e-5).unwrap()),
            5e-6,
        );
        let mut into = before.each_ref().map(|values| buffer(values));
        cpu.layer_norm_backward(&x, &weight, 1e-5, &buffer(&g), into.each_mut()).unwrap();
        for ((name, found), expected) in
            ["of x", "of the weight", "of the bias"].iter().zip(&found[1..]).zip(&into)
        {
            agree(name, found, expected, 1e-5);
        }
    }
}

#[test]
fn rows_in_the_places_of_others() {
    let cpu = Cpu::default();
    for (count, width, places) in [(6, 70, vec![1, 2, 5]), (3, 1, vec![]), (2, 40, vec![0, 1])] {
        let (into, rows) = (check::matrix(count, width, 1), check::matrix(places.len(), width, 2));
        let g = random(count * width, 3);
        let before = [count, places.len()].map(|rows| random(rows * width, 4));
        let sizes = [count, width];
        let found = in_both_orders(|gpu| {
            let [x, own] = [&into, &rows].map(|m| matrix_on(gpu, m));
            let (g, y) = (on(gpu, &g), gpu.words(count * width).unwrap());
            let to = before.each_ref().map(|values| on(gpu, values));
            splice::gpu::splice(gpu, [x.at(), own.at()], &places, y.at(), sizes).unwrap();
            splice::gpu::splice_backward(gpu, &places, g.at(), to.each_ref().map(Held::at), sizes).unwrap();
            let all = [&y, &to[0], &to[1]].into_iter().zip([count, count, places.len()]);
            all.map(|(m, rows)| floats(gpu, m, rows * width)).collect()
        });
        let Some(found) = found else { return };
        assert_eq!(found[0], tensor::slice(&cpu.splice(&into, &rows, &places).unwrap()));
        let [mut g_into, mut g_rows] = before.each_ref().map(|values| buffer(values));
        cpu.splice_backward(&places, width, &buffer(&g), &mut g_into, &mut g_rows).unwrap();
        assert_eq!(found[1..], [g_into.to_vec(), g_rows.to_vec()]);
    }
}
