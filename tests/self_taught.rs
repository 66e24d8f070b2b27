//! Recipes in which the student teaches itself: who has something to hear, and what it comes to.

mod common;

use common::Bench;
use serde_json::Value;

/// Four responses a step: as many as are written down.
const RUN: &str = r#"Run(
    recipe: "Sdpo", seed: 1, steps: 6, batch: 1, micro_batch: 3, save_every: 6,
    student: "STUDENT", privileged: Before(mark: ">", lead: "?"),
    tasks: (domains: ["math"], levels: (1, 2), per_level: 8, seed: 3),
    set: (
        rollout: (group_size: 4, max_response_tokens: 24),
        step: (lr: 1e-3),
    ),
)
"#;

/// The student that the hinted examples start from: it is right at times.
fn trained() -> String {
    concat!(env!("CARGO_MANIFEST_DIR"), "/examples/assets/start_hinted").to_string()
}

fn lines(bench: &Bench, name: &str) -> Vec<Value> {
    bench.read(name).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What the definition says: another right response of the group, or a wrong response to a task with steps
/// between, whose results are the feedback.
fn heard(sample: &Value, step: &[&Value]) -> bool {
    let sibling = |other: &&&Value| {
        !std::ptr::eq(**other, sample) && other["prompt"] == sample["prompt"] && other["correct"] == true
    };
    let operations = sample["prompt"].as_str().unwrap().matches(['+', '-', '*']).count();
    step.iter().any(|other| sibling(&other)) || (sample["correct"] == false && operations > 1)
}

#[test]
fn only_what_has_something_to_hear_is_learnt_from() {
    let bench = Bench::new();
    bench.write("sdpo.ron", RUN.replace("STUDENT", &trained()));
    bench.limbeck(&["train", "sdpo.ron", "--out", "out"]).good();
    let (metrics, samples) = (lines(&bench, "out/metrics.jsonl"), lines(&bench, "out/samples.jsonl"));
    assert_eq!(metrics.len(), 6);
    let mut shares = Vec::new();
    for line in &metrics {
        let step: Vec<&Value> = samples.iter().filter(|sample| sample["step"] == line["step"]).collect();
        assert_eq!(step.len(), 4);
        let learnt: Vec<&&Value> = step.iter().filter(|sample| heard(sample, &step)).collect();
        let share = learnt.len() as f64 / 4.0;
        assert_eq!(line["heard_share"].as_f64().unwrap(), share);
        assert_eq!(line["learnt_from"].as_f64().unwrap(), share);
        let of = |sample: &&&Value| {
            let losses: Vec<f64> = serde_json::from_value(sample["loss"].clone()).unwrap();
            losses.iter().sum::<f64>() / losses.len() as f64
        };
        let loss = learnt.iter().map(of).sum::<f64>() / 4.0;
        assert!((line["loss"].as_f64().unwrap() - loss).abs() < 1e-9, "{loss}");
        assert_eq!(loss > 0.0, !learnt.is_empty());
        shares.push(share);
    }
    assert!(shares.iter().any(|&share| share > 0.0 && share < 1.0), "{shares:?}");
}

#[test]
fn one_update_a_rollout_has_an_importance_of_one_bit_for_bit() {
    let bench = Bench::new();
    bench.write("sdpo.ron", RUN.replace("STUDENT", "student"));
    let weights = |out: &str, clip: &str| {
        let set = format!("loss.importance_clip={clip}");
        bench.limbeck(&["train", "sdpo.ron", "--out", out, "--set", &set]).good();
        std::fs::read(bench.path(&format!("{out}/checkpoints/step-000006/student/model.safetensors")))
            .unwrap()
    };
    let start = std::fs::read(bench.path("student/model.safetensors")).unwrap();
    let (clipped, free) = (weights("clipped", "1.5"), weights("free", "inf"));
    assert!(clipped == free, "the importance was not 1");
    assert!(clipped != start, "nothing was learnt");
    // a clip below 1 holds every weight there
    assert!(weights("halved", "0.5") != free);
}

/// Two steps of `recipe` on rows with every column a teacher may read, but one.
fn on_rows(bench: &Bench, recipe: &str, teachers: &str, without: &str) {
    let row = |k: usize| {
        let mut row = serde_json::json!({
            "prompt": format!("^m{}+5*2>", 10 + k), "reference": "+5:15;*2=30", "hints": "15",
            "evidence": "10", "experience": "87;15",
        });
        row.as_object_mut().unwrap().retain(|column, _| column != without);
        format!("{row}\n")
    };
    bench.write("rows.jsonl", (0..4).map(row).collect::<String>());
    let run = format!(
        r#"Run(
            recipe: "{recipe}", seed: 2, steps: 2, batch: 2, micro_batch: 3, student: "student",
            teachers: {{{teachers}}}, data: "rows.jsonl", privileged: Before(mark: ">", lead: "?"),
            set: (rollout: (group_size: 2, max_response_tokens: 8), step: (lr: 1e-3)),
        )"#
    );
    bench.write("rows.ron", run);
}

#[test]
fn what_a_recipe_reads_comes_from_its_column() {
    let bench = Bench::new();
    let frozen = r#""teacher": "math""#;
    for (recipe, teachers, column) in [
        ("VisionOpd", "", "evidence"),
        ("Sdft", "", "reference"),
        ("Opcd", frozen, "experience"),
        ("HintedStudent", "", "hints"),
        ("HintedBoth", frozen, "hints"),
    ] {
        on_rows(&bench, recipe, teachers, "");
        bench.limbeck(&["train", "rows.ron", "--out", recipe]).good();
        let metrics = lines(&bench, &format!("{recipe}/metrics.jsonl"));
        for line in &metrics {
            assert_eq!(line["heard_share"], 1.0, "{recipe}");
            let loss = line["loss"].as_f64().unwrap();
            assert!(loss > 0.0 && loss < 5.0, "{recipe}: {loss}");
        }
        assert_ne!(metrics[0]["loss"], metrics[1]["loss"], "{recipe}");
        on_rows(&bench, recipe, teachers, column);
        let out = format!("{recipe}-without");
        let said = bench.limbeck(&["train", "rows.ron", "--out", &out]);
        assert!(said.code != Some(0) && said.err.contains(column), "{recipe}: {}", said.err);
    }
}
