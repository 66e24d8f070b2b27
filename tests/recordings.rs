//! Recordings through the binary: the vectors that a replay can express, and every way to be wrong.

mod common;

use common::{limbeck_in, Said};
use serde_json::{json, Value};

fn vectors(key: &str) -> Value {
    let all: Value = serde_json::from_str(include_str!("vectors.json")).unwrap();
    all[key].clone()
}

/// What `limbeck replay` says of this file.
fn replay(recipe: &str, text: impl AsRef<[u8]>, set: &[&str]) -> Said {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("r.jsonl"), text).unwrap();
    let mut words = vec!["replay", recipe, "--rollouts", "r.jsonl"];
    set.iter().for_each(|set| words.extend(["--set", *set]));
    limbeck_in(folder.path(), &words)
}

/// The decisions on these lines, and the summary.
fn decisions(recipe: &str, lines: &[Value], set: &[&str]) -> (Vec<Value>, Value) {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let said = replay(recipe, text, set).good();
    assert_eq!(said.err, "");
    let mut all: Vec<Value> = said.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let last = all.pop().unwrap();
    assert_eq!(all.len(), lines.len());
    (all, last["summary"].clone())
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

#[track_caller]
fn close(got: &Value, want: f64) {
    let got = got.as_f64().unwrap_or_else(|| panic!("{got} is no number"));
    assert!((got - want).abs() < 1e-9, "{got} is not {want}");
}

#[track_caller]
fn all_close(got: &Value, want: &[f64]) {
    assert_eq!(got.as_array().unwrap().len(), want.len());
    got.as_array().unwrap().iter().zip(want).for_each(|(got, want)| close(got, *want));
}

fn setting(name: &str) -> &str {
    match name {
        "mean" => "calibrate.statistic=Mean",
        "minmax" => "calibrate.statistic=MinMax",
        "correct_up" => "calibrate.direction=CorrectUp",
        "incorrect_down" => "calibrate.direction=IncorrectDown",
        _ => "calibrate.direction=Both",
    }
}

/// `words|delta=x` as `--set` has it.
fn case(key: &str) -> (Vec<&str>, String) {
    let (words, delta) = key.split_once("|delta=").unwrap();
    (words.split('|').map(setting).collect(), format!("calibrate.delta={delta}"))
}

/// A response of one token with exactly this return: a tie must stay a tie.
fn one(prompt: &str, correct: &Value, reward: f64) -> Value {
    json!({"prompt": prompt, "correct": correct, "student": [-reward.max(0.0)], "teacher": [reward.min(0.0)]})
}

#[test]
fn the_shift() {
    let v = vectors("uni_margin_shift");
    let lines: Vec<Value> = v["trajectories"]
        .as_array()
        .unwrap()
        .iter()
        .map(|t| json!({"prompt": "q", "correct": t["correct"], "student": t["student"], "teacher": t["teacher"]}))
        .collect();
    for (key, want) in v["cases"].as_object().unwrap() {
        let (mut set, delta) = case(key);
        set.push(&delta);
        let (got, summary) = decisions("UniOpd", &lines, &set);
        for (i, got) in got.iter().enumerate() {
            close(&got["return"], v["returns"][i].as_f64().unwrap());
            close(&got["calibrated_return"], want["calibrated_return"][i].as_f64().unwrap());
            all_close(&got["advantage"], &numbers(&want["calibrated_token_rewards"][i]));
        }
        assert_eq!(summary["calibrated_groups"] == 1, want["shift"] != 0.0, "{key}");
    }
}

#[test]
fn the_scopes_and_the_greedy_mask() {
    let v = vectors("uni_margin_scope");
    let line = |group: &str, i: usize| {
        let part = &v[group];
        one(group, &part["R"][i], part["G"][i].as_f64().unwrap())
    };
    let lines = [line("group1", 0), line("group1", 1), line("group2", 0), line("group2", 1)];
    let offsets = |groups: &[&str]| -> Vec<f64> {
        groups.iter().flat_map(|group| numbers(&v[*group]["out"][2])).collect()
    };
    for (scope, groups) in [("Group", &["group1", "group2"][..]), ("Global", &["global_"])] {
        let (got, _) = decisions("UniOpd", &lines, &[&format!("calibrate.scope={scope}")]);
        for (got, offset) in got.iter().zip(offsets(groups)) {
            close(&got["calibrated_return"], got["return"].as_f64().unwrap() + offset);
        }
    }

    let v = vectors("uni_greedy_mask");
    let returns = numbers(&v["returns"]);
    let lines: Vec<Value> = returns.iter().enumerate().map(|(i, g)| one("q", &v["correct"][i], *g)).collect();
    for (cases, retain) in [("cases", "calibrate.retain=0.25"), ("half_retain", "calibrate.retain=0.5")] {
        for (key, want) in v[cases].as_object().unwrap() {
            let (mut set, delta) = case(key);
            set.extend([&delta, retain]);
            let (got, _) = decisions("UniOpdGreedyMask", &lines, &set);
            for (i, got) in got.iter().enumerate() {
                let dropped = want["masked_order"].as_array().unwrap().contains(&json!(i));
                close(&got["calibrated_return"], if dropped { 0.0 } else { returns[i] });
            }
        }
    }
}

#[test]
fn the_online_balance() {
    for case in vectors("uni_online_balance").as_array().unwrap() {
        let count = |key: &str| case[key].as_u64().unwrap() as usize;
        let lines: Vec<Value> = (0..count("n_correct") + count("n_incorrect"))
            .map(|i| one("q", &json!(i < count("n_correct")), 0.1))
            .collect();
        let ratio = case["ratio"].as_f64().map_or("inf".to_string(), |ratio| ratio.to_string());
        let (got, summary) = decisions("UniOpd", &lines, &[&format!("balance.ratio={ratio}")]);
        let kept = |lines: &[Value]| lines.iter().filter(|line| line["kept"] == true).count();
        let (right, wrong) = got.split_at(count("n_correct"));
        assert_eq!(json!([kept(right), kept(wrong)]), case["kept"], "{case}");
        assert_eq!(summary["kept"], kept(&got));
    }
}

#[test]
fn the_losses() {
    let v = vectors("opd_policy_loss");
    let line = json!({"prompt": "q", "student": v["old_logp"], "teacher": v["teacher_logp"]});
    let (got, summary) = decisions("VanillaOpd", &[line], &[]);
    all_close(&got[0]["advantage"], &numbers(&v["advantage"]));
    let want: Vec<f64> =
        numbers(&v["advantage"]).iter().zip(numbers(&v["gap_mask"])).map(|(a, kept)| -a * kept).collect();
    all_close(&got[0]["loss"], &want);
    close(&summary["loss"], want.iter().sum::<f64>() / want.len() as f64);

    let v = vectors("exopd");
    let line =
        json!({"prompt": "q", "student": v["student"], "teacher": v["teacher"], "reference": v["ref"]});
    let (got, _) = decisions("ExOpd", std::slice::from_ref(&line), &[]);
    all_close(&got[0]["advantage"], &numbers(&v["advantage"]));
    let (got, _) = decisions("ExOpd", &[line], &["score.lambda=1.0"]);
    all_close(&got[0]["advantage"], &numbers(&v["lam1_equals_opd"]));

    let v = vectors("divergences");
    let logits = |key: &str| vec![numbers(&v[key]).iter().map(|p| p.ln() + 3.0).collect::<Vec<_>>()];
    for token in 0..4 {
        let rows = json!({"student": logits("student"), "teacher": logits("teacher")});
        let line = json!({"prompt": "q", "tokens": [token], "logits": rows});
        let (got, summary) = decisions("FullVocabOpd", &[line], &[]);
        close(&got[0]["loss"][0], v["reverse_kl"].as_f64().unwrap());
        close(&got[0]["return"], -v["sampled_k1"][token.to_string()].as_f64().unwrap());
        close(&summary["loss"], v["reverse_kl"].as_f64().unwrap());
        assert_eq!((&got[0]["advantage"], &got[0]["regime"]), (&Value::Null, &Value::Null));
    }
}

/// Every way a line can be wrong names the line and says nothing on stdout.
#[test]
fn what_is_wrong_is_named_and_nothing_is_printed() {
    let good = r#"{"prompt": "p", "correct": true, "student": [-1.0, -2.0], "teacher": [-0.5, -1.5]}"#;
    let rows = |student: &str, teacher: &str| {
        format!(
            r#"{{"prompt": "p", "tokens": [0, 1], "logits": {{"student": {student}, "teacher": {teacher}}}}}"#
        )
    };
    let (two, three) = ("[[1, 2], [3, 4]]", "[[1, 2, 3], [4, 5, 6]]");
    for (line, words) in [
        (r#"{"prompt": "p", "student": [-1]}"#.to_string(), &["r.jsonl:2", "`teacher`"][..]),
        (r#"{"prompt": "p", "teacher": [-1]}"#.into(), &["r.jsonl:2", "`student`"]),
        (r#"{"prompt": "p"}"#.into(), &["r.jsonl:2", "no policy"]),
        (r#"{"student": [-1], "teacher": [-1]}"#.into(), &["r.jsonl:2:", "`prompt`"]),
        (r#"{"prompt": "p", "student": [], "teacher": []}"#.into(), &["r.jsonl:2", "no tokens"]),
        (good.replace("-1.5]", "-1.5, -1]"), &["r.jsonl:2", "2 tokens", "3"]),
        (good.replace("-1.5", "1e-17"), &["r.jsonl:2", "`teacher` token 1", "positive"]),
        (good.replace("-1.5", "0.25"), &["r.jsonl:2", "positive", "0.25"]),
        (good.replace("-1.5", "-1e999"), &["r.jsonl:2:", "out of range"]),
        (good.replace("-1.5", "NaN"), &["r.jsonl:2:"]),
        (good.replace("-1.5", "-Infinity"), &["r.jsonl:2:"]),
        (good.replace("-1.5", "null"), &["r.jsonl:2:", "null"]),
        (good.replace("-1.5", "\"-1.5\""), &["r.jsonl:2:", "string"]),
        (good.replace("[-0.5, -1.5]", "[-1e308, -1e308]"), &["r.jsonl:2", "too large"]),
        (good.replace("true", "\"yes\""), &["r.jsonl:2:", "string"]),
        (good.replace("true", "1"), &["r.jsonl:2:", "integer"]),
        (good.replace("\"p\"", "7"), &["r.jsonl:2:", "integer"]),
        (good.replace("correct", "corect"), &["r.jsonl:2:", "unknown field `corect`"]),
        (good.replace("\"correct\": true", "\"prompt\": \"p\""), &["r.jsonl:2:", "duplicate field"]),
        (good[..good.len() - 1].into(), &["r.jsonl:2:", "EOF"]),
        (format!("{good}{good}"), &["r.jsonl:2:", "trailing"]),
        (format!("[{good}]"), &["r.jsonl:2:"]),
        ("7".into(), &["r.jsonl:2:"]),
        (rows(two, three), &["r.jsonl:2", "unequal width"]),
        (rows(two, "[[1, 2], [3]]"), &["r.jsonl:2", "unequal width", "row 1"]),
        (rows(two, "[[], []]"), &["r.jsonl:2", "unequal width"]),
        (rows(two, "[[1, 2]]"), &["r.jsonl:2", "1 rows for 2 tokens"]),
        (rows(two, "[[1, 2], [1e999, 0]]"), &["r.jsonl:2:", "out of range"]),
        (rows(two, "[[1, 2], [-1.7e308, 1.7e308]]"), &["r.jsonl:2", "no finite log-probability"]),
        (rows("[[1], [2]]", "[[1], [2]]"), &["r.jsonl:2", "id 1", "1 columns"]),
        (rows(two, two).replace("[0, 1]", "[0, -1]"), &["r.jsonl:2:", "-1"]),
        (rows(two, two).replace("\"tokens\": [0, 1], ", ""), &["r.jsonl:2", "without `tokens`"]),
        (rows(two, two).replace("{\"prompt\"", "{\"student\": [-1, -1], \"prompt\""), &["r.jsonl:2", "both"]),
        (rows(two, two).replace("teacher", "tutor"), &["r.jsonl:2:", "unknown field `tutor`"]),
    ] {
        replay("UniOpd", format!("{good}\n{line}\n{good}\n"), &[]).refused(2, words);
    }
    // what only some recipes need
    replay("FullVocabOpd", good, &[]).refused(2, &["r.jsonl:1", "whole distributions"]);
    replay("ExOpd", good, &[]).refused(2, &["r.jsonl:1", "`reference`"]);
    let mixed = format!("{}\n{}\n", rows(two, two), rows(three, three));
    replay("FullVocabOpd", mixed, &[]).refused(2, &["r.jsonl:2", "unequal width", "3 here and 2 before"]);
}

#[test]
fn files_that_are_no_recordings() {
    let good = b"{\"prompt\": \"p\", \"student\": [-1.0], \"teacher\": [-0.5]}\n";
    replay("UniOpd", "", &[]).refused(2, &["r.jsonl", "no recorded responses"]);
    replay("UniOpd", "\n \n", &[]).refused(2, &["r.jsonl", "no recorded responses"]);
    replay("UniOpd", [&good[..], b"\xff\xfe{}\n"].concat(), &[]).refused(2, &["r.jsonl:2", "UTF-8"]);
    replay("UniOpd", [0u8; 300], &[]).refused(2, &["r.jsonl:1"]);
    replay("UniOpd", "[".repeat(100_000), &[]).refused(2, &["r.jsonl:1"]);
    let folder = tempfile::tempdir().unwrap();
    let call = |file: &str| limbeck_in(folder.path(), &["replay", "UniOpd", "--rollouts", file]);
    call("nowhere.jsonl").refused(2, &["nowhere.jsonl", "cannot be read"]);
    call(".").refused(2, &["cannot be read"]);
    // lines end as they like, and blank ones are passed over
    let lines = [&good[..], b"\r\n", good].concat();
    let said = replay("UniOpd", [&lines[..], &good[..good.len() - 1]].concat(), &[]).good();
    assert_eq!(said.out.lines().count(), 4);
}

#[test]
fn settings_of_a_replay() {
    let good = "{\"prompt\": \"p\", \"student\": [-1.0], \"teacher\": [-0.5]}\n";
    for (set, words) in [
        ("calibrate.delta=NaN", &["`calibrate.delta`", "finite"][..]),
        ("calibrate.delta=inf", &["finite"]),
        ("calibrate.delta=high", &["calibrate.delta=high"]),
        ("calibrate.delta", &["no `=`"]),
        ("calibrate.detla=0.1", &["did you mean `delta`"]),
        ("calbrate.delta=0.1", &["did you mean `calibrate`"]),
        ("calibrate.scope=Groups", &["did you mean `Group`"]),
        ("calibrate.direction=Up", &["CorrectUp, IncorrectDown, Both"]),
        ("calibrate.retain=0.5", &["no setting `retain`"]),
        ("balance.ratio=-1", &["0 or above"]),
        ("balance.ratio=NaN", &["0 or above"]),
        ("loss.gap_mask=0", &["gap_mask"]),
        ("steps=5", &["has no run"]),
        ("a.b.c=1", &["too deep"]),
        ("=1", &["not the name of a setting"]),
        ("calibrate.delta=0.1, retain:2", &["calibrate"]),
    ] {
        replay("UniOpd", good, &[set]).refused(2, words);
    }
    replay("UniOdp", good, &[]).refused(2, &["did you mean `UniOpd`"]);
    replay("UniOpd", good, &["rollout.group_size=1", "step.lr=1e-3", "balance.ratio=0"]).good();
}
