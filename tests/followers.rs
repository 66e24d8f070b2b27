//! Teachers that are the student at another time: its running mean is kept in checkpoints, its start is not.

mod common;

use std::fs;
use std::path::Path;

use common::Bench;
use limbeck::models::Decoder;
use limbeck::prelude::*;
use limbeck::run::{resume, train, Prepared, RunDirectory, TrainOptions};
use limbeck::stages::data::Data;
use limbeck::stages::step::Step;
use limbeck::tensor::Cpu;
use limbeck::world::{FromFiles, World};
use limbeck::{Entry, Recipe};

/// The student learns from its hinted running mean, away from where it started.
#[recipe]
struct Followed {
    #[teacher(reads = StepHints)]
    #[with(rate = 0.3)]
    mean: Ema,
    #[teacher]
    start: Start,

    data: Prompts,
    #[with(group_size = 3, max_response_tokens = 8)]
    rollout: Sample,
    score: Extrapolated,
    loss: PolicyGradient,
    #[with(lr = 1e-3, warmup = 0)]
    step: AdamW,
}

const RUN: &str = r#"Run(
    recipe: "Followed", seed: 5, steps: 6, batch: 3, save_every: 2, student: "student",
    tasks: (domains: ["math"], levels: (2, 3), per_level: 6, seed: 3),
    privileged: Before(mark: ">", lead: "?"),
)
"#;

/// A whole run in `whole`, and in `killed` what is left of it when it is killed after its fifth step.
fn runs() -> Bench {
    let bench = Bench::new();
    bench.write("followed.ron", RUN);
    let options = TrainOptions {
        file: bench.path("followed.ron"),
        out: Some(bench.path("whole")),
        quiet: true,
        ..TrainOptions::default()
    };
    train(&Entry::of::<Followed>(), &options).unwrap();
    bench.copy("whole", "killed");
    fs::remove_dir_all(bench.path("killed/checkpoints/step-000006")).unwrap();
    fs::remove_file(bench.path("killed/report.html")).unwrap();
    let lines = bench.read("killed/metrics.jsonl");
    bench.write(
        "killed/metrics.jsonl",
        lines.lines().take(5).map(|line| format!("{line}\n")).collect::<String>(),
    );
    bench
}

fn weights(decoder: &Decoder<Cpu>) -> Vec<u32> {
    decoder.parameters().iter().flat_map(|parameter| parameter.to_host()).map(f32::to_bits).collect()
}

fn saved(folder: &Path) -> Vec<u32> {
    weights(&Decoder::load(folder, &Cpu::default()).unwrap())
}

/// The numbers of every step, without those that measure time.
fn numbers(bench: &Bench, out: &str) -> Vec<serde_json::Value> {
    let text = bench.read(&format!("{out}/metrics.jsonl"));
    let line = |line: &str| {
        let mut line: serde_json::Value = serde_json::from_str(line).unwrap();
        let object = line.as_object_mut().unwrap();
        object.retain(|name, _| !name.ends_with("_time") && name != "tokens_per_second");
        line
    };
    text.lines().map(line).collect()
}

#[test]
fn a_killed_run_goes_on_with_the_mean_it_had() {
    let bench = runs();
    resume(&Entry::of::<Followed>(), &bench.path("killed"), true).unwrap();
    for file in [
        "student/model.safetensors",
        "teachers/mean/model.safetensors",
        "optimizer.safetensors",
        "state.json",
    ] {
        let bytes =
            |out: &str| fs::read(bench.path(&format!("{out}/checkpoints/step-000006/{file}"))).unwrap();
        assert!(bytes("whole") == bytes("killed"), "{file}");
    }
    assert_eq!(numbers(&bench, "whole"), numbers(&bench, "killed"));
    assert_eq!(numbers(&bench, "whole").len(), 6);
    // the mean moved, and it is neither the student nor its start
    let at = |step: u32, who: &str| saved(&bench.path(&format!("whole/checkpoints/step-{step:06}/{who}")));
    let (mean, start) = (at(6, "teachers/mean"), saved(&bench.path("student")));
    assert!(mean != at(4, "teachers/mean") && mean != at(6, "student") && mean != start);
    // the start is in the student's folder, and in no checkpoint
    assert_eq!(bench.list("whole/checkpoints/step-000006/teachers"), ["mean"]);
}

#[test]
fn a_resumed_world_holds_the_student_its_mean_and_its_start() {
    let bench = runs();
    let directory = RunDirectory::existing(&bench.path("killed")).unwrap();
    let checkpoint = bench.path("killed/checkpoints/step-000004");
    let options = TrainOptions { file: bench.path("killed/run.ron"), ..TrainOptions::default() };
    let prepared = Prepared::read(&Entry::of::<Followed>(), &options).unwrap();
    let run = prepared.run(Some(directory), Some(checkpoint.clone()), true).unwrap();
    let open = FromFiles::open(&Followed::PLAN, &prepared.file.student, &Default::default(), &Cpu::default());
    let mut world = open.unwrap().tuned(&Followed::DEFAULT.settings());

    let start = weights(&world.student().decoder);
    assert_eq!(start, saved(&bench.path("student")));
    let mut data = Followed::DEFAULT.data.open(&run, &world).unwrap();
    let mut step = Followed::DEFAULT.step.open(&run, &world).unwrap();
    let mut log = limbeck::log::Log::open(&run, &Followed::DEFAULT).unwrap();
    assert_eq!(run.resume(&mut data, &mut step, &mut world, &mut log).unwrap(), 4);

    let teacher = |seat: &str| weights(&world.teacher(seat).unwrap().decoder);
    assert_eq!(weights(&world.student().decoder), saved(&checkpoint.join("student")));
    assert_eq!(teacher("mean"), saved(&checkpoint.join("teachers/mean")));
    assert_eq!(teacher("start"), start, "not the weights of step 4");
    assert!(teacher("start") != weights(&world.student().decoder));

    // from there on the mean follows the student at the recipe's rate
    let (before, student) = (teacher("mean"), weights(&world.student().decoder));
    world.follow().unwrap();
    let after = weights(&world.teacher("mean").unwrap().decoder);
    for ((before, student), after) in before.iter().zip(&student).zip(&after) {
        let [before, student] = [before, student].map(|&bits| f64::from(f32::from_bits(bits)));
        let expected = before + 0.3 * (student - before);
        assert!((f64::from(f32::from_bits(*after)) - expected).abs() <= 3e-7 * expected.abs().max(1e-3));
    }
}
