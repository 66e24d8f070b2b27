//! The numbers of `vectors.json`, worked out independently of this code, to 1e-12.
//!
//! Here: Uni-OPD, ExOPD and the losses they share. Arrays are read with `row`, cases by their key.

use limbeck::real::entropy;
use limbeck::rng::{Purpose, Stream};
use limbeck::stages::balance::outcome::keep_balanced;
use limbeck::stages::calibrate::margin::{
    add_offset, greedy_mask, margin, shift, trajectory_return, Direction, Shift, Statistic,
};
use limbeck::stages::calibrate::order::order;
use limbeck::stages::data::difficulty::{balanced, detect, Shape, Target};
use limbeck::stages::loss::divergence::Divergence;
use limbeck::stages::loss::estimator::Estimator;
use limbeck::stages::loss::policy::{advantage, extrapolated, PolicyToken};
use limbeck::stages::loss::row::StudentRow;
use limbeck::stages::loss::top_k::{Support, Tail, Truncation};
use serde_json::{Map, Value};

fn vectors(key: &str) -> Value {
    let all: Value = serde_json::from_str(include_str!("vectors.json")).unwrap();
    all[key].clone()
}

fn number(value: &Value) -> f64 {
    match value.as_str() {
        Some("inf") => f64::INFINITY,
        _ => value.as_f64().unwrap_or_else(|| panic!("{value} is no number")),
    }
}

fn row(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(number).collect()
}

fn labels(value: &Value) -> Vec<Option<bool>> {
    value.as_array().unwrap().iter().map(Value::as_bool).collect()
}

