//! A run that was killed goes on as if it had never stopped, and threads change no bit.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

fn limbeck() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_limbeck"));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

fn must_run(command: &mut Command) {
    let output = command.output().expect("the binary runs");
    assert!(output.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&output.stderr));
}

/// A small student, two teachers that differ, and a run file in `folder`.
fn prepare(folder: &Path, recipe: &str, steps: u32) -> PathBuf {
    for (name, seed) in [("student", "1"), ("math", "2"), ("code", "3")] {
        let to = folder.join(name);
        must_run(
            limbeck()
                .args(["init", "--hidden", "32", "--layers", "2", "--ffn", "64", "--kv-heads", "2"])
                .args(["--seed", seed, "--to"])
                .arg(to),
        );
    }
    let run = folder.join("run.ron");
    let (teachers, data) = match recipe {
        "UniOpd" => (r#""math": "math", "code": "code""#, "data: (samples: 2, max_response_tokens: 8),"),
        _ => ("", ""),
    };
    let text = format!(
        r#"Run(
            recipe: "{recipe}", seed: 5, steps: {steps}, batch: 4, micro_batch: 5, save_every: 4,
            student: "student", teachers: {{{teachers}}}, privileged: Before(mark: ">", lead: "?"),
            tasks: (domains: ["math", "code"], levels: (2, 3), per_level: 12, seed: 3),
            set: (
                {data}
                rollout: (group_size: 4, max_response_tokens: 12),
                step: (lr: 1e-3, schedule: Cosine),
            ),
        )"#
    );
    fs::write(&run, text).unwrap();
    run
}

fn train(run: &Path, out: &Path, threads: &str) -> Command {
    let mut command = limbeck();
    command.env("RAYON_NUM_THREADS", threads).arg("train").arg(run).arg("--out").arg(out);
    command
}

/// The bytes of everything that a checkpoint restores.
fn checkpoint(out: &Path, step: u32) -> Vec<Vec<u8>> {
    let folder = out.join(format!("checkpoints/step-{step:06}"));
    ["student/model.safetensors", "optimizer.safetensors", "state.json"]
        .iter()
        .map(|name| fs::read(folder.join(name)).unwrap_or_else(|why| panic!("{name}: {why}")))
        .collect()
}

/// The numbers of every step, without those that measure time.
fn numbers(out: &Path) -> Vec<serde_json::Value> {
    let text = fs::read_to_string(out.join("metrics.jsonl")).unwrap();
    text.lines()
        .map(|line| {
            let mut line: serde_json::Value = serde_json::from_str(line).unwrap();
            let object = line.as_object_mut().unwrap();
            object.retain(|name, _| !name.ends_with("_time") && name != "tokens_per_second");
            line
        })
        .collect()
}

#[test]
fn a_killed_run_goes_on_bit_for_bit() {
    killed_run("UniOpd");
}

/// The teacher is the student at step 0: what it says after the resume tells whether it still is.
#[test]
fn a_killed_run_under_its_own_start_goes_on_bit_for_bit() {
    killed_run("Opsd");
}

