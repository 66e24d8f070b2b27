//! TIP: `ByImportance` over `Contrasted`.

use limbeck::batch::Routed;
use limbeck::capability::{Diverging, Signal, Uncertain};
use limbeck::stages::loss::Divergence;
use limbeck::stages::route::{ByImportance, Importance, Route, TokenScope};
use limbeck::stages::score::{Contrasted, Score};
use limbeck::world::roster::Kind;
use limbeck::world::Frozen;
use limbeck::Recipe;
use limbeck_recipes::Tip;
use proptest::prelude::*;
use serde_json::Value;

use crate::recorded::{
    agree, answers, entropy, kl, order_is_nothing, recorded, replay, scored, shapes, splits_alike, weights,
    Answer,
};

const VOICES: [&str; 2] = ["student", "teacher"];

const HALF: ByImportance =
    ByImportance { keep: 0.5, importance: Importance::SoftOr, clip: 0.02, scope: TokenScope::Batch };

/// Two numbers a token, and nothing to learn from.
#[derive(Clone)]
struct Given {
    entropies: Vec<Vec<f64>>,
    divergences: Vec<Vec<f64>>,
    heard: Vec<bool>,
}

impl Signal for Given {
    fn rewards(&self, _: usize) -> Option<&[f64]> {
        None
    }
    fn return_before(&self, _: usize) -> Option<f64> {
        None
    }
    fn heard(&self, i: usize) -> bool {
        self.heard[i]
    }
}

impl Uncertain for Given {
    fn entropies(&self) -> limbeck::Result<&[Vec<f64>]> {
        Ok(&self.entropies)
    }
}

impl Diverging for Given {
    fn divergence(&self, i: usize, t: usize) -> f64 {
        self.divergences[i][t]
    }
}

/// TIP written down once more, over all tokens of the batch: weight and loss of each.
fn plain(batch: &[Answer], keep: f64) -> Vec<Vec<(f64, f64)>> {
    let mut tokens = Vec::new();
    for (i, answer) in batch.iter().enumerate() {
        for t in 0..answer.tokens.len() {
            let (s, q) = (answer.of("student", t), answer.of("teacher", t));
            tokens.push((i, entropy(&s), kl(&s, &q)));
        }
    }
    let n = tokens.len();
    let mut h: Vec<f64> = tokens.iter().map(|token| token.1).collect();
    let mut d: Vec<f64> = tokens.iter().map(|token| token.2).collect();
    h.sort_by(f64::total_cmp);
    d.sort_by(f64::total_cmp);
    let cap = h[n - 1 - (0.02 * n as f64) as usize];
    let score = |&(_, entropy, divergence): &(usize, f64, f64)| {
        let a = if cap > h[0] { (entropy.min(cap) - h[0]) / (cap - h[0]) } else { 0.0 };
        let b = if d[n - 1] > d[0] { (divergence - d[0]) / (d[n - 1] - d[0]) } else { 0.0 };
        1.0 - (1.0 - a) * (1.0 - b)
    };
    let mut order: Vec<usize> = (0..n).collect();
    // rounded, so that this writing's last bits decide nothing
    let key = |at: usize| (score(&tokens[at]) * 1e12).round();
    order.sort_by(|&a, &b| key(b).total_cmp(&key(a)).then(a.cmp(&b)));
    order.truncate((keep * n as f64).ceil() as usize);
    let mut out = vec![Vec::new(); batch.len()];
    for (at, &(i, _, divergence)) in tokens.iter().enumerate() {
        let weight = f64::from(u8::from(order.contains(&at)));
        out[i].push((weight, weight * divergence));
    }
    out
}