fn table(value: &Value) -> &Map<String, Value> {
    value.as_object().unwrap()
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

fn statistic(name: &str) -> Statistic {
    match name {
        "mean" => Statistic::Mean,
        "minmax" => Statistic::MinMax,
        _ => panic!("{name}"),
    }
}

fn direction(name: &str) -> Direction {
    match name {
        "correct_up" => Direction::CorrectUp,
        "incorrect_down" => Direction::IncorrectDown,
        "both" => Direction::Both,
        _ => panic!("{name}"),
    }
}

/// `mean|both|delta=0.4`, or `mean|delta=0.4`: the words, and the number.
fn case(key: &str) -> (Vec<&str>, f64) {
    let (words, delta) = key.split_once("|delta=").unwrap();
    (words.split('|').collect(), delta.parse().unwrap())
}

/// The two distributions of `divergences`, as logits that are not normalised.
fn distributions() -> (Vec<f64>, Vec<f64>) {
    let v = vectors("divergences");
    let logits = |key: &str, off: f64| row(&v[key]).iter().map(|p| p.ln() + off).collect();
    (logits("student", 1.5), logits("teacher", -0.75))
}

fn named(name: &str) -> Divergence {
    match name {
        "forward_kl" => Divergence::ForwardKl,
        "reverse_kl" => Divergence::ReverseKl,
        "js" => Divergence::Jsd { beta: 0.5 },
        "gjs_beta_0p3" => Divergence::Jsd { beta: 0.3 },
        _ => panic!("{name}"),
    }
}

#[test]
fn divergences_and_entropies() {
    let (v, (student, teacher)) = (vectors("divergences"), distributions());
    for name in ["forward_kl", "reverse_kl", "js", "gjs_beta_0p3"] {
        close(named(name).value(&student, &teacher), number(&v[name]));
    }
    close(StudentRow::whole(&student, 0).entropy().unwrap(), number(&v["student_entropy"]));
    close(entropy(&teacher), number(&v["teacher_entropy"]));
}

#[test]
fn divergence_gradients() {
    let (v, (student, teacher)) = (vectors("divergences"), distributions());
    for (name, want) in table(&v["grad_student_logits"]) {
        let mut grad = vec![0.0; 4];
        let value = named(name).gradient(&student, &teacher, &mut grad);
        close(value, number(&v[name]));
        all_close(&grad, &row(want));
    }
}

#[test]
fn top_1_and_top_2() {
    let (v, (student, teacher)) = (vectors("divergences"), distributions());
    for k in [1, 2] {
        for (name, want) in table(&v[format!("top{k}_reverse_kl")]) {
            let (support, tail) = name.split_once('_').unwrap();
            let support = if support == "student" { Support::Student } else { Support::Teacher };
            let tail = match tail {
                "renorm" => Tail::Renormalise,
                "bucket" => Tail::Bucket,
                _ => Tail::Drop,
            };
            let mut student = StudentRow::whole(&student, 0);
            let top = Truncation { k, support, tail };
            let got = top.push(Divergence::ReverseKl, &mut student, &teacher, 1.0).unwrap();
            close(got.value, number(want));
        }
    }
}

#[test]
fn sampled_estimates() {
    let (v, (student, teacher)) = (vectors("divergences"), distributions());
    let at = |logits: &[f64], y: usize| StudentRow::whole(logits, y).log_prob();
    for (key, estimator) in [("sampled_k1", Estimator::K1), ("sampled_k3", Estimator::K3)] {
        for (y, want) in table(&v[key]) {
            let y = y.parse().unwrap();
            close(estimator.value(at(&student, y), at(&teacher, y)), number(want));
        }
    }
}

#[test]
fn policy_loss() {
    let v = vectors("opd_policy_loss");
    let (old, new, teacher) = (row(&v["old_logp"]), row(&v["new_logp"]), row(&v["teacher_logp"]));
    let mut losses = Vec::new();
    for t in 0..old.len() {
        let token = PolicyToken {
            old: old[t],
            new: new[t],
            teacher: Some(teacher[t]),
            advantage: advantage(teacher[t], old[t]),
            clip_low: number(&v["eps_low"]),
            clip_high: number(&v["eps_high"]),
            gap_mask: number(&v["gap_clip"]),
        };
        let got = token.loss();
        close(token.advantage, number(&v["advantage"][t]));
        close(got.loss, number(&v["per_token_loss"][t]));
        assert_eq!(got.masked, number(&v["gap_mask"][t]) == 0.0);
        let free = !got.masked && (0.8..=1.28).contains(&number(&v["ratio"][t]));
        let pessimistic = number(&v["ratio"][t]) < 0.8 && token.advantage > 0.0;
        close(got.slope, if free || pessimistic { got.loss } else { 0.0 });
        losses.push(got.loss);
    }
    // the masked token stays in the denominator: the mean of a response is the mean of its tokens
    close(trajectory_return(&losses), number(&v["sample_loss"]));
}

/// The token rewards, returns and labels of `uni_margin_shift`.
fn trajectories() -> (Vec<Vec<f64>>, Vec<f64>, Vec<Option<bool>>) {
    let v = vectors("uni_margin_shift");
    let all = v["trajectories"].as_array().unwrap();
    let rewards: Vec<Vec<f64>> = all
        .iter()
        .map(|t| row(&t["teacher"]).iter().zip(row(&t["student"])).map(|(&q, s)| advantage(q, s)).collect())
        .collect();
    let returns = rewards.iter().map(|rewards| trajectory_return(rewards)).collect();
    (rewards, returns, all.iter().map(|t| t["correct"].as_bool()).collect())
}

#[test]
fn margin_shift() {
    let (v, (rewards, returns, outcomes)) = (vectors("uni_margin_shift"), trajectories());
    all_close(&returns, &row(&v["returns"]));
    assert_eq!(table(&v["cases"]).len(), 12);
    for (key, want) in table(&v["cases"]) {
        let (words, delta) = case(key);
        let got = shift(&returns, &outcomes, statistic(words[0]), direction(words[1]), delta);
        close(got.margin.unwrap(), number(&want["margin"]));
        close(got.lambda, number(&want["shift"]));
        all_close(&got.offsets, &row(&want["per_trajectory_offset"]));
        let mut calibrated = rewards.clone();
        for (i, rewards) in calibrated.iter_mut().enumerate() {
            add_offset(rewards, got.offsets[i]);
            all_close(rewards, &row(&want["calibrated_token_rewards"][i]));
        }
        let after: Vec<f64> = calibrated.iter().map(|rewards| trajectory_return(rewards)).collect();
        all_close(&after, &row(&want["calibrated_return"]));
        close(margin(&after, &outcomes, statistic(words[0])).unwrap(), number(&want["margin_after"]));
    }
}

#[test]
fn order_of_the_shifted_group() {
    let (v, (_, returns, outcomes)) = (vectors("uni_margin_shift"), trajectories());
    let got = order(&returns, &outcomes);
    assert_eq!(got.consistent, v["order_consistent"].as_bool().unwrap());
    assert_eq!(got.inverted, v["order_violations_correct_lt_incorrect"].as_array().unwrap().len());
    assert_eq!((got.mixed, got.pairs), (true, 4));
}

/// `[margin or null, λ, offsets]`.
#[track_caller]
fn is_shift(got: &Shift, want: &Value) {
    assert_eq!(got.margin.is_some(), want[0].is_number());
    close(got.margin.unwrap_or(0.0), want[0].as_f64().unwrap_or(0.0));
    close(got.lambda, number(&want[1]));
    all_close(&got.offsets, &row(&want[2]));
}

/// The inputs of `no_shift_cases` are not in the file: these have the margins it names.
#[test]
fn margin_shift_skips() {
    let v = &vectors("uni_margin_shift")["no_shift_cases"];
    let (yes, no) = (Some(true), Some(false));
    let run =
        |returns: &[f64], outcomes: &[_]| shift(returns, outcomes, Statistic::Mean, Direction::Both, 0.4);
    is_shift(&run(&[0.1, 0.2], &[yes, yes]), &v["all_correct"]);
    is_shift(&run(&[0.5, -0.2], &[yes, no]), &v["wide_gap"]);
    is_shift(&run(&[0.2, 9.0, 0.1], &[yes, None, no]), &v["none_label_ignored"]);
}

#[test]
fn margin_scope() {
    for (_, scope) in table(&vectors("uni_margin_scope")) {
        let (returns, outcomes) = (row(&scope["G"]), labels(&scope["R"]));
        let got = shift(&returns, &outcomes, Statistic::Mean, Direction::Both, 0.4);
        is_shift(&got, &scope["out"]);
    }
}

#[test]
fn greedy_masks() {
    let v = vectors("uni_greedy_mask");
    let (returns, outcomes) = (row(&v["returns"]), labels(&v["correct"]));
    let check = |retain: f64, cases: &Value| {
        for (key, want) in table(cases) {
            let (words, delta) = case(key);
            let got = greedy_mask(&returns, &outcomes, statistic(words[0]), delta, retain);
            let dropped: Vec<f64> = got.dropped.iter().map(|&i| i as f64).collect();
            assert_eq!(dropped, row(&want["masked_order"]), "{key}");
            close(got.gap.unwrap(), number(&want["info"]["final_gap"]));
            let trace = want["info"]["trace"].as_array().unwrap();
            assert_eq!(got.trace.len(), trace.len());
            for (&(index, gap), want) in got.trace.iter().zip(trace) {
                assert_eq!(index as f64, number(&want[0]));
                close(gap, number(&want[1]));
            }
        }
        table(cases).len()
    };
    assert_eq!(check(number(&v["retain"]), &v["cases"]), 4);
    assert_eq!(check(0.5, &v["half_retain"]), 2);
}

#[test]
fn online_balance() {
    let v = vectors("uni_online_balance");
    let count = |case: &Value, key: &str| number(&case[key]) as usize;
    for (at, case) in v.as_array().unwrap().iter().enumerate() {
        let (right, wrong) = (count(case, "n_correct"), count(case, "n_incorrect"));
        let outcomes: Vec<_> = (0..right + wrong).map(|i| Some(i < right)).collect();
        let mut stream = Stream::new(7, Purpose::Balance, 0, at as u64);
        let kept = keep_balanced(&outcomes, number(&case["ratio"]), &mut stream);
        let of = |kept: &[bool]| kept.iter().filter(|&&kept| kept).count() as f64;
        assert_eq!([of(&kept[..right]), of(&kept[right..])], row(&case["kept"])[..], "{case}");
    }
}

#[test]
fn offline_balance() {
    let v = vectors("uni_offline_balance");
    for (key, shape) in [("U", Shape::U), ("mirrored_J", Shape::MirroredJ)] {
        let counts = |value: &Value| row(value).iter().map(|&n| n as usize).collect::<Vec<_>>();
        let (hist, after) = (counts(&v[key]["hist"]), counts(&v[key]["after"]));
        assert_eq!(detect(&hist), shape);
        let passes: Vec<u32> = (0..9).flat_map(|k| std::iter::repeat_n(k, hist[k as usize])).collect();
        let mut stream = Stream::new(7, Purpose::Difficulty, 0, 0);
        let got = balanced(&passes, 8, Shape::Auto, Target::Max, None, &mut stream);
        assert_eq!((got.shape, &got.before, &got.after), (shape, &hist, &after));
        assert_eq!((got.distinct, got.indices.len()), (passes.len(), after.iter().sum()));
        for (bin, want) in table(&v[key]["full_copies_and_remainder"]) {
            let copies = |i: usize| got.indices.iter().filter(|&&index| index == i).count();
            let bin: Vec<usize> =
                (0..passes.len()).filter(|&i| passes[i].to_string() == *bin).map(copies).collect();
            let full = number(&want[0]) as usize;
            assert!(bin.iter().all(|&n| n == full || n == full + 1));
            assert_eq!(bin.iter().filter(|&&n| n > full).count() as f64, number(&want[1]));
        }
    }
}

#[test]
fn exopd() {
    let v = vectors("exopd");
    let (teacher, student, reference) = (row(&v["teacher"]), row(&v["student"]), row(&v["ref"]));
    for t in 0..teacher.len() {
        let at = |lambda: f64| extrapolated(teacher[t], reference[t], student[t], lambda);
        close(at(number(&v["lam"])), number(&v["advantage"][t]));
        close(at(1.0), number(&v["lam1_equals_opd"][t]));
    }
}
