//! Runs that were stopped: by a full disk, by numbers that are not finite, by damage, by a signal.

mod common;

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::{model, run, Bench};
use serde_json::Value;

/// The steps that `metrics.jsonl` tells of.
fn steps(bench: &Bench, out: &str) -> Vec<u64> {
    let text = bench.read(&format!("{out}/metrics.jsonl"));
    let line = |line| serde_json::from_str::<Value>(line).unwrap_or_else(|why| panic!("{why}: {line}"));
    text.lines().map(|text| line(text)["step"].as_u64().unwrap()).collect()
}

fn weights(bench: &Bench, out: &str, step: u32) -> Vec<u8> {
    let name = format!("{out}/checkpoints/step-{step:06}/student/model.safetensors");
    std::fs::read(bench.path(&name)).unwrap_or_else(|why| panic!("{name}: {why}"))
}

fn remove(bench: &Bench, name: &str) {
    std::fs::remove_dir_all(bench.path(name)).unwrap();
}

#[test]
fn damaged_run_directories() {
    let bench = Bench::new();
    bench.limbeck(&["train", "run.ron", "--out", "good", "--quiet"]).good();
    let report = bench.read("good/report.html");

    // a finished run says so, trains nothing and changes nothing
    let said = bench.limbeck(&["resume", "good", "--quiet"]).good();
    assert!(said.out.contains("had made its 3 steps before"), "{}", said.out);
    assert!(said.out.contains("student after"), "{}", said.out);
    let said = bench.limbeck(&["resume", "good", "--quiet", "--json"]).good().json();
    assert_eq!((&said["finished_before"], &said["steps"]), (&true.into(), &3.into()));
    assert_eq!((steps(&bench, "good"), bench.read("good/report.html")), (vec![1, 2, 3], report.clone()));
    // … also when it was stopped before its report
    bench.copy("good", "late");
    std::fs::remove_file(bench.path("late/report.html")).unwrap();
    bench.limbeck(&["resume", "late", "--quiet"]).good();
    assert_eq!(bench.read("late/report.html").len(), report.len());

    // damage to the latest checkpoint: named, with the way on, and the others go on from there
    for (file, keep) in [
        ("optimizer.safetensors", 100),
        ("optimizer.safetensors", 0),
        ("student/model.safetensors", 300),
        ("student/config.json", 10),
        ("state.json", 30),
        ("state.json", 0),
    ] {
        bench.copy("good", "damaged");
        remove(&bench, "damaged/checkpoints/step-000003");
        let path = format!("damaged/checkpoints/step-000002/{file}");
        let bytes = std::fs::read(bench.path(&path)).unwrap();
        bench.write(&path, &bytes[..keep]);
        let words = [file.rsplit('/').next().unwrap(), "goes on from the checkpoint before it"];
        bench.limbeck(&["resume", "damaged", "--quiet"]).refused(2, &words);
        remove(&bench, "damaged/checkpoints/step-000002");
        bench.limbeck(&["resume", "damaged", "--quiet"]).good();
        assert_eq!(weights(&bench, "damaged", 3), weights(&bench, "good", 3), "{file}");
        remove(&bench, "damaged");
    }

    // a checkpoint without its last file is none; what was half-written goes; half a line is passed over
    bench.copy("good", "damaged");
    remove(&bench, "damaged/checkpoints/step-000003");
    std::fs::remove_file(bench.path("damaged/checkpoints/step-000002/state.json")).unwrap();
    std::fs::create_dir(bench.path("damaged/checkpoints/step-000003.partial")).unwrap();
    bench.write("damaged/difficulty.json.partial", "{");
    let half = format!("{}{{\"step\": 4, \"lo", bench.read("damaged/metrics.jsonl"));
    bench.write("damaged/metrics.jsonl", half);
    bench.limbeck(&["resume", "damaged", "--quiet"]).good();
    assert_eq!(weights(&bench, "damaged", 3), weights(&bench, "good", 3));
    assert_eq!(steps(&bench, "damaged"), [1, 2, 3]);
    assert!(bench.list("damaged").iter().all(|name| !name.ends_with(".partial")));
    assert!(bench.list("damaged/checkpoints").iter().all(|name| !name.ends_with(".partial")));

    // no checkpoint yet: again from the start, with the difficulty that was measured
    std::fs::remove_dir_all(bench.path("damaged/checkpoints")).unwrap();
    let measured = bench.read("damaged/difficulty.json");
    bench.limbeck(&["resume", "damaged", "--quiet"]).good();
    assert_eq!(weights(&bench, "damaged", 3), weights(&bench, "good", 3));
    assert_eq!((steps(&bench, "damaged"), bench.read("damaged/difficulty.json")), (vec![1, 2, 3], measured));

    // caches that are damaged say how they are made again; ones that do not fit are made again
    remove(&bench, "damaged/checkpoints/step-000003");
    for name in ["difficulty.json", "before.json"] {
        let path = format!("damaged/{name}");
        let good = bench.read(&path);
        bench.write(&path, &good[..good.len() / 2]);
        bench.limbeck(&["resume", "damaged", "--quiet"]).refused(2, &[name, "is damaged", "made again"]);
        bench.write(&path, good);
    }
    let mut short: Value = serde_json::from_str(&bench.read("damaged/difficulty.json")).unwrap();
    short["pass_counts"].as_array_mut().unwrap().pop();
    bench.write("damaged/difficulty.json", short.to_string());
    bench.limbeck(&["resume", "damaged", "--quiet"]).good();
    assert_eq!(weights(&bench, "damaged", 3), weights(&bench, "good", 3));

    bench.limbeck(&["resume", "student"]).refused(2, &["no run.ron"]);
    bench.limbeck(&["resume", "nowhere"]).refused(2, &["no run.ron"]);
    bench
        .limbeck(&["train", "run.ron", "--out", "good"])
        .refused(2, &["good: the run directory holds something"]);
    bench.limbeck(&["train", "run.ron", "--out", "/dev/null/x"]).refused(2, &["cannot be made", "--out"]);
}

