//! Sweeps with the real binary: rows, the table over them, and what happens when one is stopped.

mod common;

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::{run, Bench, Said};
use serde_json::Value;

/// Short runs from the example student, which is right now and then, so that seeds differ.
fn bench(steps: u32) -> Bench {
    let bench = Bench::new();
    let assets = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/assets");
    let of = |name: &str| assets.join(name).display().to_string();
    let text = format!(
        r#"Run(
    recipe: "VanillaOpd", steps: {steps}, batch: 2, save_every: 1,
    student: {:?}, teachers: {{"math": {:?}, "code": {:?}}},
    tasks: (levels: (2, 2), per_level: 8, seed: 3),
    eval: (tasks: (levels: (2, 2), per_level: 12, split: HeldOut)),
    set: (rollout: (group_size: 3, max_response_tokens: 12), step: (lr: 1e-3)),
)
"#,
        of("start"),
        of("math"),
        of("code")
    );
    bench.write("short.ron", text);
    bench
}

const ASKED: [&str; 9] = [
    "sweep",
    "short.ron",
    "--recipe",
    "VanillaOpd,FullVocabOpd",
    "--set",
    "step.lr=1e-3,3e-3",
    "--seeds",
    "2",
    "--quiet",
];

/// The rows of a sweep, by member, without what measures time.
fn rows(bench: &Bench, out: &str) -> BTreeMap<String, Value> {
    let text = bench.read(&format!("{out}/results.jsonl"));
    let row = |line: &str| {
        let mut row: Value = serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line}"));
        assert!(row.as_object_mut().unwrap().remove("seconds").unwrap().as_f64() >= Some(0.0));
        (row["member"].as_str().unwrap().to_string(), row)
    };
    text.lines().map(row).collect()
}

fn sweep(bench: &Bench, more: &[&str]) -> Said {
    bench.limbeck(&[&ASKED[..], more].concat())
}

