use super::*;
use crate::kernels::check;
use crate::tensor::NoneTape;

fn layout(heads: Heads, lengths: &[usize]) -> Layout {
    let mut next = 0;
    let spans = lengths.iter().map(|len| {
        next += len;
        Span::alone(next - len..next)
    });
    let longest = lengths.iter().copied().max().unwrap_or(0);
    Layout {
        heads,
        spans: spans.collect(),
        rotary: Arc::new(Rotary::new(longest, &Rates::of(heads.width, 100.0))),
        causal: true,
    }
}

fn inputs(heads: Heads, rows: usize) -> [Matrix<crate::tensor::Cpu>; 3] {
    let narrow = heads.shared * heads.width;
    [
        check::matrix(rows, heads.query * heads.width, 1),
        check::matrix(rows, narrow, 2),
        check::matrix(rows, narrow, 3),
    ]
}

/// Straight from the formula, in `f64`.
fn reference([q, k, v]: [&[f32]; 3], layout: &Layout) -> Vec<f64> {
    let Heads { query, shared, width } = layout.heads;
    let turned = |x: &[f32], heads: usize, row: usize, position: usize, head: usize, i: usize| {
        let at = |i: usize| f64::from(x[row * heads * width + head * width + i]);
        let angle = position as f64 * 100f64.powf(-2.0 * (i % (width / 2)) as f64 / width as f64);
        let other = if i < width / 2 { -at(i + width / 2) } else { at(i - width / 2) };
        at(i) * angle.cos() + other * angle.sin()
    };
    let mut out = Vec::new();
    for span in layout.spans.iter() {
        let seen: Vec<usize> = span.after.clone().chain(span.rows.clone()).collect();
        let places = span.positions().flat_map(|at| (0..query).map(move |h| (at, h)));
        for (at, h) in places {
            let other = h / (query / shared);
            let score = |j: usize| {
                let dot = |i| turned(q, query, seen[at], at, h, i) * turned(k, shared, seen[j], j, other, i);
                ((0..width).map(dot).sum::<f64>() / (width as f64).sqrt()).exp()
            };
            let last = if layout.causal { at } else { seen.len() - 1 };
            let scores: Vec<f64> = (0..=last).map(score).collect();
            let total: f64 = scores.iter().sum();
            for i in 0..width {
                let value = |j: usize| f64::from(v[(seen[j] * shared + other) * width + i]);
                out.push(scores.iter().enumerate().map(|(j, s)| s / total * value(j)).sum());
            }
        }
    }
    out
}

#[test]
fn forward_is_its_formula() {
    for (query, shared, width) in [(4, 4, 8), (4, 2, 6), (3, 1, 34)] {
        let heads = Heads { query, shared, width };
        let layout = layout(heads, &[1, 5, 70, 0, 33]);
        let [q, k, v] = inputs(heads, 109);
        let y = attention(&mut NoneTape, [&q, &k, &v], &layout).unwrap();
        let expected = reference([&q, &k, &v].map(tensor::slice), &layout);
        for (i, (&y, e)) in tensor::slice(&y).iter().zip(expected).enumerate() {
            assert!((f64::from(y) - e).abs() < 3e-6, "{i}: {y} {e}");
        }
    }
}

#[test]
fn backward_agrees_with_differences() {
    for (query, shared, width) in [(2, 2, 4), (4, 2, 2)] {
        let heads = Heads { query, shared, width };
        let layout = layout(heads, &[3, 0, 1, 5]);
        let narrow = (9, shared * width);
        check::differences(&[(9, query * width), narrow, narrow], 3e-3, |tape, x| {
            attention(tape, [&x[0], &x[1], &x[2]], &layout)
        });
    }
    // long enough for two blocks
    let layout = layout(Heads { query: 1, shared: 1, width: 2 }, &[35]);
    check::differences(&[(35, 2); 3], 3e-3, |tape, x| attention(tape, [&x[0], &x[1], &x[2]], &layout));
}