/// A run never goes on over other weights or other data than it began with.
#[test]
fn what_a_run_reads_must_not_change() {
    let bench = Bench::new();
    bench.write(
        "d.jsonl",
        "{\"prompt\": \"^m4*5>\", \"domain\": \"math\"}\n{\"prompt\": \"^m4*6>\", \"domain\": \"math\"}",
    );
    bench.run_with("d.ron", &[("tasks: (levels: (2, 2), per_level: 4, seed: 3)", "data: \"d.jsonl\"")]);
    bench.limbeck(&["train", "d.ron", "--out", "out", "--quiet"]).good();
    remove(&bench, "out/checkpoints/step-000003");
    bench.copy("out", "fresh");
    remove(&bench, "fresh/checkpoints");
    let refuse = |words: &[&str]| {
        for out in ["out", "fresh"] {
            bench.limbeck(&["resume", out, "--quiet"]).refused(2, words);
        }
    };
    bench.copy("student", "kept");
    remove(&bench, "student");
    model(&bench.path("."), "student", 99, &[]);
    refuse(&["model folder is not the one this run was started under"]);
    remove(&bench, "student");
    bench.copy("kept", "student");
    bench.write("d.jsonl", bench.read("d.jsonl").replace("4*6", "4*7"));
    refuse(&["the data is not the one this run was started under"]);
    bench.write("d.jsonl", bench.read("d.jsonl").replace("4*7", "4*6"));
    let run = bench.read("out/run.ron");
    for out in ["out", "fresh"] {
        bench.write(&format!("{out}/run.ron"), run.replace("lr: 0.001", "lr: 0.002"));
    }
    refuse(&["run.ron is not the one this run was started under"]);
    bench.write("out/run.ron", run);
    bench.limbeck(&["resume", "out", "--quiet"]).good();
}

