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
fn runs(more: &str) -> Bench {
    let bench = Bench::new();
    bench.write("followed.ron", RUN.replace(",\n)", &format!(",\n{more})")));
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
    let bench = runs("");
    goes_on(&bench, &[]);
    // the mean moved, and it is neither the student nor its start
    let at = |step: u32, who: &str| saved(&bench.path(&format!("whole/checkpoints/step-{step:06}/{who}")));
    let (mean, start) = (at(6, "teachers/mean"), saved(&bench.path("student")));
    assert!(mean != at(4, "teachers/mean") && mean != at(6, "student") && mean != start);
    // the start is in the student's folder, and in no checkpoint
    assert_eq!(bench.list("whole/checkpoints/step-000006/teachers"), ["mean"]);
}

/// Goes on with the killed run, which must end as the whole one did.
fn goes_on(bench: &Bench, more: &[&str]) {
    resume(&Entry::of::<Followed>(), &bench.path("killed"), true).unwrap();
    let files = [
        "student/model.safetensors",
        "teachers/mean/model.safetensors",
        "optimizer.safetensors",
        "state.json",
    ];
    for file in files.iter().chain(more) {
        let bytes =
            |out: &str| fs::read(bench.path(&format!("{out}/checkpoints/step-000006/{file}"))).unwrap();
        assert!(bytes("whole") == bytes("killed"), "{file}");
    }
    assert_eq!(numbers(bench, "whole"), numbers(bench, "killed"));
    assert_eq!(numbers(bench, "whole").len(), 6);
}

#[test]
fn adapters_and_their_mean_are_kept_and_go_on_bit_for_bit() {
    let bench = runs("    lora: (rank: 2, targets: [q_proj, down_proj]),\n");
    let (own, mean) =
        ("student-lora/adapter_model.safetensors", "teachers/mean-lora/adapter_model.safetensors");
    goes_on(&bench, &[own, mean]);
    let at = |step: u32, file: &str| {
        fs::read(bench.path(&format!("whole/checkpoints/step-{step:06}/{file}"))).unwrap()
    };
    assert!(at(6, own) != at(4, own) && at(6, mean) != at(4, mean) && at(6, mean) != at(6, own));
    // what is not adapted is as it was; what is adapted has moved, and is merged
    let (student, start) =
        (saved(&bench.path("whole/checkpoints/step-000006/student")), saved(&bench.path("student")));
    let changed = student.iter().zip(&start).filter(|(now, then)| now != then).count();
    assert!(0 < changed && changed <= 16 * 16 + 16 * 32, "{changed} weights have changed");
    bench.limbeck(&["export", "whole", "--to", "exported"]).good();
    assert_eq!(saved(&bench.path("exported")), student);
    assert!(bench.list("exported").iter().all(|name| !name.starts_with("adapter")));
}

#[test]
fn adapters_that_do_not_fit_are_refused_before_anything_is_made() {
    let bench = Bench::new();
    bench.run_with("lora.ron", &[("seed: 5,", "seed: 5, lora: (rank: 4),")]);
    let said = |words: &[&str]| bench.limbeck(words);
    assert!(said(&["check", "lora.ron"]).good().out.contains("LoRA of rank 4 on q_proj"));
    said(&["train", "lora.ron", "--set", "lora=(rank: 0)"]).refused(2, &["`lora.rank`", "at least 1"]);
    said(&["train", "lora.ron", "--set", "lora=(rank: 99)"]).refused(2, &["`lora.rank`", "smaller"]);
    said(&["train", "lora.ron", "--set", "lora=(targets: [qproj])"]).refused(2, &["qproj", "q_proj"]);
    said(&["train", "lora.ron", "--set", "lora=(rnak: 2)"]).refused(2, &["rnak", "rank"]);
    assert!(bench.list("runs").is_empty());
}

#[test]
fn a_resumed_world_holds_the_student_its_mean_and_its_start() {
    let bench = runs("");
    let directory = RunDirectory::existing(&bench.path("killed")).unwrap();
    let checkpoint = bench.path("killed/checkpoints/step-000004");
    let options = TrainOptions { file: bench.path("killed/run.ron"), ..TrainOptions::default() };
    let prepared = Prepared::read(&Entry::of::<Followed>(), &options).unwrap();
    let run = prepared.run(
        prepared.data().unwrap(),
        Some(directory),
        Some(checkpoint.clone()),
        prepared.hashes().unwrap(),
        true,
    );
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
