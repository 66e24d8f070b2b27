//! DOPD through `replay`, against the published numbers and against a plain re-implementation.

use limbeck::replay::{Recorded, Replay};
use limbeck::rng::{Purpose, Stream};
use limbeck::Recipe;
use limbeck_recipes::Dopd;
use serde_json::{json, Value};

fn replay(recipe: &Dopd, lines: &[Value]) -> Replay {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    recipe.replay(Recorded::read(text.as_bytes(), "test", 0).unwrap()).unwrap()
}

fn logs(rows: &Value) -> Vec<Vec<f64>> {
    let rows: Vec<Vec<f64>> = serde_json::from_value(rows.clone()).unwrap();
    rows.into_iter().map(|row| row.into_iter().map(f64::ln).collect()).collect()
}

#[test]
fn the_published_sequence() {
    let vectors: Value = serde_json::from_str(include_str!("vectors.json")).unwrap();
    let sequence = &vectors["dopd_sequence"];
    let input = &sequence["input"];
    let line = json!({
        "prompt": "p", "correct": null, "tokens": input["sampled"],
        "logits": {
            "student": logs(&input["student"]),
            "hinted_student": logs(&input["priv_student"]),
            "hinted_teacher": logs(&input["priv_teacher"]),
        },
    });
    // V = 5: the recipe's top 128 is the whole vocabulary
    let got = replay(&Dopd::DEFAULT, &[line]);
    assert!((got.summary.loss - 0.110439).abs() < 1e-6, "{}", got.summary.loss);
    let expected: Vec<String> =
        serde_json::from_value(sequence["student_topk_renorm"]["regime"].clone()).unwrap();
    assert_eq!(got.decisions[0].regime.as_ref().unwrap(), &expected);
    assert_eq!(got.decisions[0].weight, [0.6, 0.3, 1.0, 0.6, 0.6, 0.6]);
    let regimes = got.summary.regimes.unwrap();
    assert_eq!((regimes["LH"], regimes["LL"], regimes["HT"], regimes["HS"]), (2, 1, 1, 2));
}

/// Section 3 of the paper, written down once more without any of our code.
mod plain {
    pub fn softmax(row: &[f64]) -> Vec<f64> {
        let max = row.iter().copied().fold(f64::MIN, f64::max);
        let sum: f64 = row.iter().map(|x| (x - max).exp()).sum();
        row.iter().map(|x| (x - max).exp() / sum).collect()
    }

    fn kl(p: &[f64], q: &[f64]) -> f64 {
        p.iter().zip(q).map(|(p, q)| if *p > 0.0 { p * (p / q).ln() } else { 0.0 }).sum()
    }

    pub fn js(p: &[f64], q: &[f64]) -> f64 {
        let m: Vec<f64> = p.iter().zip(q).map(|(p, q)| 0.5 * (p + q)).collect();
        0.5 * kl(p, &m) + 0.5 * kl(q, &m)
    }

    /// Reverse KL on the student's K likeliest tokens, both sides renormalised.
    pub fn top_k(student: &[f64], target: &[f64], k: usize) -> f64 {
        let mut ids: Vec<usize> = (0..student.len()).collect();
        ids.sort_by(|&a, &b| student[b].total_cmp(&student[a]).then(a.cmp(&b)));
        ids.truncate(k);
        let part = |row: &[f64]| {
            let mass: f64 = ids.iter().map(|&i| row[i]).sum();
            ids.iter().map(|&i| row[i] / mass).collect::<Vec<f64>>()
        };
        kl(&part(student), &part(target))
    }

    pub struct Token {
        pub student: Vec<f64>,
        pub hindsight: Vec<f64>,
        pub teacher: Vec<f64>,
        pub sampled: usize,
    }

    /// The weighted loss and regime of every token of a batch.
    pub fn dopd(tokens: &[Token], trim: f64, k: usize) -> Vec<(f64, &'static str)> {
        let gap = |t: &Token| (t.teacher[t.sampled].ln() - t.hindsight[t.sampled].ln()).abs();
        let mut order: Vec<usize> = (0..tokens.len()).collect();
        order.sort_by(|&a, &b| gap(&tokens[a]).total_cmp(&gap(&tokens[b])));
        order.truncate(tokens.len() - (trim * tokens.len() as f64) as usize);
        let mean = |of: &dyn Fn(&Token) -> f64| {
            order.iter().map(|&i| of(&tokens[i])).sum::<f64>() / order.len() as f64
        };
        let (gap_bar, sum_bar) =
            (mean(&gap), mean(&|t| t.hindsight[t.sampled]) + mean(&|t| t.teacher[t.sampled]));
        tokens
            .iter()
            .map(|t| {
                let (q_s, q_t) = (t.hindsight[t.sampled], t.teacher[t.sampled]);
                match (gap(t) < gap_bar, q_s + q_t >= sum_bar, q_t >= q_s) {
                    (true, true, _) => (0.6 * top_k(&t.student, &t.teacher, k), "LH"),
                    (true, false, _) => (0.3 * top_k(&t.student, &t.hindsight, k), "LL"),
                    (false, _, true) => (js(&t.student, &t.teacher), "HT"),
                    (false, _, false) => (0.6 * top_k(&t.student, &t.hindsight, k), "HS"),
                }
            })
            .collect()
    }
}

