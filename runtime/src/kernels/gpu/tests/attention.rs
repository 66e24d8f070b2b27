use super::*;
use crate::kernels::attention::{self, AttentionKernel, Heads, Layout, Rates, Rotary, Span};
use crate::kernels::decode_attention::{self, CacheShape, DecodeKernel, Place};
use std::sync::Arc;

/// Ragged spans: one alone, a prompt with three answers (one of them empty), a long one.
fn spans() -> Vec<Span> {
    let after = |rows| Span { after: 3..23, rows };
    vec![
        Span::alone(0..3),
        Span::alone(3..23),
        after(23..24),
        after(24..24),
        after(24..59),
        Span::alone(59..60),
        Span::alone(60..130),
    ]
}

#[test]
fn attention_and_its_gradients() {
    let cpu = Cpu::default();
    let causal = [(2, 1, 6), (4, 2, 32), (3, 3, 48), (2, 1, 128), (2, 2, 144)].map(|sizes| (sizes, true));
    let not = [(4, 2, 32), (2, 1, 96)].map(|sizes| (sizes, false));
    for ((query, shared, width), causal) in causal.into_iter().chain(not) {
        let heads = Heads { query, shared, width };
        let rotary = Arc::new(Rotary::new(80, &Rates::of(width, 100.0)));
        let layout = Layout { heads, spans: spans().into(), rotary, causal };
        let (rows, wide, narrow) = (130, query * width, shared * width);
        let q = check::matrix(rows, wide, 1);
        let [k, v] = [2, 3].map(|minor| check::matrix(rows, narrow, minor));
        let g = random(rows * wide, 4);
        let before = [wide, narrow, narrow].map(|columns| random(rows * columns, 5));
        let found = in_both_orders(|gpu| {
            let [q, k, v] = [&q, &k, &v].map(|m| matrix_on(gpu, m));
            let (out, g) = (gpu.words(rows * wide).unwrap(), on(gpu, &g));
            let into = before.each_ref().map(|values| on(gpu, values));
            let given = [q.at(), k.at(), v.at()];
            let kept = attention::gpu::attention(gpu, given, &layout, out.at()).unwrap();
            let (given, to) = ([v.at(), out.at(), g.at()], into.each_ref().map(Held::at));
            attention::gpu::attention_backward(gpu, &kept, given, &layout, to).unwrap();
            let columns = [wide, wide, narrow, narrow];
            [&out, &into[0], &into[1], &into[2]]
                .iter()
                .zip(columns)
                .map(|(m, n)| floats(gpu, m, rows * n))
                .collect()
        });
        let Some(found) = found else { return };
        let (out, kept) = cpu.attention(&q, &k, &v, &layout).unwrap();
        agree("attention", &found[0], tensor::slice(&out), 5e-6);
        let mut into = before.each_ref().map(|values| buffer(values));
        let to = into.each_mut();
        cpu.attention_backward(&kept, &v, &layout, &buffer(&g), to).unwrap();
        for ((name, found), expected) in ["of q", "of k", "of v"].iter().zip(&found[1..]).zip(&into) {
            agree(&format!("{name}, {heads:?}, causal {causal}"), found, expected, 2e-5);
        }
    }
}

#[test]
fn one_position_at_a_time() {
    let cpu = Cpu::default();
    for (query, shared, width) in [(4, 2, 6), (2, 2, 40), (3, 1, 256)] {
        let heads = Heads { query, shared, width };
        let (prompts, room) = (vec![3, 35, 8], 6);
        let shape =
            CacheShape { layers: 2, heads, prompts: prompts.clone(), rows: vec![0, 1, 1, 2, 0], room };
        let rotary = Arc::new(Rotary::new(35 + room, &Rates::of(width, 100.0)));
        // two prompts are read together, the third by itself
        let layouts = [vec![Span::alone(0..3), Span::alone(3..38)], vec![Span::alone(0..8)]]
            .map(|spans| Layout { heads, spans: spans.into(), rotary: Arc::clone(&rotary), causal: true });
        let step = |places: &[usize], minor: u64| {
            [query, shared, shared]
                .map(|count| check::matrix(places.len(), count * width, minor + count as u64))
        };
        // rows leave as they do in a rollout
        let steps: Vec<Vec<usize>> = vec![vec![0, 1, 2, 3, 4], vec![0, 2, 3, 4], vec![2, 4], vec![2]];
        let mut expected = Vec::new();
        let mut cache = cpu.cache(shape.clone(), Arc::clone(&rotary)).unwrap();
        let places = |rows: &[usize], added: usize| -> Vec<Place> {
            rows.iter().map(|&row| Place { row, added }).collect()
        };
        for layer in 0..2u64 {
            for (first, layout) in [(0, &layouts[0]), (2, &layouts[1])] {
                let rows = layout.spans.last().unwrap().rows.end;
                let [k, v] =
                    [30, 40].map(|minor| check::matrix(rows, shared * width, minor + layer + first as u64));
                cpu.remember(&mut cache, layer as usize, first, [&k, &v], layout).unwrap();
            }
        }
        for (added, rows) in steps.iter().enumerate() {
            for layer in 0..2 {
                let qkv = step(rows, 100 * added as u64 + 50 * layer as u64);
                let y =
                    cpu.decode_attention(&mut cache, layer, qkv.each_ref(), &places(rows, added)).unwrap();
                expected.push(tensor::to_host(&y));
            }
        }
        let found = in_both_orders(|gpu| {
            let mut cache = decode_attention::gpu::cache(gpu, shape.clone(), &rotary).unwrap();
            for layer in 0..2u64 {
                for (first, layout) in [(0, &layouts[0]), (2, &layouts[1])] {
                    let rows = layout.spans.last().unwrap().rows.end;
                    let kv = [30, 40].map(|minor| {
                        matrix_on(gpu, &check::matrix(rows, shared * width, minor + layer + first as u64))
                    });
                    let at = kv.each_ref().map(Held::at);
                    decode_attention::gpu::remember(gpu, &cache, (layer as usize, first), at, layout)
                        .unwrap();
                }
            }
            let mut found = Vec::new();
            for (added, rows) in steps.iter().enumerate() {
                for layer in 0..2 {
                    let qkv = step(rows, 100 * added as u64 + 50 * layer as u64);
                    let qkv = qkv.each_ref().map(|m| matrix_on(gpu, m));
                    let (out, at) =
                        (gpu.words(rows.len() * query * width).unwrap(), qkv.each_ref().map(Held::at));
                    let places = places(rows, added);
                    decode_attention::gpu::decode_attention(gpu, &mut cache, layer, at, &places, out.at())
                        .unwrap();
                    found.push(floats(gpu, &out, rows.len() * query * width));
                }
            }
            found
        });
        let Some(found) = found else { return };
        for (found, expected) in found.iter().zip(&expected) {
            agree(&format!("{heads:?}"), found, expected, 5e-6);
        }
    }
}
