//! Batches of the student's own words and of others': GKD.

mod common;

use common::Bench;
use limbeck::prelude::*;
use limbeck::run::Run;
use limbeck::tasks::{generate, TaskSpec};
use limbeck::tensor::Cpu;
use limbeck::world::FromFiles;
use serde_json::Value;

/// Eight steps; the teacher has other weights than the student.
const RUN: &str = r#"Run(
    recipe: "Gkd", seed: 5, steps: 8, batch: 2, save_every: 2,
    student: "student", teachers: {"teacher": "math"},
    tasks: (domains: ["math"], levels: (2, 2), per_level: 8, seed: 3),
    set: (
        rollout: (group_size: 2, max_response_tokens: 24),
        step: (lr: 1e-3),
    ),
)
"#;

/// The numbers of every step, without those that measure time. None of them is not finite.
fn numbers(bench: &Bench, out: &str) -> Vec<Value> {
    let text = bench.read(&format!("{out}/metrics.jsonl"));
    let read = |line: &str| {
        let mut line: Value = serde_json::from_str(line).unwrap();
        assert_eq!(line.get("nonfinite"), None, "{line}");
        let timeless = |name: &String, _: &mut Value| !name.ends_with("_time") && name != "tokens_per_second";
        line.as_object_mut().unwrap().retain(timeless);
        line
    };
    text.lines().map(read).collect()
}