fn start(bench: &Bench, words: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_limbeck"))
        .args(words)
        .current_dir(bench.path("."))
        .env_remove("RAYON_NUM_THREADS")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(120);
    while !holds() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn rows_and_table() {
    let bench = bench(2);
    let said = sweep(&bench, &["--out", "one", "--json"]).good();
    let rows = rows(&bench, "one");
    assert_eq!(rows.len(), 8);
    for row in rows.values() {
        assert_eq!((&row["status"], &row["steps"], &row["error"]), (&"done".into(), &2.into(), &Value::Null));
        assert!(
            row["hashes"]["plan"].is_string()
                && row["before"]["math"].is_f64()
                && row["after"]["code"].is_f64()
        );
    }

    // a member is a run like any other
    let alone =
        ["train", "short.ron", "--recipe", "FullVocabOpd", "--set", "step.lr=3e-3", "--set", "seed=2"];
    let alone = bench.limbeck(&[&alone[..], &["--out", "alone", "--json", "--quiet"]].concat()).good().json();
    let member = "FullVocabOpd-step.lr=3e-3-seed2";
    let after = &alone["accuracy"]["rows"][1];
    assert_eq!(after["policy"], "student after");
    for domain in ["math", "code"] {
        assert_eq!(rows[member]["after"][domain], after["cells"][domain]["accuracy"], "{domain}");
    }
    let weights = |out: &str| {
        std::fs::read(bench.path(&format!("{out}/checkpoints/step-000002/student/model.safetensors")))
            .unwrap()
    };
    assert_eq!(weights("alone"), weights(&format!("one/runs/{member}")));

    // the table's numbers, from the rows by hand: two seeds, t(0.975, 1) = 12.7062
    let table = said.json();
    assert_eq!(table["domains"], serde_json::json!(["code", "math"]));
    let labels = [
        "VanillaOpd step.lr=1e-3",
        "VanillaOpd step.lr=3e-3",
        "FullVocabOpd step.lr=1e-3",
        "FullVocabOpd step.lr=3e-3",
    ];
    let overall = |label: &str, seed: u32| {
        let after = &rows[&format!("{}-seed{seed}", label.replace(' ', "-"))]["after"];
        0.5 * (after["math"].as_f64().unwrap() + after["code"].as_f64().unwrap())
    };
    let mut moved = 0;
    for (at, label) in labels.into_iter().enumerate() {
        let line = &table["rows"][at];
        assert_eq!((&line["label"], &line["seeds"]), (&label.into(), &serde_json::json!([1, 2])));
        let [one, two] = [1, 2].map(|seed| overall(label, seed));
        is(&line["accuracy"]["overall"], one, two);
        let [less_one, less_two] = [one - overall(labels[0], 1), two - overall(labels[0], 2)];
        if at == 0 {
            assert!(line["difference"]["overall"].is_null());
        } else {
            is(&line["difference"]["overall"], less_one, less_two);
            moved += usize::from(less_one != less_two);
        }
    }
    assert!(moved > 0, "nothing differs, so nothing was compared: {table}");

    // the same as text, kept in the folder; a finished sweep runs nothing again
    let before = bench.read("one/results.jsonl");
    let said = sweep(&bench, &["--out", "one"]).good();
    assert!(
        said.out.contains(&bench.read("one/summary.txt")) && said.out.contains(labels[3]),
        "{}",
        said.out
    );
    assert_eq!(bench.read("one/results.jsonl"), before);
    // what README.md shows has the same shape
    let summary = bench.read("one/summary.txt");
    let (_, shown) = include_str!("../README.md").split_once("<!-- sweep -->").unwrap();
    let shown: Vec<&str> = shown.lines().skip(2).collect();
    let words = |line: &str| line.split_whitespace().map(str::to_string).collect::<Vec<_>>();
    assert_eq!(words(shown[0]), words(summary.lines().next().unwrap()));
    assert!(summary.contains(shown[4]), "{summary}");
    let base = |line: &str| line.replace("VanillaOpd step.lr=1e-3", "VanillaOpd");
    assert!(summary.lines().any(|line| base(line) == shown[5]), "{summary}");
    // two at a time are the same runs
    sweep(&bench, &["--out", "two", "--jobs", "2"]).good();
    assert_eq!(self::rows(&bench, "two"), rows);
}

fn is(found: &Value, one: f64, two: f64) {
    let near = |name: &str, by_hand: f64| {
        let told = found[name].as_f64().unwrap();
        assert!((told - by_hand).abs() < 1e-6, "{name}: {told} and {by_hand}");
    };
    assert_eq!(found["n"], 2);
    near("mean", 0.5 * (one + two));
    // with two numbers s / √2 is half their distance
    near("half95", 12.7062047 * 0.5 * (one - two).abs());
}

#[test]
fn a_killed_sweep_goes_on() {
    let bench = bench(12);
    sweep(&bench, &["--out", "whole"]).good();
    let mut child = start(&bench, &[&ASKED[..], &["--out", "killed"]].concat());
    let second = "killed/runs/VanillaOpd-step.lr=3e-3-seed1";
    wait_until("a checkpoint of the second run", || {
        assert!(child.try_wait().unwrap().is_none(), "the sweep ended before it could be killed");
        bench.path(&format!("{second}/checkpoints/step-000002/state.json")).is_file()
    });
    child.kill().unwrap(); // SIGKILL: nothing is tidied up
    child.wait().unwrap();
    wait_until("no run goes on without its sweep", || running(&bench).is_empty());
    assert!(!bench.path(&format!("{second}/after.json")).exists(), "the run ended before it was killed");
    let first = bench.read("killed/results.jsonl");
    assert_eq!(first.lines().count(), 1);

    // half a line, as a kill leaves it: dropped
    bench.write("killed/results.jsonl", format!("{first}{}", &first[..30]));
    sweep(&bench, &["--out", "killed"]).good();
    assert!(bench.read("killed/results.jsonl").starts_with(&first), "a run that was done is not run again");
    assert_eq!(rows(&bench, "killed"), rows(&bench, "whole"));
    assert_eq!(
        bench.read(&format!("{second}/metrics.jsonl")).lines().count(),
        12,
        "it went on, and not again"
    );
}

/// Those of our processes that work in this folder.
#[cfg(target_os = "linux")]
fn running(bench: &Bench) -> Vec<String> {
    let folder = bench.path("killed").display().to_string();
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let words = entries.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    words
        .map(|words| String::from_utf8_lossy(&words).into_owned())
        .filter(|words| words.contains(&folder))
        .collect()
}

#[cfg(not(target_os = "linux"))]
fn running(_: &Bench) -> Vec<String> {
    Vec::new()
}

/// However long its run would have taken.
#[cfg(target_os = "linux")]
#[test]
fn no_run_outlives_its_sweep() {
    let bench = bench(1_000_000);
    let words = ["sweep", "short.ron", "--seeds", "2", "--quiet", "--jobs", "2"];
    for (signal, out) in [("-KILL", "killed"), ("-TERM", "killed-again")] {
        let mut child = start(&bench, &[&words[..], &["--out", out]].concat());
        wait_until("two runs", || {
            assert!(child.try_wait().unwrap().is_none());
            [1, 2]
                .iter()
                .all(|seed| bench.path(&format!("{out}/runs/VanillaOpd-seed{seed}/metrics.jsonl")).is_file())
        });
        assert_eq!(running(&bench).iter().filter(|words| words.contains("--with-parent")).count(), 2);
        run(Command::new("kill").args([signal, &child.id().to_string()]));
        child.wait().unwrap();
        wait_until("no run goes on without its sweep", || running(&bench).is_empty());
    }
}

#[test]
fn a_run_that_fails_stops_no_other() {
    let bench = bench(4);
    let asked = ["sweep", "short.ron", "--set", "step.lr=1e30,1e-3", "--seeds", "2", "--out", "out"];
    let said = bench.limbeck(&asked);
    assert_eq!(said.code, Some(1), "{}", said.err);
    for seed in [1, 2] {
        assert!(
            said.out.contains(&format!("failed: VanillaOpd step.lr=1e30, seed {seed}: ")),
            "{}",
            said.out
        );
        let log = format!("out/runs/VanillaOpd-step.lr=1e30-seed{seed}.log");
        assert!(bench.read(&log).contains("not finite") && said.out.contains(&log));
    }
    assert!(said.out.contains("not finite") && said.err.contains("run 4/4"), "{}\n{}", said.out, said.err);
    let rows = rows(&bench, "out");
    let status = |member: &str| rows[member]["status"].as_str().unwrap();
    assert_eq!(
        (status("VanillaOpd-step.lr=1e30-seed2"), status("VanillaOpd-step.lr=1e-3-seed2")),
        ("failed", "done")
    );
    // again: only what failed is tried again
    assert_eq!(bench.limbeck(&[&asked[..], &["--quiet"]].concat()).code, Some(1));
    assert_eq!(bench.read("out/results.jsonl").lines().count(), 6);
}

#[test]
fn a_folder_holds_one_sweep() {
    let bench = bench(1);
    let asked = |seeds| ["sweep", "short.ron", "--seeds", seeds, "--out", "out", "--quiet"];
    bench.limbeck(&asked("1,4")).good();
    bench.limbeck(&asked("2")).refused(2, &["another sweep", "VanillaOpd, seed 4", "--out"]);
    // more of the same goes on
    bench.limbeck(&asked("1,2,4")).good();
    assert_eq!(bench.read("out/results.jsonl").lines().count(), 3);
    let text = bench.read("short.ron");
    bench.write("short.ron", text.replace("batch: 2", "batch: 3"));
    bench.limbeck(&asked("1,2,4")).refused(2, &["another run file", "short.ron"]);
    bench.write("short.ron", text);
    bench.limbeck(&["sweep", "short.ron", "--seeds", "1", "--out", "student"]).refused(2, &["no sweep"]);
    // the models of the first runs are no longer there
    let own = |seeds| ["sweep", "run.ron", "--seeds", seeds, "--out", "own", "--quiet"];
    bench.limbeck(&own("1")).good();
    std::fs::remove_dir_all(bench.path("math")).unwrap();
    bench.copy("code", "math");
    let said = bench.limbeck(&own("1,2"));
    assert_eq!(said.code, Some(1));
    assert!(said.out.contains("its teacher math is not that of UniOpd, seed 1"), "{}", said.out);
    // and another recipe from another start is compared with none of them
    std::fs::remove_dir_all(bench.path("student")).unwrap();
    bench.copy("code", "student");
    let more = ["--recipe", "UniOpd,UniOpdGreedyMask"];
    let said = bench.limbeck(&[&own("1,2")[..], &more].concat());
    assert_eq!(said.code, Some(1));
    assert!(said.out.contains("is not that of UniOpd, seed 1"), "{}", said.out);
}

#[test]
fn what_is_wrong_is_said_before_anything_is_run() {
    let bench = bench(1);
    for (words, said) in [
        (&["--recipe", "VanillaOpd,UniOdp"][..], "did you mean `UniOpd`"),
        (&["--recipe", "VanillaOpd,Grpo", "--set", "score.keep=1"], "score"),
        (&["--recipe", "UniOpd,VanillaOpd", "--set", "calibrate.delta=0.1"], "VanillaOpd"),
        (&["--set", "rollout.temprature=1,2"], "did you mean `temperature`"),
        (&["--set", "rollout.temperature=1,-1"], "rollout.temperature=-1"),
        (&["--recipe", "VanillaOpd,Dopd"], "Dopd"),
        (&["--jobs", "0"], "--jobs"),
        (&["--set", "steps=0"], "steps"),
    ] {
        let words = [&["sweep", "short.ron", "--seeds", "2", "--out", "out"][..], words].concat();
        bench.limbeck(&words).refused(2, &[said]);
        assert!(!bench.path("out").exists(), "{words:?}");
    }
    let text = bench.read("short.ron");
    let without: String =
        text.lines().filter(|line| !line.contains("eval:")).map(|line| format!("{line}\n")).collect();
    bench.write("short.ron", without);
    bench.limbeck(&["sweep", "short.ron", "--seeds", "2"]).refused(2, &["no held-out prompts", "eval:"]);
}
