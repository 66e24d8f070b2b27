//! DOPD through its stages: what must hold of any batch, and the paper's ablations as settings.

use limbeck::capability::{Signal, TwoVoices};
use limbeck::prelude::*;
use limbeck::replay::Replay;
use limbeck::signal::Rows;
use limbeck::stages::route::Route;
use limbeck::stages::score::Score;
use limbeck::world::roster::Kind;
use limbeck_recipes::Dopd;
use proptest::prelude::*;
use proptest::sample::select;

use crate::recorded::{
    answers, close, kl, order_is_nothing, recorded, replay, scored, shapes, splits_alike, Answer,
};

#[recipe]
struct Ablated {
    #[teacher(reads = StepHints)]
    teacher: Frozen,
    #[teacher(reads = StepHints)]
    hindsight: Own,

    data: Prompts,
    rollout: Sample,
    score: FullVocab,
    route: AdvantageGap,
    loss: Routed<TopK<16>>,
    step: AdamW,
}

/// Every token from the hinted teacher, or every token from the hinted student.
macro_rules! plain_distillation {
    ($name:ident, $kind:ident, $loss:ident) => {
        #[recipe]
        struct $name {
            #[teacher(reads = StepHints)]
            teacher: $kind,

            data: Prompts,
            rollout: Sample,
            score: FullVocab,
            loss: $loss,
            step: AdamW,
        }
    };
}

plain_distillation!(FromTeacher, Frozen, ReverseKl);
plain_distillation!(FromHindsight, Own, ReverseKl);
plain_distillation!(ForwardFromTeacher, Frozen, ForwardKl);
plain_distillation!(BetweenTeacher, Frozen, Jsd);

const VOICES: [&str; 3] = ["student", "hinted_student", "hinted_teacher"];

const LOSS: Routed<TopK<16>> = Ablated::DEFAULT.loss;

fn with(loss: Routed<TopK<16>>) -> Ablated {
    Ablated { loss, ..Ablated::DEFAULT }
}

fn regime(got: &Replay, i: usize, t: usize) -> &str {
    &got.decisions[i].regime.as_ref().unwrap()[t]
}

/// The divergence of two rows of probabilities.
fn divergence(which: Divergence, s: &[f64], q: &[f64]) -> f64 {
    match which {
        Divergence::ForwardKl => kl(q, s),
        Divergence::ReverseKl => kl(s, q),
        Divergence::Jsd { beta } => {
            let m: Vec<f64> = s.iter().zip(q).map(|(s, q)| beta * q + (1.0 - beta) * s).collect();
            beta * kl(q, &m) + (1.0 - beta) * kl(s, &m)
        }
    }
}

/// The student's 16 likeliest tokens, both sides renormalised on them.
fn cut(s: &[f64], q: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let mut ids: Vec<usize> = (0..s.len()).collect();
    ids.sort_by(|&a, &b| s[b].total_cmp(&s[a]));
    ids.truncate(16);
    let part = |p: &[f64]| {
        let mass: f64 = ids.iter().map(|&i| p[i]).sum();
        ids.iter().map(|&i| p[i] / mass).collect()
    };
    (part(s), part(q))
}

fn divergences() -> impl Strategy<Value = Divergence> {
    select(vec![Divergence::ForwardKl, Divergence::ReverseKl, Divergence::Jsd { beta: 0.3 }])
}

fn sets() -> impl Strategy<Value = RegimeSet> {
    (1u8..16).prop_map(|bits| RegimeSet {
        lh: bits & 1 > 0,
        ll: bits & 2 > 0,
        ht: bits & 4 > 0,
        hs: bits & 8 > 0,
    })
}

fn learns(set: RegimeSet, regime: &str) -> bool {
    match regime {
        "LH" => set.lh,
        "LL" => set.ll,
        "HT" => set.ht,
        _ => set.hs,
    }
}