fn samples(bench: &Bench, out: &str) -> Vec<Value> {
    let text = bench.read(&format!("{out}/samples.jsonl"));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn train(bench: &Bench, out: &str, set: &[&str]) -> Vec<Value> {
    if !bench.path("gkd.ron").exists() {
        bench.write("gkd.ron", RUN);
    }
    let set = set.iter().flat_map(|set| ["--set", set]);
    let words: Vec<&str> = ["train", "gkd.ron", "--out", out].into_iter().chain(set).collect();
    bench.limbeck(&words).good();
    numbers(bench, out)
}

fn own(steps: &[Value]) -> Vec<bool> {
    steps.iter().map(|line| line["on_policy"] == 1.0).collect()
}

#[test]
fn a_batch_is_the_students_own_or_the_references() {
    let bench = Bench::new();
    let steps = train(&bench, "half", &[]);
    let (own_half, said) = (own(&steps), samples(&bench, "half"));
    assert!(own_half.contains(&true) && own_half.contains(&false), "{own_half:?}");
    for (step, (line, own)) in steps.iter().zip(own_half).enumerate() {
        assert_eq!(
            line.get("reverse_kl").is_some(),
            own,
            "what the student did not say has no return: {line}"
        );
        assert!(line["loss"].as_f64().unwrap() > 0.0);
        let said: Vec<&Value> = said.iter().filter(|sample| sample["step"] == step + 1).collect();
        // two prompts: two answers each, or the reference of each, worked in two steps
        assert_eq!(said.len(), if own { 4 } else { 2 });
        for sample in said.iter().filter(|_| !own) {
            let text = sample["text"].as_str().unwrap();
            assert!(text.contains(':') && text.contains(';') && text.contains('='), "{text}");
            assert_eq!(sample["return"], Value::Null);
        }
    }
    assert_eq!(own(&train(&bench, "always", &["rollout.on_policy=1"])), [true; 8]);
    assert_eq!(own(&train(&bench, "never", &["rollout.on_policy=0"])), [false; 8]);
    let seldom = train(&bench, "seldom", &["seed=77", "steps=40", "rollout.on_policy=0.25"]);
    let count = own(&seldom).into_iter().filter(|own| *own).count();
    assert!((3..=17).contains(&count), "{count} of 40 with probability 1/4");
}

#[test]
fn the_teachers_own_answers() {
    let bench = Bench::new();
    let taught = ["rollout.on_policy=0", "rollout.off_policy=Teacher", "rollout.temperature=1"];
    let steps = train(&bench, "teacher", &taught);
    assert_eq!(own(&steps), [false; 8]);
    assert!(steps
        .iter()
        .all(|line| line.get("reverse_kl").is_none() && line["loss"].as_f64().unwrap() > 0.0));
    assert_eq!(samples(&bench, "teacher").len(), 8 * 4);
    // a teacher with the student's weights says what the student would say, from the same random numbers
    bench.write("gkd.ron", RUN.replace("\"math\"}", "\"student\"}"));
    let texts = |out: &str| samples(&bench, out)[..4].iter().map(|s| s["text"].clone()).collect::<Vec<_>>();
    train(&bench, "same", &taught);
    train(&bench, "own", &["rollout.on_policy=1", "rollout.temperature=1"]);
    assert_eq!(texts("same"), texts("own"));
    assert_ne!(texts("same"), texts("teacher"));
}

#[test]
fn a_mixture_goes_on_bit_for_bit() {
    let bench = Bench::new();
    let whole = train(&bench, "whole", &[]);
    // the same run, as if it had been killed after four steps
    bench.copy("whole", "cut");
    for step in ["step-000006", "step-000008"] {
        std::fs::remove_dir_all(bench.path(&format!("cut/checkpoints/{step}"))).unwrap();
    }
    bench.limbeck(&["resume", "cut"]).good();
    let weights = |out: &str| {
        std::fs::read(bench.path(&format!("{out}/checkpoints/step-000008/student/model.safetensors")))
            .unwrap()
    };
    assert!(weights("whole") == weights("cut"));
    assert_eq!(whole, numbers(&bench, "cut"));
}

/// Two teachers, and nobody says whose answers are read.
#[recipe]
struct Two {
    #[teacher(domain = Domain::Math)]
    math: Frozen,
    #[teacher(domain = Domain::Code)]
    code: Frozen,
    data: Prompts,
    #[with(on_policy = 0.0, off_policy = OffPolicy::Teacher, max_response_tokens = 8)]
    rollout: Mixed,
    score: FullVocab,
    loss: Jsd,
    step: AdamW,
}

/// As `Two`, without a teacher.
#[recipe]
struct NoOne {
    data: Prompts,
    #[with(on_policy = 0.0, off_policy = OffPolicy::Teacher, max_response_tokens = 8)]
    rollout: Mixed,
    score: Demonstrated,
    loss: CrossEntropy,
    step: AdamW,
}

fn refusal<R: Recipe>(bench: &Bench, recipe: &R, teachers: &[&str]) -> String {
    let teachers = teachers.iter().map(|name| (name.to_string(), bench.path(name))).collect();
    let student = bench.path("student");
    let mut world = FromFiles::open(&R::PLAN, &student, &teachers, &Cpu::default()).unwrap();
    let run = Run::new(generate(&TaskSpec::default()).unwrap(), 1, 2);
    recipe.train(&run, &mut world).err().map(|why| why.to_string()).unwrap_or_default()
}

#[test]
fn the_teachers_answers_are_one_teachers() {
    let bench = Bench::new();
    let said = refusal(&bench, &Two::DEFAULT, &["math", "code"]);
    assert!(said.contains("there are `code` and `math`") && said.contains("off_policy"), "{said}");
    let said = refusal(&bench, &NoOne::DEFAULT, &[]);
    assert!(said.contains("there is no teacher"), "{said}");
}

#[test]
fn what_other_stages_are_told_of_a_mixture() {
    let facts = |on_policy, off_policy| {
        let facts = Mixed { on_policy, off_policy, ..Two::DEFAULT.rollout }.facts(limbeck::Facts::NONE);
        (facts.group_size, facts.on_policy, facts.mixed)
    };
    use OffPolicy::{Reference, Teacher};
    assert_eq!([Reference, Teacher].map(|off| facts(1.0, off)), [(8, true, false); 2]);
    assert_eq!([Reference, Teacher].map(|off| facts(0.5, off)), [(1, false, true), (8, false, true)]);
    assert_eq!([Reference, Teacher].map(|off| facts(0.0, off)), [(1, false, false), (8, false, false)]);
}
