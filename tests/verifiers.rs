//! Verifiers as runs use them: the verdicts of `Math` beside those of others, and what run files choose.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use common::limbeck_in;
use limbeck::world::rows::Row;
use limbeck::world::verifier::{Math, Verifier};
use serde_json::{json, Value};

fn lines(name: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/verifiers").join(name);
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn text<'a>(line: &'a Value, field: &str) -> &'a str {
    line[field].as_str().unwrap()
}

fn verdict(line: &Value) -> bool {
    let row = Row { answer: Some(text(line, "answer").into()), ..Row::new("?") };
    Math.judge(&row, text(line, "response"), true).unwrap().unwrap()
}

/// Where `Math` and math-verify 0.9.0 differ on purpose: an answer, a response, what `Math` says, and why.
const DIFFER: &[(&str, &str, bool, &str)] = &[
    ("42", r"\boxed{42.}", true, "the end of a sentence is no part of a number"),
    (r"6.02 \times 10^{23}", r"\boxed{60.2 \times 10^{22}}", true, "the same number, compared exactly"),
    (r"12.5\%", r"\boxed{12.5}", true, "as 50% is 50 for both of them"),
    ("3+2i", r"\boxed{3 + 2 i}", true, "a blank before the unit is no other number"),
    ("-i", r"\boxed{-1i}", true, "i is the imaginary unit wherever it stands"),
    ("-i", r"\boxed{i^3}", true, "i² = −1"),
    ("2ab", r"\boxed{2ba}", true, "factors may change places"),
    ("2ab", r"\boxed{ab+ab}", true, "the same polynomial"),
    ("2ab", r"\boxed{2 \cdot a \cdot b}", true, "the same polynomial"),
    (
        r"(-\infty,3]",
        r"\boxed{x \le 3}",
        true,
        "an inequality is its interval, whichever of the two the row has",
    ),
    (r"(-\infty,3]", r"\boxed{x \leq 3}", true, "as above"),
    (r"(2,\infty)", r"\boxed{x>2}", true, "as above"),
    (r"(2,\infty)", r"\boxed{2<x}", true, "as above"),
    (r"\emptyset", r"\boxed{\varnothing}", true, "two signs for the empty set"),
    (
        "42",
        "First I thought \\boxed{24}.\nNo: \\boxed{42}",
        true,
        "the last box counts, and not the set of all",
    ),
    ("42", "we have 40 + 2", false, "of a sentence without a mark the last number counts"),
];

#[test]
fn math_says_what_math_verify_says() {
    let lines = lines("math_verify.jsonl");
    assert!(lines.len() >= 300, "{}", lines.len());
    let mut met = 0;
    for line in &lines {
        let (answer, response, ours) = (text(line, "answer"), text(line, "response"), verdict(line));
        let theirs = line["verdict"].as_bool().unwrap();
        match DIFFER.iter().find(|(a, r, ..)| (*a, *r) == (answer, response)) {
            Some((.., says, why)) => {
                assert_eq!((ours, theirs), (*says, !says), "{answer} | {response}: {why}");
                met += 1;
            }
            None => assert_eq!(ours, theirs, "{answer} | {response}"),
        }
    }
    assert_eq!(met, DIFFER.len(), "a difference that is not among the cases");
    assert!(20 * DIFFER.len() < lines.len(), "{} differences are too many", DIFFER.len());
    let right = lines.iter().filter(|line| line["verdict"] == true).count();
    assert!(3 * right > lines.len() && 3 * (lines.len() - right) > lines.len(), "{right} are right");
}

#[test]
fn math_scores_as_reasoning_gym_does() {
    let mut tasks: BTreeMap<String, [usize; 2]> = BTreeMap::new();
    for line in &lines("reasoning_gym.jsonl") {
        let (ours, score) = (verdict(line), line["score"].as_f64().unwrap());
        assert_eq!(ours, score == 1.0, "{line}");
        tasks.entry(text(line, "task").into()).or_default()[usize::from(ours)] += 1;
    }
    assert!(tasks.len() > 10 && tasks.values().flatten().sum::<usize>() >= 100, "{tasks:?}");
    assert!(tasks.values().all(|[wrong, right]| *wrong > 0 && *right > 0), "{tasks:?}");
}