#[test]
fn the_ablations_are_what_they_are_when_written_plainly() {
    let forward = Divergence::ForwardKl;
    let between = Divergence::Jsd { beta: 0.3 };
    for (strong, gentle, strong_whole, seed) in [
        (Divergence::ReverseKl, Divergence::ReverseKl, true, 1),
        (Divergence::Jsd { beta: 0.5 }, between, false, 2),
        (forward, between, true, 3),
        (between, forward, false, 4),
    ] {
        let batch = answers(&[3, 7, 1, 12, 30], 40 * seed as usize, &VOICES, seed);
        let loss = Routed { light: 0.7, weak: 0.2, strong, gentle, strong_whole, ..LOSS };
        let got = replay(&with(loss), &batch);
        let mut total = 0.0;
        for (i, answer) in batch.iter().enumerate() {
            let mut sum = 0.0;
            for t in 0..answer.tokens.len() {
                let (voice, weight) = match regime(&got, i, t) {
                    "LH" => ("hinted_teacher", 0.7),
                    "LL" => ("hinted_student", 0.2),
                    "HT" => ("hinted_teacher", 1.0),
                    _ => ("hinted_student", 0.7),
                };
                let (s, q) = (answer.of("student", t), answer.of(voice, t));
                let (a, b) = cut(&s, &q);
                let want = weight
                    * match (regime(&got, i, t), strong_whole) {
                        ("HT", true) => divergence(strong, &s, &q),
                        ("HT", false) => divergence(strong, &a, &b),
                        _ => divergence(gentle, &a, &b),
                    };
                close(got.decisions[i].loss[t], want);
                close(got.decisions[i].weight[t], weight);
                sum += want;
            }
            total += sum / answer.tokens.len() as f64;
        }
        close(got.summary.loss, total / batch.len() as f64);
        assert_eq!(got.summary.regimes.unwrap().values().filter(|&&n| n > 0).count(), 4);
    }
}

/// The same rows on both sides: every gap is 0, so every token is HT.
fn one_voice(batch: &[Answer]) -> Vec<Answer> {
    let mut batch = batch.to_vec();
    for answer in &mut batch {
        answer.rows[1].1 = answer.rows[2].1.clone();
    }
    batch
}

/// What two voices said of the sampled tokens, over a vocabulary of one.
#[derive(Clone)]
struct Two {
    said: Vec<Vec<(f64, f64)>>,
    heard: Vec<bool>,
    rows: Rows,
}

