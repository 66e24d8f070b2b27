//! Recipes in training: what the scores hear of real models reaches the routes.

use serde_json::Value;

use crate::common::{Bench, Said};

const TASKS: &str = "tasks: (levels: (2, 2), per_level: 4, seed: 3)";

fn metrics(bench: &Bench, out: &str) -> Vec<Value> {
    let text = bench.read(&format!("{out}/metrics.jsonl"));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn number(line: &Value, name: &str) -> f64 {
    line[name].as_f64().unwrap_or_else(|| panic!("no {name} in {line}"))
}

/// Three steps of `recipe`, which has no use for some of the bench's settings.
fn train(bench: &Bench, recipe: &str, set: &[&str]) -> Vec<Value> {
    bench.run_with("bare.ron", &[("data: (samples: 2, max_response_tokens: 6),", "")]);
    let mut words = vec!["train", "bare.ron", "--recipe", recipe, "--out", recipe, "--quiet"];
    set.iter().for_each(|set| words.extend(["--set", *set]));
    bench.limbeck(&words).good();
    let lines = metrics(bench, recipe);
    assert_eq!(lines.len(), 3);
    lines
}

/// `ceil(share·n)` of the step's tokens are kept, and they are the uncertain ones.
fn keeps(line: &Value, share: f64) {
    let n = number(line, "tokens");
    assert!((number(line, "kept_tokens") - (share * n).ceil() / n).abs() < 1e-12, "{line}");
    assert!(number(line, "kept_entropy") >= number(line, "entropy"), "{line}");
}

#[test]
fn tip_keeps_its_half() {
    let bench = Bench::new();
    for line in train(&bench, "Tip", &["route.importance=Entropy", "route.keep=0.3"]) {
        keeps(&line, 0.3);
    }
}

#[test]
fn reopold_explores_and_then_refines() {
    let bench = Bench::new();
    let lines = train(&bench, "Reopold", &["route.explore_steps=1"]);
    // random models differ little: no reward is under the floor
    assert_eq!(number(&lines[0], "kept_tokens"), 1.0);
    assert!((number(&lines[0], "kept_entropy") - number(&lines[0], "entropy")).abs() < 1e-4);
    lines[1..].iter().for_each(|line| keeps(line, 0.2));
}

#[test]
fn ex_opd_at_lambda_1_is_vanilla_opd() {
    let bench = Bench::new();
    let student = |recipe: &str, set: &[&str]| {
        train(&bench, recipe, set);
        std::fs::read(bench.path(&format!("{recipe}/checkpoints/step-000003/student/model.safetensors")))
            .unwrap()
    };
    let vanilla = student("VanillaOpd", &[]);
    assert!(vanilla == student("ExOpd", &["score.lambda=1.0"]), "not the same bits");
    std::fs::remove_dir_all(bench.path("ExOpd")).unwrap();
    assert!(vanilla != student("ExOpd", &[]), "the reference has no say");
}

fn views(bench: &Bench, rows: &[&str]) -> Said {
    bench.write("d.jsonl", rows.join("\n"));
    bench.run_with(
        "views.ron",
        &[
            ("UniOpd", "VaOpd"),
            (TASKS, "data: \"d.jsonl\""),
            ("\"math\": \"math\", \"code\": \"code\"", "\"teacher\": \"math\", \"pixelated\": \"math\""),
            ("data: (samples: 2, max_response_tokens: 6),", ""),
        ],
    );
    bench.limbeck(&["train", "views.ron", "--out", "views", "--quiet"])
}

#[test]
fn va_opd_reads_the_poorer_view_instead() {
    let bench = Bench::new();
    let row = |pixelated: &str| {
        format!(r#"{{"prompt": "^m1+2>", "answer": "3", "domain": "math", "pixelated": "{pixelated}"}}"#)
    };
    // a view that hides nothing: not even rounding is left of the advantage
    views(&bench, &[&row("^m1+2>")]).good();
    for line in metrics(&bench, "views") {
        assert_eq!(number(&line, "visual_advantage"), 0.0);
        assert!(number(&line, "loss") > 0.0);
    }
    std::fs::remove_dir_all(bench.path("views")).unwrap();
    // read instead of the prompt, it may have any length
    views(&bench, &[&row("^m?>")]).good();
    assert!(metrics(&bench, "views").iter().any(|line| number(line, "visual_advantage") > 0.0));
    std::fs::remove_dir_all(bench.path("views")).unwrap();
    let blind = r#"{"prompt": "^m1+2>", "answer": "3", "domain": "math"}"#;
    views(&bench, &[blind]).refused(2, &["no `pixelated`", "row 1"]);
}

/// A sample says of every token where it was routed, and with which weight it was learnt from.
#[test]
fn samples_show_regimes_and_weights() {
    let bench = Bench::new();
    bench.run_with(
        "dopd.ron",
        &[
            ("data: (samples: 2, max_response_tokens: 6),", ""),
            ("{\"math\": \"math\", \"code\": \"code\"}", "{\"teacher\": \"math\"}"),
            ("student:", "privileged: Before(mark: \">\", lead: \"?\"), student:"),
        ],
    );
    bench.limbeck(&["train", "dopd.ron", "--recipe", "Dopd", "--out", "dopd", "--quiet"]).good();
    let mut seen = 0;
    for line in bench.read("dopd/samples.jsonl").lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let (regimes, weights) = (line["regime"].as_array().unwrap(), line["weight"].as_array().unwrap());
        assert_eq!(regimes.len(), line["tokens"].as_array().unwrap().len());
        for (regime, weight) in regimes.iter().zip(weights) {
            let meant = match regime.as_str().unwrap() {
                "LL" => 0.3,
                "HT" => 1.0,
                _ => 0.6,
            };
            assert_eq!(weight.as_f64().unwrap(), meant, "{line}");
            seen += 1;
        }
        assert_eq!(weights.len(), regimes.len());
    }
    assert!(seen > 0);
    assert!(bench.read("dopd/report.html").contains("class=\"token r-"), "the page shows no regime");
}