#[test]
fn random_logits_agree_with_a_plain_implementation() {
    for (case, width) in [40, 200, 900, 2000].into_iter().enumerate() {
        let mut stream = Stream::new(11, Purpose::Task, case as u64, 0);
        let mut draw = |scale: f64| (0..width).map(|_| scale * stream.normal()).collect::<Vec<f64>>();
        let lengths = [3, 7, 1, 12];
        let (mut lines, mut tokens) = (Vec::new(), Vec::new());
        for (i, &length) in lengths.iter().enumerate() {
            let mut rows = [Vec::new(), Vec::new(), Vec::new()];
            for _ in 0..length {
                let base = draw(2.0);
                for row in &mut rows {
                    row.push(base.iter().zip(draw(0.7)).map(|(b, d)| b + d).collect::<Vec<f64>>());
                }
            }
            let ids: Vec<usize> = (0..length).map(|t| (i * 31 + t * 17) % width).collect();
            for t in 0..length {
                tokens.push(plain::Token {
                    student: plain::softmax(&rows[0][t]),
                    hindsight: plain::softmax(&rows[1][t]),
                    teacher: plain::softmax(&rows[2][t]),
                    sampled: ids[t],
                });
            }
            let [student, hindsight, teacher] = rows;
            lines.push(json!({
                "prompt": format!("p{}", i % 2), "correct": null, "tokens": ids,
                "logits": {"student": student, "hinted_student": hindsight, "hinted_teacher": teacher},
            }));
        }
        let got = replay(&Dopd::DEFAULT, &lines);
        let mut expected = plain::dopd(&tokens, 0.05, 128).into_iter();
        let mut total = 0.0;
        for decision in &got.decisions {
            let mut sum = 0.0;
            for (loss, regime) in decision.loss.iter().zip(decision.regime.as_ref().unwrap()) {
                let (value, name) = expected.next().unwrap();
                assert_eq!(regime, name);
                assert!((loss - value).abs() < 1e-9, "V {width}: {loss} and {value}");
                sum += value;
            }
            total += sum / decision.loss.len() as f64;
        }
        assert!((got.summary.loss - total / lengths.len() as f64).abs() < 1e-9);
    }
}

#[test]
fn a_recording_without_a_voice_is_refused_by_line() {
    let line = json!({"prompt": "p", "tokens": [0], "logits": {"student": [[0.0, 1.0]], "hinted_teacher": [[0.0, 1.0]]}});
    let recorded = Recorded::read(format!("{line}\n").as_bytes(), "file", 0).unwrap();
    let why = Dopd::DEFAULT.replay(recorded).unwrap_err().to_string();
    assert!(why.starts_with("file:1: ") && why.contains("hinted_student"), "{why}");
}

#[test]
fn two_voices_of_one_weight_send_every_token_to_the_teacher() {
    let row = [[0.1, 0.4, 0.2]];
    let line = json!({"prompt": "p", "tokens": [1],
        "logits": {"student": [[0.3, 0.1, 0.0]], "hinted_student": row, "hinted_teacher": row}});
    let got = replay(&Dopd::DEFAULT, &[line]);
    assert_eq!(got.decisions[0].regime.as_ref().unwrap(), &["HT"]);
}

mod meant {
    use limbeck::prelude::*;

    /// Both voices are the student, and the recipe says so.
    #[recipe]
    pub struct OneSelf {
        #[teacher(reads = StepHints)]
        teacher: SameWeights,
        #[teacher(reads = StepHints)]
        hindsight: Own,

        data: Prompts,
        rollout: Sample,
        score: FullVocab,
        route: AdvantageGap,
        loss: Routed<TopK<128>>,
        step: AdamW,
    }
}

#[test]
fn the_same_weights_twice_are_plain_self_distillation_where_the_recipe_says_so() {
    let (student, hinted) = ([0.3, 0.1, -0.4], [0.1, 0.4, 0.2]);
    let line = json!({"prompt": "p", "tokens": [1, 0],
        "logits": {"student": [student, student], "hinted_student": [hinted, hinted]}});
    let text = format!("{line}\n");
    let got = meant::OneSelf::DEFAULT.replay(Recorded::read(text.as_bytes(), "t", 0).unwrap()).unwrap();
    let js = plain::js(&plain::softmax(&student), &plain::softmax(&hinted));
    assert_eq!(got.decisions[0].regime.as_ref().unwrap(), &["HT", "HT"]);
    assert!(
        got.decisions[0].loss.iter().all(|loss| (loss - js).abs() < 1e-12),
        "{:?}",
        got.decisions[0].loss
    );
}