/// A sequence of 3 rows and three that stand after it, among others.
fn family(heads: Heads) -> Layout {
    let after = |rows| Span { after: 2..5, rows };
    let spans = vec![
        Span::alone(0..2),
        Span::alone(2..5),
        after(5..9),
        after(9..9),
        after(9..44),
        Span::alone(44..47),
    ];
    Layout { spans: spans.into(), ..layout(heads, &[2, 38, 3]) }
}

#[test]
fn what_stands_after_a_sequence_sees_it() {
    for (query, shared, width) in [(4, 4, 8), (4, 2, 6)] {
        let heads = Heads { query, shared, width };
        let (layout, [q, k, v]) = (family(heads), inputs(heads, 47));
        let y = attention(&mut NoneTape, [&q, &k, &v], &layout).unwrap();
        let expected = reference([&q, &k, &v].map(tensor::slice), &layout);
        for (i, (&y, e)) in tensor::slice(&y).iter().zip(expected).enumerate() {
            assert!((f64::from(y) - e).abs() < 3e-6, "{i}: {y} {e}");
        }
    }
    let layout = family(Heads { query: 2, shared: 1, width: 2 });
    check::differences(&[(47, 4), (47, 2), (47, 2)], 3e-3, |tape, x| {
        attention(tape, [&x[0], &x[1], &x[2]], &layout)
    });
}

#[test]
fn where_it_is_not_causal_a_row_sees_its_whole_span() {
    for (query, shared, width) in [(4, 4, 8), (4, 2, 6)] {
        let heads = Heads { query, shared, width };
        let layout = Layout { causal: false, ..layout(heads, &[1, 5, 70, 0, 33]) };
        let [q, k, v] = inputs(heads, 109);
        let y = attention(&mut NoneTape, [&q, &k, &v], &layout).unwrap();
        let expected = reference([&q, &k, &v].map(tensor::slice), &layout);
        for (i, (&y, e)) in tensor::slice(&y).iter().zip(expected).enumerate() {
            assert!((f64::from(y) - e).abs() < 3e-6, "{i}: {y} {e}");
        }
    }
    for lengths in [&[3, 1, 5][..], &[35]] {
        let heads = Heads { query: 2, shared: 2, width: 2 };
        let layout = Layout { causal: false, ..layout(heads, lengths) };
        let rows = lengths.iter().sum();
        check::differences(&[(rows, 4); 3], 3e-3, |tape, x| attention(tape, [&x[0], &x[1], &x[2]], &layout));
    }
}

#[test]
fn a_sequence_does_not_see_its_neighbours() {
    let heads = Heads { query: 4, shared: 2, width: 16 };
    let [q, k, v] = inputs(heads, 50);
    let packed = attention(&mut NoneTape, [&q, &k, &v], &layout(heads, &[13, 37])).unwrap();
    let tail = |x: &Matrix<crate::tensor::Cpu>| {
        let columns = tensor::shape(x).1;
        tensor::matrix(x.device(), 37, columns, tensor::slice(x)[13 * columns..].to_vec()).unwrap()
    };
    let alone = attention(&mut NoneTape, [&tail(&q), &tail(&k), &tail(&v)], &layout(heads, &[37])).unwrap();
    assert_eq!(tensor::slice(&packed)[13 * 64..], *tensor::slice(&alone));
}

#[test]
fn what_does_not_fit_is_refused() {
    let heads = Heads { query: 4, shared: 2, width: 4 };
    let [q, k, v] = inputs(heads, 8);
    for layout in [
        layout(heads, &[9]),
        layout(Heads { shared: 3, ..heads }, &[8]),
        layout(Heads { shared: 4, ..heads }, &[8]),
    ] {
        assert!(attention(&mut NoneTape, [&q, &k, &v], &layout).is_err());
    }
    let mut gap = layout(heads, &[4, 4]);
    gap.spans = vec![Span::alone(0..4), Span::alone(5..8)].into();
    assert!(attention(&mut NoneTape, [&q, &k, &v], &gap).is_err());
    gap.spans = vec![Span::alone(0..4), Span { after: 1..4, rows: 4..8 }].into();
    assert!(attention(&mut NoneTape, [&q, &k, &v], &gap).is_err());
}
