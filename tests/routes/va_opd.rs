//! VA-OPD: `ByVisualAdvantage` over `BothViews`.

use limbeck::batch::Routed;
use limbeck::capability::TwoViews;
use limbeck::stages::route::{ByVisualAdvantage, Route};
use limbeck::stages::score::{BothViews, Score};
use limbeck::world::roster::Kind;
use limbeck::world::Frozen;
use limbeck::{privileged::Pixelated, Recipe};
use limbeck_recipes::VaOpd;
use proptest::prelude::*;
use serde_json::{json, Value};

use crate::recorded::{
    answers, close, kl, order_is_nothing, read, recorded, replay, shapes, shuffled, splits_alike, Answer,
};

const VOICES: [&str; 3] = ["student", "teacher", "hinted_teacher"];

const PAPER: ByVisualAdvantage = ByVisualAdvantage { share: 0.2, mass: 0.5 };

fn routed(batch: &[Answer]) -> Routed<impl TwoViews> {
    let recorded = recorded(batch);
    let rollouts = recorded.unjudged().unwrap();
    let teachers = (Frozen {}.seat("teacher"), Frozen {}.seat("pixelated").reads(Pixelated));
    PAPER.route(BothViews {}.recall(&recorded, &teachers, rollouts).unwrap()).unwrap()
}

/// The weights of the tokens and the loss of the batch, written down once more: per prompt, then the mean.
fn plain(batch: &[Answer]) -> (Vec<Vec<f64>>, f64) {
    let advantage = |answer: &Answer, t: usize| {
        let (whole, poorer) = (answer.of("teacher", t), answer.of("hinted_teacher", t));
        (whole[answer.tokens[t]] / poorer[answer.tokens[t]]).ln().max(0.0)
    };
    let mut prompts: Vec<usize> = batch.iter().map(|answer| answer.prompt).collect();
    prompts.sort_unstable();
    prompts.dedup();
    let mut weights: Vec<Vec<f64>> = batch.iter().map(|answer| vec![0.0; answer.tokens.len()]).collect();
    let mut loss = 0.0;
    for &prompt in &prompts {
        let group: Vec<usize> = (0..batch.len()).filter(|&i| batch[i].prompt == prompt).collect();
        let va =
            |i: usize| -> Vec<f64> { (0..batch[i].tokens.len()).map(|t| advantage(&batch[i], t)).collect() };
        let means: Vec<f64> = group.iter().map(|&i| va(i).iter().sum::<f64>() / va(i).len() as f64).collect();
        let mu = means.iter().sum::<f64>() / means.len() as f64;
        let variance = means.iter().map(|m| (m - mu).powi(2)).sum::<f64>() / means.len() as f64;
        let powers: Vec<f64> = means.iter().map(|m| ((m - mu) / (variance.sqrt() + 1e-6)).exp()).collect();
        for (&i, power) in group.iter().zip(&powers) {
            let (va, n) = (va(i), batch[i].tokens.len());
            let mut order: Vec<usize> = (0..n).collect();
            order.sort_by(|&a, &b| va[b].total_cmp(&va[a]));
            let ups = (0.2 * n as f64).ceil() as usize;
            for (place, &t) in order.iter().enumerate() {
                let inside = match (place < ups, n - ups) {
                    (true, 0) => 1.0 / ups as f64,
                    (true, _) => 0.5 / ups as f64,
                    (false, downs) => 0.5 / downs as f64,
                };
                weights[i][t] = inside * power / powers.iter().sum::<f64>();
                let (s, q) = (batch[i].of("student", t), batch[i].of("teacher", t));
                loss += weights[i][t] * kl(&s, &q) / prompts.len() as f64;
            }
        }
    }
    (weights, loss)
}

/// Groups of unequal size, and answers of unequal length.
fn uneven(width: usize, seed: u64) -> Vec<Answer> {
    let mut batch = answers(&[3, 7, 1, 12, 30, 5, 2], width, &VOICES, seed);
    for (answer, prompt) in batch.iter_mut().zip([0, 1, 1, 0, 1, 2, 1]) {
        answer.prompt = prompt;
    }
    batch
}