impl Signal for Two {
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

impl TwoVoices for Two {
    fn said(&self, i: usize, t: usize) -> (f64, f64) {
        self.said[i][t]
    }
    fn teacher(&self, _: usize) -> &Rows {
        &self.rows
    }
    fn hindsight(&self, _: usize) -> &Rows {
        &self.rows
    }
    fn width(&self) -> usize {
        1
    }
}

#[test]
fn what_nobody_spoke_of_moves_no_average() {
    let route = |said: Vec<Vec<(f64, f64)>>, heard: Vec<bool>| {
        let lengths: Vec<usize> = said.iter().map(Vec::len).collect();
        let signal = Two { said, heard, rows: Rows::F64([0.0; 4].into()) };
        let method = AdvantageGap { trim: 0.0, scope: GapScope::Batch };
        let routed = method.route(scored(&lengths, signal)).unwrap();
        (0..4).map(|t| routed.signal().regime(0, t).unwrap().to_string()).collect::<Vec<_>>()
    };
    let said = vec![(-0.1, -0.2), (-3.0, -3.1), (-0.1, -2.0), (-2.0, -0.1)];
    let wide = vec![(-0.1, -60.0); 4];
    let alone = route(vec![said.clone()], vec![true]);
    assert_eq!(alone, ["LH", "LL", "HT", "HS"]);
    assert_eq!(route(vec![said.clone(), wide.clone()], vec![true, false]), alone);
    assert_ne!(route(vec![said, wide], vec![true, true]), alone);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn the_order_of_the_batch_and_its_split_change_nothing((lengths, width, seed) in shapes()) {
        let batch = answers(&lengths, width, &VOICES, seed);
        order_is_nothing(&Dopd::DEFAULT, &batch, seed)?;
        let recorded = recorded(&batch);
        let teachers =
            (Frozen {}.seat("teacher").reads(StepHints), Own {}.seat("hindsight").reads(StepHints));
        let scored = FullVocab { keep: 0 }.recall(&recorded, &teachers, recorded.unjudged().unwrap()).unwrap();
        splits_alike(&AdvantageGap { trim: 0.05, scope: GapScope::Batch }.route(scored).unwrap())?;
    }

    #[test]
    fn who_does_not_learn_has_no_loss_and_still_counts(
        (lengths, width, seed) in shapes(), learn in sets(),
    ) {
        let batch = answers(&lengths, width, &VOICES, seed);
        let all = replay(&with(LOSS), &batch);
        let some = replay(&with(Routed { learn, ..LOSS }), &batch);
        let mut total = 0.0;
        for (i, length) in lengths.iter().enumerate() {
            for t in 0..*length {
                let regime = regime(&all, i, t);
                prop_assert_eq!(regime, self::regime(&some, i, t));
                let of = |replay: &Replay| (replay.decisions[i].weight[t], replay.decisions[i].loss[t]);
                prop_assert_eq!(of(&some), if learns(learn, regime) { of(&all) } else { (0.0, 0.0) });
            }
            total += some.decisions[i].loss.iter().sum::<f64>() / *length as f64;
        }
        prop_assert!((some.summary.loss - total / lengths.len() as f64).abs() <= 1e-12);
    }

    /// With equal weights and all of the vocabulary, each token is plainly distilled from its source.
    #[test]
    fn equal_and_whole_it_is_plain_distillation((lengths, width, seed) in shapes()) {
        let batch = answers(&lengths, width, &VOICES, seed);
        let reverse = Divergence::ReverseKl;
        let loss = Routed { light: 1.0, weak: 1.0, strong: reverse, gentle: reverse, ..LOSS };
        let got = replay(&with(loss), &batch);
        let (teacher, hindsight) =
            (replay(&FromTeacher::DEFAULT, &batch), replay(&FromHindsight::DEFAULT, &batch));
        for (i, length) in lengths.iter().enumerate() {
            for t in 0..*length {
                let source = if ["LH", "HT"].contains(&regime(&got, i, t)) { &teacher } else { &hindsight };
                prop_assert_eq!(got.decisions[i].loss[t], source.decisions[i].loss[t]);
                prop_assert_eq!(got.decisions[i].weight[t], 1.0);
            }
        }
    }

    /// Where there is one regime only, the recipe is the one with that divergence, to the last bit.
    #[test]
    fn one_regime_is_plain_distillation(
        (lengths, width, seed) in shapes(), strong in divergences(), strong_whole: bool,
    ) {
        let batch = one_voice(&answers(&lengths, width, &VOICES, seed));
        let got = replay(&with(Routed { light: 1.0, weak: 1.0, strong, strong_whole, ..LOSS }), &batch);
        let plain = match strong {
            Divergence::ForwardKl => replay(&ForwardFromTeacher::DEFAULT, &batch),
            Divergence::ReverseKl => replay(&FromTeacher::DEFAULT, &batch),
            Divergence::Jsd { beta } => {
                let loss = Jsd { beta, ..BetweenTeacher::DEFAULT.loss };
                replay(&BetweenTeacher { loss, ..BetweenTeacher::DEFAULT }, &batch)
            }
        };
        for (got, plain) in got.decisions.iter().zip(&plain.decisions) {
            prop_assert!(got.regime.as_ref().unwrap().iter().all(|regime| regime == "HT"));
            prop_assert_eq!((&got.loss, &got.weight), (&plain.loss, &plain.weight));
        }
        prop_assert_eq!(got.summary.loss, plain.summary.loss);
    }
}
