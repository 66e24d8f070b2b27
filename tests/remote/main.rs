//! Teachers behind servers: right answers teach what the same weights teach here, and every wrong one is found.

mod faults;
mod lost;
mod same;
mod stub;

use std::path::PathBuf;

use limbeck::prelude::*;
use limbeck::run::{train, TrainOptions};
use limbeck::world::remote::Speaks;
use limbeck::Entry;
use serde_json::{Map, Value};
use stub::{asset, Stub};

const EACH: [Speaks; 3] = [Speaks::Vllm, Speaks::Sglang, Speaks::LlamaCpp];

#[recipe]
struct Here {
    #[teacher]
    teacher: Frozen,

    data: Prompts,
    #[with(group_size = 2, max_response_tokens = 16)]
    rollout: Sample,
    score: SampledToken,
    loss: PolicyGradient,
    #[with(lr = 1e-3)]
    step: AdamW,
}

#[recipe(base = Here)]
struct There {
    #[teacher]
    teacher: Remote,
}

/// A folder with a student, a teacher and what a run needs.
struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let bench = Self { folder: tempfile::tempdir().expect("a folder") };
        asset(&bench.path("student"), "start");
        asset(&bench.path("math"), "math");
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn stub(&self, speaks: Speaks) -> Stub {
        Stub::open(speaks, &self.path("math"), "math", None)
    }

    /// A run file for `recipe` with these teachers and servers.
    fn run(&self, recipe: &str, more: &str) -> TrainOptions {
        let text = format!(
            r#"Run(
                recipe: "{recipe}", seed: 5, steps: 3, batch: 2, save_every: 3, student: "student",
                tasks: (domains: ["math"], levels: (2, 3), per_level: 6, seed: 3),
                privileged: Before(mark: ">", lead: "?"), {more}
            )"#
        );
        let file = self.path(&format!("{recipe}.ron"));
        std::fs::write(&file, text).expect("a file");
        TrainOptions { file, out: Some(self.path(recipe)), quiet: true, ..TrainOptions::default() }
    }

    fn trained<R: Recipe>(&self, more: &str) -> Vec<Map<String, Value>> {
        let options = self.run(R::NAME, more);
        train(&Entry::of::<R>(), &options).unwrap_or_else(|why| panic!("{why}"));
        self.numbers(R::NAME)
    }

    /// Every number of every step but the times.
    fn numbers(&self, run: &str) -> Vec<Map<String, Value>> {
        let text = std::fs::read_to_string(self.path(run).join("metrics.jsonl")).expect("numbers");
        let lines = text.lines().map(|line| {
            let mut numbers: Map<String, Value> = serde_json::from_str(line).expect("a line");
            numbers.retain(|name, _| {
                !name.ends_with("_time") && !["hash", "tokens_per_second"].contains(&name.as_str())
            });
            numbers
        });
        lines.collect()
    }
}

/// The servers of the teacher `teacher`.
fn servers(speaks: Speaks, urls: &[String], more: &str) -> String {
    let urls: Vec<String> = urls.iter().map(|url| format!("{url:?}")).collect();
    format!(r#"servers: {{"teacher": (urls: [{}], speaks: {speaks:?}, {more})}},"#, urls.join(", "))
}

/// No number of any step is further off than rounding to `f32`.
#[track_caller]
fn must_be_alike(one: &[Map<String, Value>], other: &[Map<String, Value>]) {
    must_be_near(one, other, 2e-5);
}

/// No number of any step is further off than `most`, relative to itself or to 1.
#[track_caller]
fn must_be_near(one: &[Map<String, Value>], other: &[Map<String, Value>], most: f64) {
    assert_eq!(one.len(), other.len());
    for (step, (one, other)) in one.iter().zip(other).enumerate() {
        assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>());
        for (name, a) in one {
            let (a, b) = (a.as_f64().unwrap_or(f64::NAN), other[name].as_f64().unwrap_or(f64::NAN));
            let near = (a - b).abs() <= most * a.abs().max(1.0) || (a.is_nan() && b.is_nan());
            assert!(near, "step {}: {name} is {a} and {b}", step + 1);
        }
    }
}