/// Training that diverges stops, keeps the batch, and leaves what came before as it was.
#[test]
fn numbers_that_are_not_finite() {
    let bench = Bench::new();
    for lr in ["1e30", "1e39", "1e300"] {
        let out = format!("lr{lr}");
        let words = [
            "train",
            "run.ron",
            "--out",
            &out,
            "--quiet",
            "--set",
            "steps=50",
            "--set",
            &format!("step.lr={lr}"),
        ];
        let said = bench.limbeck(&words).refused(1, &["not finite", "failed-batch.jsonl"]);
        assert!(said.err.contains("lower `step.lr`"), "{}", said.err);
        let batch = bench.read(&format!("{out}/failed-batch.jsonl"));
        assert_eq!(batch.lines().count(), 6, "every response of the batch");
        for line in batch.lines() {
            assert!(serde_json::from_str::<Value>(line).unwrap()["tokens"].is_array());
        }
        // every checkpoint that is there can be opened
        for name in bench.list(&format!("{out}/checkpoints")) {
            let student = format!("{out}/checkpoints/{name}/student");
            bench.limbeck(&["score", "--model", &student, "--tokens", "1,5"]).good();
        }
    }
}

/// A file that may not grow: the run fails, what was whole before is whole still.
#[cfg(unix)]
#[test]
fn a_full_disk() {
    let bench = Bench::new();
    bench.limbeck(&["train", "run.ron", "--out", "good", "--quiet"]).good();
    for (blocks, out) in [(0, "none"), (2, "little"), (20, "some"), (40, "more")] {
        let script =
            format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$LIMBECK\" train run.ron --out {out} --quiet");
        let mut command = Command::new("sh");
        command
            .args(["-c", &script])
            .env("LIMBECK", env!("CARGO_BIN_EXE_limbeck"))
            .current_dir(bench.path("."));
        let said = run(&mut command).refused(1, &["cannot be written", out]);
        assert!(said.err.contains("free some space"), "{}", said.err);
        if blocks < 20 {
            assert!(!bench.path(out).exists(), "not even the run file could be written, and nothing is left");
            continue;
        }
        for name in bench.list(out).iter().chain(&bench.list(&format!("{out}/checkpoints"))) {
            assert!(!name.ends_with(".partial"), "{name}");
        }
        // with room again it goes on, and ends where it would have
        bench.limbeck(&["resume", out, "--quiet"]).good();
        assert_eq!(weights(&bench, out, 3), weights(&bench, "good", 3));
        assert_eq!(steps(&bench, out), [1, 2, 3]);
    }
}

/// Ctrl-C at any time: what is there is whole, and the run goes on from it.
#[cfg(unix)]
#[test]
fn an_interrupt() {
    let bench = Bench::new();
    let words = ["--quiet", "--set", "steps=400"];
    let mut child = Command::new(env!("CARGO_BIN_EXE_limbeck"))
        .args(["train", "run.ron", "--out", "out"])
        .args(words)
        .current_dir(bench.path("."))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while !bench.path("out/checkpoints/step-000003/state.json").is_file() {
        assert!(Instant::now() < deadline && child.try_wait().unwrap().is_none());
        std::thread::sleep(Duration::from_millis(2));
    }
    // not -INT: a shell that runs the tests in the background lets its children ignore that one
    run(Command::new("kill").args(["-TERM", &child.id().to_string()]));
    assert!(!child.wait().unwrap().success());
    for name in bench.list("out/checkpoints").iter().filter(|name| !name.ends_with(".partial")) {
        let student = format!("out/checkpoints/{name}/student");
        bench.limbeck(&["score", "--model", &student, "--tokens", "1,5"]).good();
    }
    let export = bench.limbeck(&["export", "out", "--to", "hf"]).good();
    assert!(export.out.contains("wrote hf"));
}
