//! The numbers of `vectors.json`, worked out independently of this code, to 1e-12.
//!
//! Here: DOPD and the methods it is compared with. `vectors.rs` has the rest.

use limbeck::rng::{Purpose, Stream};
use limbeck::stages::loss::dopd::{Dopd, Target, Targets, Weights};
use limbeck::stages::loss::eopd::{self, TeacherTop};
use limbeck::stages::loss::policy::{advantage, PolicyToken};
use limbeck::stages::loss::row::StudentRow;
use limbeck::stages::loss::top_k::{Gathered, Support, Tail, Truncation};
use limbeck::stages::route::gap::{route, Regime, Routing};
use limbeck::stages::route::prune::{keep_top, prune, Which};
use limbeck::stages::route::reopold::{clipped, floor, Phase};
use limbeck::stages::route::tip::{keep_soft_or, normalised, soft_or};
use limbeck::stages::route::visual::{response_weights, token_weights};
use serde_json::Value;

fn vectors(key: &str) -> Value {
    let all: Value = serde_json::from_str(include_str!("vectors.json")).unwrap();
    all[key].clone()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

fn row(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(number).collect()
}

fn rows(value: &Value) -> Vec<Vec<f64>> {
    value.as_array().unwrap().iter().map(row).collect()
}

fn logs(probabilities: &[f64]) -> Vec<f64> {
    probabilities.iter().map(|p| p.ln()).collect()
}

fn mask(value: &Value) -> Vec<bool> {
    row(value).iter().map(|&kept| kept == 1.0).collect()
}

fn indices(mask: &[bool], of: bool) -> Vec<f64> {
    (0..mask.len()).filter(|&i| mask[i] == of).map(|i| i as f64).collect()
}

#[track_caller]
fn close(got: f64, want: f64) {
    assert!((got - want).abs() <= 1e-12, "{got} is not {want}");
}

#[track_caller]
fn all_close(got: &[f64], want: &[f64]) {
    assert_eq!(got.len(), want.len());
    got.iter().zip(want).for_each(|(&got, &want)| close(got, want));
}

#[track_caller]
fn is_routing(got: &Routing, want: &Value) {
    close(got.thresholds.gap, number(&want["A_bar"]));
    close(got.thresholds.student, number(&want["q_S_bar"]));
    close(got.thresholds.teacher, number(&want["q_T_bar"]));
    let names: Vec<String> = got.regimes.iter().map(Regime::to_string).collect();
    let want: Vec<&str> = want["regime"].as_array().unwrap().iter().map(|r| r.as_str().unwrap()).collect();
    assert_eq!(names, want);
}

/// `dopd_sequence`: the student, the hinted student, the hinted teacher (as logits that are not
/// normalised), and the sampled tokens.
struct Sequence {
    student: Vec<Vec<f64>>,
    hinted: Vec<Vec<f64>>,
    teacher: Vec<Vec<f64>>,
    sampled: Vec<usize>,
}

impl Sequence {
    fn read() -> Self {
        let v = &vectors("dopd_sequence")["input"];
        let logits = |key: &str, off: f64| {
            rows(&v[key]).iter().map(|row| row.iter().map(|p| p.ln() + off).collect()).collect()
        };
        Self {
            student: logits("student", 1.5),
            hinted: logits("priv_student", -0.75),
            teacher: logits("priv_teacher", 2.25),
            sampled: row(&v["sampled"]).iter().map(|&id| id as usize).collect(),
        }
    }

    fn sampled(&self, of: &[Vec<f64>]) -> Vec<f64> {
        let at = |(row, &y): (&Vec<f64>, &usize)| StudentRow::whole(row, y).log_prob();
        of.iter().zip(&self.sampled).map(at).collect()
    }

    fn route(&self) -> Routing {
        route(&self.sampled(&self.hinted), &self.sampled(&self.teacher), 0.05)
    }
}

fn variant(name: &str) -> Truncation {
    let (k, support, tail) = match name {
        "student_topk_renorm" => (2, Support::Student, Tail::Renormalise),
        "teacher_topk_renorm" => (2, Support::Teacher, Tail::Renormalise),
        "student_topk_bucket" => (2, Support::Student, Tail::Bucket),
        "full_support_K5" => (5, Support::Student, Tail::Renormalise),
        _ => panic!("{name}"),
    };
    Truncation { k, support, tail }
}

#[test]
fn dopd_sequence_losses() {
    let (v, sequence) = (vectors("dopd_sequence"), Sequence::read());
    let routing = sequence.route();
    let weights = Weights { light: number(&v["beta_light"]), weak: number(&v["beta_weak"]) };
    assert_eq!((weights, number(&v["K"])), (Weights::default(), 2.0));
    let variants = ["student_topk_renorm", "teacher_topk_renorm", "student_topk_bucket", "full_support_K5"];
    let losses = [0.091353, 0.086801, 0.097994, 0.110439];
    for (name, loss) in variants.into_iter().zip(losses) {
        let want = &v[name];
        is_routing(&routing, want);
        all_close(&routing.gaps, &row(&want["A"]));
        let dopd = Dopd { weights, truncation: variant(name), ..Dopd::default() };
        let mut sum = 0.0;
        for (t, &regime) in routing.regimes.iter().enumerate() {
            let targets = Targets {
                teacher: Some(Target::Row(&sequence.teacher[t])),
                student: Some(Target::Row(&sequence.hinted[t])),
            };
            let mut student = StudentRow::whole(&sequence.student[t], sequence.sampled[t]);
            let got = dopd.push(regime, &mut student, targets).unwrap();
            close(got.divergence, number(&want["divergence"][t]));
            close(got.weight, number(&want["weight"][t]));
            close(got.value, number(&want["token_loss"][t]));
            assert_eq!(got.masses.is_none(), regime == Regime::HT);
            sum += got.value;
        }
        close(sum / 6.0, number(&want["sequence_loss"]));
        assert!((sum / 6.0 - loss).abs() < 5e-7);
    }
    all_close(&sequence.sampled(&sequence.hinted), &logs(&row(&v["student_topk_renorm"]["q_S"])));
    all_close(&sequence.sampled(&sequence.teacher), &logs(&row(&v["student_topk_renorm"]["q_T"])));
}

/// Of the mean over the sequence; once from whole rows, once from what a server would have kept.
#[test]
fn dopd_sequence_gradients() {
    let (v, sequence) = (vectors("dopd_sequence"), Sequence::read());
    let want = rows(&v["grad_student_logits_topk_renorm_student_support"]);
    let dopd = Dopd { truncation: variant("student_topk_renorm"), ..Dopd::default() };
    for (t, regime) in sequence.route().regimes.into_iter().enumerate() {
        let student = &sequence.student[t];
        let source = match regime {
            Regime::LH | Regime::HT => &sequence.teacher[t],
            Regime::LL | Regime::HS => &sequence.hinted[t],
        };
        let ids = Support::Student.of(student, source, 2);
        let gathered = Gathered::of(source, &ids);
        for target in [Target::Row(source), Target::On(&ids, &gathered)] {
            // the other source is not even there
            let targets = match regime {
                Regime::LH | Regime::HT => Targets { teacher: Some(target), student: None },
                Regime::LL | Regime::HS => Targets { teacher: None, student: Some(target) },
            };
            let mut grad = vec![0.0; 5];
            let mut row = StudentRow::traced(student, sequence.sampled[t], &mut grad);
            match (dopd.push(regime, &mut row, targets), target) {
                (None, Target::On(..)) if regime == Regime::HT => continue,
                (None, _) => panic!("{regime} has no loss"),
                (Some(_), _) => grad.iter_mut().for_each(|g| *g /= 6.0),
            }
            all_close(&grad, &want[t]);
        }
    }
}

#[test]
fn dopd_trim() {
    let v = vectors("dopd_trim");
    let (student, teacher) = (logs(&row(&v["q_S"])), logs(&row(&v["q_T"])));
    let mut moved = Vec::new();
    for (case, trim) in [("trim5", 0.05), ("no_trim", 0.0)] {
        let (got, want) = (route(&student, &teacher, trim), &v[case]);
        is_routing(&got, want);
        all_close(&got.gaps, &row(&v["A"]));
        let dropped = indices(&prune(&got.gaps, trim, Which::Highest), false);
        assert_eq!(dropped, row(&want["dropped"]));
        assert_eq!(got.thresholds.dropped, dropped.len());
        moved.push(got.regimes);
    }
    assert_eq!(moved[0].iter().zip(&moved[1]).filter(|(a, b)| a != b).count(), 5);
}

#[test]
fn dopd_degenerate() {
    let regime = vectors("dopd_degenerate")["regime"].as_str().unwrap().to_owned();
    let log_probs: Vec<f64> = (1..60).map(|i| (f64::from(i) / 61.0).ln()).collect();
    let got = route(&log_probs, &log_probs, 0.05);
    assert!(got.regimes.iter().all(|at| at.to_string() == regime));
    assert_eq!((got.thresholds.gap, got.thresholds.dropped), (0.0, 2));
}

#[test]
fn dopd_prune20() {
    let v = vectors("dopd_prune20");
    let gaps = row(&v["A"]);
    assert_eq!(prune(&gaps, 0.2, Which::Highest), mask(&v["high"]));
    assert_eq!(prune(&gaps, 0.2, Which::Lowest), mask(&v["low"]));
    let mut stream = Stream::new(7, Purpose::Shuffle, 0, 0);
    let any = prune(&gaps, 0.2, Which::Random(&mut stream));
    assert_eq!(indices(&any, false).len(), 4);
}

#[test]
fn eopd_token() {
    let v = vectors("eopd");
    let (student, teacher) = (logs(&row(&v["student"])), logs(&row(&v["teacher"])));
    let (y, k, tau) = (number(&v["sampled"]) as usize, number(&v["k"]) as usize, number(&v["tau"]));
    let top = TeacherTop::of(&teacher, k);
    close(top.entropy, number(&v["teacher_entropy"]));
    let token = PolicyToken {
        old: student[y],
        new: f64::NAN, // taken from the row
        teacher: Some(teacher[y]),
        advantage: advantage(teacher[y], student[y]),
        clip_low: 0.2,
        clip_high: 0.2,
        gap_mask: f64::INFINITY,
    };
    close(token.advantage, number(&v["adv"]));
    let got = eopd::push(token, &top, tau, &mut StudentRow::whole(&student, y)).unwrap();
    assert_eq!(got.forward.is_some(), number(&v["gate"]) == 1.0);
    close(got.forward.unwrap(), number(&v["fkl_topk"]));
    close(got.value, number(&v["token_loss_onpolicy"]));
    let certain = TeacherTop::of(&logs(&row(&v["low_entropy_teacher"])), k);
    let got = eopd::push(token, &certain, tau, &mut StudentRow::whole(&student, y)).unwrap();
    assert_eq!(got.forward.is_some(), number(&v["low_gate"]) == 1.0);
    close(got.value, got.sampled.loss);
}

#[test]
fn tip_soft_or() {
    let v = vectors("tip_soft_or");
    let (entropies, divergences) = (row(&v["entropy"]), row(&v["divergence"]));
    all_close(&normalised(&entropies, 0.02), &row(&v["h_norm"]));
    all_close(&normalised(&divergences, 0.0), &row(&v["d_norm"]));
    all_close(&soft_or(&entropies, &divergences, 0.02), &row(&v["score"]));
    let kept = keep_soft_or(&entropies, &divergences, 0.02, 0.5);
    assert_eq!(indices(&kept, true), row(&v["keep50"]));
    assert_eq!(keep_top(&row(&v["score"]), 0.5), kept);
}

#[test]
fn reopold() {
    let v = vectors("reopold");
    let (rewards, bound) = (row(&v["reward"]), floor(number(&v["lam"])));
    close(bound, number(&v["floor"]));
    all_close(&clipped(&rewards, bound), &row(&v["clipped"]));
    assert_eq!(Phase::Explore { floor: bound }.keep(&rewards, &[0.0; 3]), mask(&v["phase1_mask"]));
}

#[test]
fn va_opd() {
    let v = vectors("va_opd");
    let advantages = rows(&v["visual_advantage"]);
    let means = row(&v["response_means"]);
    for (response, &want) in advantages.iter().zip(&means) {
        close(response.iter().sum::<f64>() / response.len() as f64, want);
    }
    all_close(&response_weights(&means), &row(&v["response_weights"]));
    let got = token_weights(&advantages, 0.2, 0.5);
    for (got, want) in got.iter().zip(rows(&v["token_weights"])) {
        all_close(got, &want);
    }
    close(got.iter().flatten().sum(), number(&v["total_mass"]));
}
