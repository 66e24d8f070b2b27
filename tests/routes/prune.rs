//! The pruning study of DOPD: `PruneByGap` over a teacher and a hindsight.

use limbeck::capability::Distributions;
use limbeck::prelude::*;
use limbeck::stages::route::Route;
use limbeck::stages::score::Score;
use limbeck::world::roster::Kind;
use proptest::prelude::*;
use serde_json::{json, Value};

use crate::recorded::{
    agree, answers, kl, order_is_nothing, read, recorded, replay, shapes, splits_alike, weights, Answer,
};

/// Vanilla privileged distillation without a fifth of its tokens.
#[recipe]
struct Without {
    #[teacher(reads = StepHints)]
    teacher: Frozen,
    #[teacher(reads = StepHints)]
    hindsight: Own,

    data: Prompts,
    rollout: Sample,
    score: FullVocab,
    #[with(share = 0.2)]
    route: PruneByGap,
    loss: ReverseKl,
    step: AdamW,
}

const VOICES: [&str; 3] = ["student", "hinted_student", "hinted_teacher"];

fn without(share: f64, which: Pruned) -> Without {
    Without { route: PruneByGap { share, which, scope: TokenScope::Batch }, ..Without::DEFAULT }
}

/// Two tokens, of which the sampled one is as likely to the hindsight as to the teacher times `e^-gap`.
fn line(gaps: &[f64]) -> Value {
    let row = |log_prob: f64| [log_prob, (-log_prob.exp_m1()).ln()];
    let rows = |of: &dyn Fn(f64) -> f64| gaps.iter().map(|&gap| row(of(gap))).collect::<Vec<_>>();
    json!({"prompt": "p", "tokens": vec![0; gaps.len()], "logits": {
        "student": rows(&|_| -1.0), "hinted_teacher": rows(&|_| -0.25), "hinted_student": rows(&|gap| -0.25 - gap),
    }})
}

#[test]
fn the_published_numbers() {
    let all: Value = serde_json::from_str(include_str!("../vectors.json")).unwrap();
    let v = &all["dopd_prune20"];
    let row = |key: &str| -> Vec<f64> { serde_json::from_value(v[key].clone()).unwrap() };
    for (which, key) in [(Pruned::Highest, "high"), (Pruned::Lowest, "low")] {
        let got = without(0.2, which).replay(read(&[line(&row("A"))])).unwrap();
        assert_eq!(got.decisions[0].weight, row(key));
    }
    // any are other tokens at another step, and the same at the same
    let long: Vec<f64> = (0..200).map(f64::from).collect();
    let at = |seed: u64| {
        let text = format!("{}\n", line(&long));
        let recorded = limbeck::replay::Recorded::read(text.as_bytes(), "test", seed).unwrap();
        without(0.2, Pruned::Random).replay(recorded).unwrap().decisions[0].weight.clone()
    };
    assert_eq!((at(1) == at(1), at(1) == at(2)), (true, false));
    let any = without(0.2, Pruned::Random).replay(read(&[line(&row("A"))])).unwrap();
    assert_eq!(any.decisions[0].weight.iter().sum::<f64>(), 16.0);
}

/// Weight and loss of each token: reverse KL to the teacher where the token stays.
fn plain(batch: &[Answer], out: usize, highest: bool) -> Vec<Vec<(f64, f64)>> {
    let mut tokens = Vec::new();
    for (i, answer) in batch.iter().enumerate() {
        for (t, &y) in answer.tokens.iter().enumerate() {
            let (s, q) = (answer.of("student", t), answer.of("hinted_teacher", t));
            let gap = (q[y] / answer.of("hinted_student", t)[y]).ln().abs();
            tokens.push((i, if highest { gap } else { -gap }, kl(&s, &q)));
        }
    }
    let mut order: Vec<usize> = (0..tokens.len()).collect();
    order.sort_by(|&a, &b| tokens[b].1.total_cmp(&tokens[a].1));
    let mut wanted = vec![Vec::new(); batch.len()];
    for (at, &(i, _, divergence)) in tokens.iter().enumerate() {
        let weight = f64::from(u8::from(!order[..out].contains(&at)));
        wanted[i].push((weight, weight * divergence));
    }
    wanted
}

#[test]
fn replay_is_what_it_is_when_written_plainly() {
    for (seed, width) in [(1, 40), (2, 300), (3, 2000)] {
        let batch = answers(&[3, 7, 1, 12, 30], width, &VOICES, seed);
        for (which, highest) in [(Pruned::Highest, true), (Pruned::Lowest, false)] {
            agree(&replay(&without(0.2, which), &batch), &plain(&batch, 10, highest));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn the_order_of_the_batch_and_its_split_change_nothing((lengths, width, seed) in shapes()) {
        let batch = answers(&lengths, width, &VOICES, seed);
        order_is_nothing(&without(0.3, Pruned::Highest), &batch, seed)?;
        order_is_nothing(&without(0.3, Pruned::Lowest), &batch, seed)?;
        let recorded = recorded(&batch);
        let teachers =
            (Frozen {}.seat("teacher").reads(StepHints), Own {}.seat("hindsight").reads(StepHints));
        let at = |step: u64| {
            let mut rollouts = recorded.unjudged().unwrap();
            rollouts.place.step = step;
            let scored = FullVocab { keep: 0 }.recall(&recorded, &teachers, rollouts).unwrap();
            without(0.3, Pruned::Random).route.route(scored).unwrap()
        };
        let routed = at(0);
        splits_alike(&routed)?;
        prop_assert_eq!(weights(&routed), weights(&at(0)));
        let n: usize = lengths.iter().sum();
        let kept: f64 = weights(&at(1)).iter().flatten().sum();
        prop_assert_eq!(kept, (n - (0.3 * n as f64) as usize) as f64);
        for (i, answer) in batch.iter().enumerate() {
            for t in 0..answer.tokens.len() {
                let (row, want) = (routed.signal().teacher_row::<f64>(i, t), answer.of("hinted_teacher", t));
                prop_assert!(row.iter().zip(want).all(|(log, p)| (log.exp() - p).abs() < 1e-12));
            }
        }
    }
}