#[test]
fn the_published_numbers() {
    let all: Value = serde_json::from_str(include_str!("../vectors.json")).unwrap();
    let v = &all["tip_soft_or"];
    let row = |key: &str| -> Vec<f64> { serde_json::from_value(v[key].clone()).unwrap() };
    let kept: Vec<usize> = serde_json::from_value(v["keep50"].clone()).unwrap();
    let want: Vec<f64> = (0..4).map(|t| f64::from(u8::from(kept.contains(&t)))).collect();
    let signal =
        Given { entropies: vec![row("entropy")], divergences: vec![row("divergence")], heard: vec![true] };
    let routed = HALF.route(scored(&[4], signal)).unwrap();
    assert_eq!(weights(&routed), [want]);
    assert_eq!(routed.rollouts().ledger.get("kept_tokens"), Some(0.5));
    let entropies = row("entropy");
    let mean = kept.iter().map(|&t| entropies[t]).sum::<f64>() / kept.len() as f64;
    assert!((routed.rollouts().ledger.get("kept_entropy").unwrap() - mean).abs() < 1e-12);
}

#[test]
fn a_share_of_the_batch_or_of_each_response() {
    let signal = || Given {
        entropies: vec![vec![0.1, 0.2, 0.3], vec![0.9, 0.8]],
        divergences: vec![vec![0.0; 3], vec![0.0; 2]],
        heard: vec![true, true],
    };
    let route =
        |method: ByImportance, signal: Given| weights(&method.route(scored(&[3, 2], signal)).unwrap());
    let by_entropy = ByImportance { importance: Importance::Entropy, ..HALF };
    assert_eq!(route(by_entropy.clone(), signal()), [vec![0.0, 0.0, 1.0], vec![1.0, 1.0]]);
    let each = ByImportance { scope: TokenScope::Sequence, ..by_entropy.clone() };
    assert_eq!(route(each, signal()), [vec![0.0, 1.0, 1.0], vec![1.0, 0.0]]);
    // what nobody spoke of is no part of the share
    let unheard = Given { heard: vec![true, false], ..signal() };
    assert_eq!(route(by_entropy, unheard), [vec![0.0, 1.0, 1.0], vec![0.0, 0.0]]);
}

#[test]
fn replay_is_what_it_is_when_written_plainly() {
    for (seed, width) in [(1, 40), (2, 300), (3, 2000)] {
        let batch = answers(&[3, 7, 1, 12, 30], width, &VOICES, seed);
        agree(&replay(&Tip::DEFAULT, &batch), &plain(&batch, 0.5));
    }
}

#[test]
fn a_recording_without_rows_is_refused_by_line() {
    let mut lines: Vec<Value> = answers(&[2, 2], 4, &VOICES, 5).iter().map(Answer::line).collect();
    lines[1]["logits"].as_object_mut().unwrap().remove("student");
    lines[1]["student"] = serde_json::json!([-1.0, -1.0]);
    let why = Tip::DEFAULT.replay(crate::recorded::read(&lines)).unwrap_err().to_string();
    assert!(why.starts_with("test:2: ") && why.contains("logits.student"), "{why}");
}

fn routed(batch: &[Answer], score: &Contrasted, method: &ByImportance) -> Routed<impl Uncertain> {
    let recorded = recorded(batch);
    let rollouts = recorded.unjudged().unwrap();
    let teacher = Frozen {}.seat("teacher");
    method.route(score.recall(&recorded, &teacher, rollouts).unwrap()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_order_of_the_batch_and_its_split_change_nothing((lengths, width, seed) in shapes()) {
        let batch = answers(&lengths, width, &VOICES, seed);
        order_is_nothing(&Tip::DEFAULT, &batch, seed)?;
        splits_alike(&routed(&batch, &Contrasted { divergence: Divergence::ReverseKl }, &HALF))?;
    }

    #[test]
    fn as_many_are_kept_as_were_asked_for((lengths, width, seed) in shapes(), keep in 0.01..1.0) {
        let batch = answers(&lengths, width, &VOICES, seed);
        let score = Contrasted { divergence: Divergence::Jsd { beta: 0.5 } };
        for importance in [Importance::SoftOr, Importance::Entropy] {
            let method = ByImportance { keep, importance, ..HALF };
            let n: usize = lengths.iter().sum();
            let kept: f64 = weights(&routed(&batch, &score, &method)).iter().flatten().sum();
            prop_assert_eq!(kept, (keep * n as f64).ceil());
        }
    }
}
