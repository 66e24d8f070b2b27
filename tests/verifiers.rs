//! Verifiers as runs use them: the verdicts of `Math` beside those of others, and what run files choose.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use common::Bench;
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

/// Where its tasks score otherwise on purpose. Some give a part for an answer in another spelling, 24.0 for 24; the
/// scores of gsm_symbolic do not look at the sign.
fn scored_otherwise(line: &Value, score: f64) -> Option<bool> {
    let (answer, response) = (text(line, "answer"), text(line, "response"));
    if score > 0.0 && score < 1.0 && response.contains(&format!("{answer}.0")) {
        return Some(true);
    }
    let turned = text(line, "task") == "gsm_symbolic" && response.contains(&format!("-{answer}"));
    turned.then_some(false)
}

#[test]
fn math_scores_as_reasoning_gym_does() {
    let mut tasks: BTreeMap<String, [usize; 2]> = BTreeMap::new();
    for line in &lines("reasoning_gym.jsonl") {
        let (ours, score) = (verdict(line), line["score"].as_f64().unwrap());
        assert_eq!(ours, scored_otherwise(line, score).unwrap_or(score == 1.0), "{line}");
        tasks.entry(text(line, "task").into()).or_default()[usize::from(ours)] += 1;
    }
    assert!(tasks.len() > 10 && tasks.values().flatten().sum::<usize>() >= 100, "{tasks:?}");
    assert!(tasks.values().all(|[wrong, right]| *wrong > 0 && *right > 0), "{tasks:?}");
}

const TASKS: &str = "tasks: (levels: (2, 2), per_level: 4, seed: 3),
    eval: (tasks: (levels: (2, 2), per_level: 3, split: HeldOut)),";

/// A bench with `rows` to train on and to look at, and a run file `r.ron` that chooses `verifiers`.
fn bench(rows: &[Value], verifiers: &str) -> Bench {
    let bench = Bench::new();
    bench.write("rows.jsonl", rows.iter().map(|row| format!("{row}\n")).collect::<String>());
    choose(&bench, verifiers);
    bench
}

fn choose(bench: &Bench, verifiers: &str) {
    let data = format!(
        "data: \"rows.jsonl\", verifiers: {verifiers},\n    eval: (data: \"rows.jsonl\", temperature: 0),"
    );
    bench.run_with(
        "r.ron",
        &[
            (TASKS, &data),
            ("UniOpd", "Grpo"),
            ("teachers: {\"math\": \"math\", \"code\": \"code\"},", ""),
            ("data: (samples: 2, max_response_tokens: 6),", ""),
        ],
    );
}

fn sums() -> Vec<Value> {
    let row = |prompt: &str, domain: &str| json!({"prompt": prompt, "answer": "20", "domain": domain});
    vec![row("^m4*5>", "sums"), row("^m4*5>", "sums"), row("^m5*4>", "others"), row("^m5*4>", "others")]
}

/// One choice decides outcomes in training, held-out accuracy and `eval`, and is a part of the run.
#[test]
fn training_and_accuracy_ask_the_chosen_verifier() {
    // a pattern that the answer need not stand in is always right
    let bench = bench(&sums(), r#"{"sums": Pattern("{answer}|")}"#);
    let eval = bench.limbeck(&["eval", "r.ron", "--json", "--quiet"]).good().json();
    let cells = &eval["accuracy"]["rows"][0]["cells"];
    assert_eq!((&cells["sums"]["accuracy"], &cells["others"]["accuracy"]), (&json!(1.0), &json!(0.0)));
    let trained = bench.limbeck(&["train", "r.ron", "--out", "out", "--json", "--quiet"]).good().json();
    let rows = &trained["accuracy"]["rows"];
    assert_eq!(
        (&rows[0]["cells"]["sums"]["accuracy"], &rows[1]["cells"]["sums"]["accuracy"]),
        (&json!(1.0), &json!(1.0))
    );
    assert!(bench.read("out/run.ron").contains(r#"verifiers: {"sums":Pattern("{answer}|")}"#));
    let outcomes: Vec<Value> =
        bench.read("out/samples.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(!outcomes.is_empty());
    for line in &outcomes {
        assert_eq!(line["correct"], json!(line["domain"] == "sums"), "{line}");
    }
    // another choice is another run
    let changed = bench.read("out/run.ron").replace("Pattern(\"{answer}|\")", "Math");
    bench.write("out/run.ron", changed);
    bench.limbeck(&["resume", "out"]).refused(2, &["run.ron is not the one"]);
}

#[test]
fn check_says_who_judges_and_what_does_not_fit() {
    let good = bench(&sums(), r#"{"sums": Math, "others": Exact}"#);
    let said = good.limbeck(&["check", "r.ron"]).good().out;
    assert!(
        said.contains("verifier of sums: math\n") && said.contains("verifier of others: exact\n"),
        "{said}"
    );

    choose(&good, r#"{"sum": Math, "others": Pattern("(")}"#);
    let said = good.limbeck(&["check", "r.ron"]);
    assert_eq!(said.code, Some(2));
    for words in
        ["no row has the domain `sum`", "did you mean `sums`?", "\"others\": is no regular expression"]
    {
        assert!(said.err.contains(words), "{words}: {}", said.err);
    }
    choose(&good, r#"{"sums": Own("sums")}"#);
    good.limbeck(&["train", "r.ron"]).refused(2, &["this program offers no verifier `sums`", "offer("]);
    choose(&good, r#"{"sums": Maths}"#);
    good.limbeck(&["train", "r.ron"]).refused(2, &["`Maths` is not a value", "did you mean `Math`?"]);

    let mut rows = sums();
    rows[1]["answer"] = json!("the red house");
    rows[2]["domain"] = json!("");
    let unfit = bench(&rows, r#"{"sums": Math, "": UnitTests()}"#);
    let words = [
        "rows.jsonl, row 2: the answer \"the red house\" is no number and no expression",
        "row 3: the row has no tests",
    ];
    unfit.limbeck(&["train", "r.ron", "--out", "out"]).refused(2, &words);
    assert!(unfit.list("out").is_empty(), "what is wrong leaves nothing behind");
}