#[test]
fn the_published_numbers() {
    let all: Value = serde_json::from_str(include_str!("../vectors.json")).unwrap();
    let v = &all["va_opd"];
    let rows = |key: &str| -> Vec<Vec<f64>> { serde_json::from_value(v[key].clone()).unwrap() };
    // a teacher to whom both tokens are equally likely, and a view in which the sampled one is less so
    let line = |advantages: &Vec<f64>| {
        let flat = vec![[0.0, 0.0]; advantages.len()];
        let poorer: Vec<f64> = advantages.iter().map(|va| 0.5f64.ln() - va).collect();
        json!({"prompt": "p", "tokens": vec![0; advantages.len()], "hinted_teacher": poorer,
            "logits": {"student": vec![[1.0, 0.0]; advantages.len()], "teacher": flat}})
    };
    let lines: Vec<Value> = rows("visual_advantage").iter().map(line).collect();
    let got = VaOpd::DEFAULT.replay(read(&lines)).unwrap();
    let s = 1f64.exp() / (1.0 + 1f64.exp());
    let divergence = kl(&[s, 1.0 - s], &[0.5, 0.5]);
    let (mut mass, count) = (0.0, lines.len() as f64);
    for (decision, want) in got.decisions.iter().zip(rows("token_weights")) {
        let length = want.len() as f64;
        for (t, want) in want.iter().enumerate() {
            // one prompt: times the length, times the count of responses
            close(decision.weight[t] / length / count, *want);
            close(decision.loss[t] / length / count, want * divergence);
            mass += decision.weight[t] / length / count;
        }
    }
    close(mass, v["total_mass"].as_f64().unwrap());
    // every token has the same divergence, so the loss is that divergence
    close(got.summary.loss, divergence);
}

#[test]
fn replay_is_what_it_is_when_written_plainly() {
    for (seed, width) in [(1, 40), (2, 300), (3, 2000)] {
        let batch = uneven(width, seed);
        let (weights, loss) = plain(&batch);
        let got = replay(&VaOpd::DEFAULT, &batch);
        close(got.summary.loss, loss);
        // what training gives each token of the batch's loss: the mean over 3 prompts
        let routed = routed(&batch);
        for (i, weights) in weights.iter().enumerate() {
            for (t, weight) in weights.iter().enumerate() {
                close(routed.share(i, t), weight / 3.0);
                let (s, q) = (batch[i].of("student", t), batch[i].of("teacher", t));
                close(got.decisions[i].loss[t], got.decisions[i].weight[t] * kl(&s, &q));
            }
        }
    }
}

#[test]
fn a_recording_without_the_second_reading_is_refused_by_line() {
    let mut lines: Vec<Value> = answers(&[2, 2], 4, &VOICES, 5).iter().map(Answer::line).collect();
    lines[1]["logits"].as_object_mut().unwrap().remove("hinted_teacher");
    let why = VaOpd::DEFAULT.replay(read(&lines)).unwrap_err().to_string();
    assert!(why.starts_with("test:2: ") && why.contains("hinted_teacher"), "{why}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_weights_of_a_prompt_sum_to_one((lengths, width, seed) in shapes(), prompts in 1usize..4) {
        let mut batch = answers(&lengths, width, &VOICES, seed);
        for (i, answer) in batch.iter_mut().enumerate() {
            answer.prompt = i % prompts;
        }
        let there = prompts.min(batch.len()) as f64;
        let routed = routed(&batch);
        splits_alike(&routed)?;
        let of = |i: usize| (0..batch[i].tokens.len()).map(|t| routed.share(i, t)).sum::<f64>();
        for group in routed.rollouts().groups() {
            prop_assert!((group.into_iter().map(of).sum::<f64>() * there - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn the_order_of_the_batch_changes_nothing((lengths, width, seed) in shapes()) {
        let batch = answers(&lengths, width, &VOICES, seed);
        // a group of two is summed in either order alike; of more, up to the last bits
        if lengths.len() <= 4 {
            order_is_nothing(&VaOpd::DEFAULT, &batch, seed)?;
        }
        let (other, order) = shuffled(&batch, seed);
        let (one, two) = (routed(&batch), routed(&other));
        for (place, &i) in order.iter().enumerate() {
            for t in 0..batch[i].tokens.len() {
                prop_assert!((two.share(place, t) - one.share(i, t)).abs() < 1e-12);
            }
        }
    }
}
