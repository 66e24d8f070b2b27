//! REOPOLD: `ExploreThenRefine` over `SampledToken`.

use limbeck::batch::{Routed, Scored};
use limbeck::capability::{Rewards, Signal, Unjudged};
use limbeck::signal::{Compared, Floored};
use limbeck::stages::loss::row::StudentRow;
use limbeck::stages::loss::{Loss, PolicyGradient};
use limbeck::stages::route::{ExploreThenRefine, Route, TokenScope};
use limbeck::stages::score::{SampledToken, Score};
use limbeck::world::roster::Kind;
use limbeck::world::Frozen;
use limbeck::Recipe;
use limbeck_recipes::{Reopold, VanillaOpd};
use proptest::prelude::*;
use serde_json::{json, Value};

use crate::recorded::{
    agree, answers, close, entropy, order_is_nothing, read, recorded, replay, shapes, splits_alike, weights,
    Answer,
};

const VOICES: [&str; 2] = ["student", "teacher"];

const PAPER: ExploreThenRefine =
    ExploreThenRefine { lambda: 0.1, explore_steps: 50, keep: 0.2, scope: TokenScope::Batch };

fn scored(recorded: &limbeck::replay::Recorded, step: u64) -> Scored<Compared, Unjudged> {
    let mut rollouts = recorded.unjudged().unwrap();
    rollouts.place.step = step;
    SampledToken {}.recall(recorded, &Frozen {}.seat("teacher"), rollouts).unwrap()
}

fn routed(batch: &[Answer], step: u64) -> Routed<Floored> {
    PAPER.route(scored(&recorded(batch), step)).unwrap()
}

#[test]
fn the_published_numbers() {
    let all: Value = serde_json::from_str(include_str!("../vectors.json")).unwrap();
    let v = &all["reopold"];
    let row = |key: &str| -> Vec<f64> { serde_json::from_value(v[key].clone()).unwrap() };
    // as the teacher against a student that is sure
    let rewards = row("reward");
    let student: Vec<f64> = rewards.iter().map(|reward| -reward.max(0.0)).collect();
    let teacher: Vec<f64> = rewards.iter().map(|reward| reward.min(0.0)).collect();
    let line = json!({"prompt": "p", "correct": null, "student": student, "teacher": teacher});
    let got = Reopold::DEFAULT.replay(read(&[line])).unwrap();
    let decision = &got.decisions[0];
    assert_eq!(decision.advantage.as_deref().unwrap(), row("clipped"));
    assert_eq!(decision.weight, row("phase1_mask"));
    // at ratio 1 the loss is the negative of the reward, where there is one
    let want: Vec<f64> = row("clipped").iter().zip(row("phase1_mask")).map(|(r, kept)| -r * kept).collect();
    assert_eq!(decision.loss, want);
    close(got.summary.loss, want.iter().sum::<f64>() / 3.0);
}

/// The two phases written down once more: weight and loss of each token.
fn plain(batch: &[Answer], refine: bool) -> Vec<Vec<(f64, f64)>> {
    let floor = 0.1f64.ln() / 0.9;
    let mut tokens = Vec::new();
    for (i, answer) in batch.iter().enumerate() {
        for (t, &y) in answer.tokens.iter().enumerate() {
            let (s, q) = (answer.of("student", t), answer.of("teacher", t));
            tokens.push((i, (q[y] / s[y]).ln(), entropy(&s)));
        }
    }
    let mut order: Vec<usize> = (0..tokens.len()).collect();
    order.sort_by(|&a, &b| tokens[b].2.total_cmp(&tokens[a].2));
    order.truncate((0.2 * tokens.len() as f64).ceil() as usize);
    let mut out = vec![Vec::new(); batch.len()];
    for (at, &(i, reward, _)) in tokens.iter().enumerate() {
        let kept = if refine { order.contains(&at) } else { reward >= floor };
        let weight = f64::from(u8::from(kept));
        out[i].push((weight, -weight * reward.max(floor)));
    }
    out
}