fn killed_run(recipe: &str) {
    let folder = tempfile::tempdir().unwrap();
    let run = prepare(folder.path(), recipe, 24);
    let (whole, killed) = (folder.path().join("whole"), folder.path().join("killed"));
    must_run(&mut train(&run, &whole, "2"));

    let mut child = train(&run, &killed, "1").stderr(Stdio::null()).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(120);
    while !killed.join("checkpoints/step-000008/state.json").is_file() {
        assert!(Instant::now() < deadline, "no checkpoint in time");
        assert!(child.try_wait().unwrap().is_none(), "the run ended before it could be killed");
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap(); // SIGKILL: nothing is tidied up
    child.wait().unwrap();
    assert!(!killed.join("checkpoints/step-000024").exists(), "the run ended before it was killed");

    must_run(limbeck().arg("resume").arg(&killed));
    assert_eq!(checkpoint(&whole, 24), checkpoint(&killed, 24));
    assert_eq!(numbers(&whole), numbers(&killed));
    assert!(killed.join("report.html").is_file());
}

#[test]
fn one_thread_and_two_give_the_same_bits() {
    for recipe in ["UniOpd", "FullVocabOpd"] {
        let folder = tempfile::tempdir().unwrap();
        let run = prepare(folder.path(), "UniOpd", 4);
        let outs: Vec<PathBuf> = ["1", "2"]
            .iter()
            .map(|threads| {
                let out = folder.path().join(threads);
                let mut command = train(&run, &out, threads);
                if recipe != "UniOpd" {
                    let text = fs::read_to_string(&run).unwrap();
                    fs::write(&run, text.replace("data: (samples: 2, max_response_tokens: 8),", "")).unwrap();
                    command.args(["--recipe", recipe]);
                }
                must_run(&mut command);
                out
            })
            .collect();
        assert_eq!(checkpoint(&outs[0], 4), checkpoint(&outs[1], 4), "{recipe}");
        assert_eq!(numbers(&outs[0]), numbers(&outs[1]), "{recipe}");
    }
}

#[test]
fn a_run_never_goes_over_another_and_a_changed_run_is_not_resumed() {
    let folder = tempfile::tempdir().unwrap();
    let run = prepare(folder.path(), "UniOpd", 4);
    let out = folder.path().join("out");
    must_run(&mut train(&run, &out, "1"));
    let before = checkpoint(&out, 4);

    let again = train(&run, &out, "1").output().unwrap();
    assert_eq!(again.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&again.stderr).contains("holds something already"));
    assert_eq!(before, checkpoint(&out, 4));

    let file = out.join("run.ron");
    let changed = fs::read_to_string(&file).unwrap().replace("delta: 0.4", "delta: 0.5");
    fs::write(&file, changed).unwrap();
    let resumed = limbeck().arg("resume").arg(&out).output().unwrap();
    assert_eq!(resumed.status.code(), Some(2));
    let said = String::from_utf8_lossy(&resumed.stderr).into_owned();
    assert!(said.contains("run.ron is not the one this run was started under"), "{said}");
    assert!(
        said.contains("~ calibrate   MarginShift { delta: 0.4 → 0.5 }\n    = 9 stages unchanged"),
        "{said}"
    );

    // a plan that is not what it was, as after a change of the recipe itself
    fs::write(&file, fs::read_to_string(&file).unwrap().replace("delta: 0.5", "delta: 0.4")).unwrap();
    let hashes: Vec<(String, String)> =
        serde_json::from_str(&fs::read_to_string(out.join("hashes.json")).unwrap()).unwrap();
    for (name, from, to) in [
        ("plan.ron", "(\"gap_mask\", \"10.0\")", "(\"gap_mask\", \"9.0\")"),
        ("checkpoints/step-000004/state.json", hashes[0].1.as_str(), "0000000000000000"),
    ] {
        let text = fs::read_to_string(out.join(name)).unwrap();
        assert!(text.contains(from), "{name}: {text}");
        fs::write(out.join(name), text.replace(from, to)).unwrap();
    }
    let resumed = limbeck().arg("resume").arg(&out).output().unwrap();
    let said = String::from_utf8_lossy(&resumed.stderr).into_owned();
    assert_eq!(resumed.status.code(), Some(2), "{said}");
    assert!(said.contains("the plan is not the one") && said.contains("{ gap_mask: 9.0 → 10.0 }"), "{said}");
    assert!(!said.contains("also:"), "{said}");
}

/// Activations that are computed again are the ones that were not kept.
#[test]
fn activation_checkpointing_changes_no_bit() {
    let folder = tempfile::tempdir().unwrap();
    let run = prepare(folder.path(), "UniOpd", 2);
    let weights = |name: &str, on: &str| {
        let out = folder.path().join(name);
        must_run(train(&run, &out, "2").args(["--set", &format!("activation_checkpointing={on}")]));
        let effective = fs::read_to_string(out.join("run.ron")).unwrap();
        assert_eq!(effective.contains("activation_checkpointing: true"), on == "true", "{effective}");
        // the run's fingerprint says how it was computed; nothing else may tell
        let mut numbers = numbers(&out);
        numbers.iter_mut().for_each(|line| drop(line.as_object_mut().unwrap().remove("hash")));
        (checkpoint(&out, 2).swap_remove(0), numbers)
    };
    assert!(weights("kept", "false") == weights("again", "true"));
}

/// How the run is cut into micro-batches changes nothing but rounding.
#[test]
fn micro_batches_change_only_rounding() {
    let folder = tempfile::tempdir().unwrap();
    let run = prepare(folder.path(), "UniOpd", 1);
    let losses: Vec<f64> = ["0", "3", "16"]
        .iter()
        .map(|size| {
            let out = folder.path().join(size);
            must_run(train(&run, &out, "2").args(["--set", &format!("micro_batch={size}")]));
            numbers(&out)[0]["loss"].as_f64().unwrap()
        })
        .collect();
    assert!((losses[0] - losses[1]).abs() < 1e-9 && (losses[0] - losses[2]).abs() < 1e-9, "{losses:?}");
}