#[test]
fn exploring_is_what_it_is_when_written_plainly() {
    for (seed, width) in [(1, 40), (2, 300), (3, 2000)] {
        let mut batch = answers(&[3, 7, 1, 12, 30], width, &VOICES, seed);
        // a teacher that finds some tokens all but impossible
        for answer in &mut batch {
            for (t, &y) in answer.tokens.iter().enumerate().step_by(3) {
                answer.rows[1].1[t][y] -= 8.0;
            }
        }
        let want = plain(&batch, false);
        assert!(want.iter().flatten().any(|(weight, _)| *weight == 0.0));
        agree(&replay(&Reopold::DEFAULT, &batch), &want);
    }
}

#[test]
fn refining_is_what_it_is_when_written_plainly() {
    let loss = PolicyGradient { clip_low: 0.2, clip_high: 0.28, gap_mask: f64::INFINITY };
    for (seed, width) in [(4, 40), (5, 300)] {
        let batch = answers(&[3, 7, 1, 12, 30], width, &VOICES, seed);
        let (routed, want) = (routed(&batch, 50), plain(&batch, true));
        for (i, want) in want.iter().enumerate() {
            for (t, want) in want.iter().enumerate() {
                let mut student = StudentRow::recorded(routed.signal().student(i, t));
                let found = loss.token(routed.signal(), i, t, &mut student);
                close(routed.weight(i, t), want.0);
                close(routed.weight(i, t) * found.loss, want.1);
            }
        }
        let ledger = &routed.rollouts().ledger;
        let n: usize = batch.iter().map(|answer| answer.tokens.len()).sum();
        close(ledger.get("kept_tokens").unwrap(), (0.2 * n as f64).ceil() / n as f64);
    }
}

/// Phase two asks the student's entropy. A recording that does not have it is refused by line, and only
/// where it is asked for.
#[test]
fn entropy_is_needed_only_where_it_is_asked_for() {
    let line = json!({"prompt": "p", "correct": null, "student": [-1.0, -0.5], "teacher": [-0.5, -9.0]});
    let recorded = || read(std::slice::from_ref(&line));
    assert_eq!(VanillaOpd::DEFAULT.replay(recorded()).unwrap().decisions[0].weight, [1.0, 1.0]);
    assert_eq!(Reopold::DEFAULT.replay(recorded()).unwrap().decisions[0].weight, [1.0, 0.0]);
    assert_eq!(weights(&PAPER.route(scored(&recorded(), 49)).unwrap()), [[1.0, 0.0]]);
    let why = PAPER.route(scored(&recorded(), 50)).err().unwrap().to_string();
    assert!(
        why.starts_with("test:1: ") && why.contains("uncertain") && why.contains("logits.student"),
        "{why}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_order_of_the_batch_and_its_split_change_nothing((lengths, width, seed) in shapes()) {
        let batch = answers(&lengths, width, &VOICES, seed);
        order_is_nothing(&Reopold::DEFAULT, &batch, seed)?;
        let (other, order) = crate::recorded::shuffled(&batch, seed);
        for step in [0, 50] {
            let (one, two) = (routed(&batch, step), routed(&other, step));
            splits_alike(&one)?;
            let (one, two) = (weights(&one), weights(&two));
            for (place, &i) in order.iter().enumerate() {
                prop_assert_eq!(&two[place], &one[i]);
            }
        }
    }

    #[test]
    fn no_reward_is_below_the_floor((lengths, width, seed) in shapes(), lambda in 0.01..0.99) {
        let batch = answers(&lengths, width, &VOICES, seed);
        let before = scored(&recorded(&batch), 0);
        let method = ExploreThenRefine { lambda, ..PAPER };
        let floor = lambda.ln() / (1.0 - lambda);
        let after = method.route(before.clone()).unwrap();
        for (i, response) in before.rollouts.responses_N.iter().enumerate() {
            for t in 0..response.tokens_T.len() {
                let (reward, floored) = (before.signal.reward(i, t), after.signal().reward(i, t));
                prop_assert_eq!(floored, reward.max(floor));
                prop_assert_eq!(after.weight(i, t) == 1.0, reward >= floor);
            }
            prop_assert_eq!(after.signal().return_before(i), before.signal.return_before(i));
        }
    }
}
