//! The `limbeck` binary, and folders with something small to run it on.

#![allow(dead_code, reason = "every test binary takes what it needs")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a call said.
pub struct Said {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Said {
    /// It went well.
    #[track_caller]
    pub fn good(self) -> Self {
        assert_eq!(self.code, Some(0), "stdout: {}\nstderr: {}", self.out, self.err);
        self
    }

    /// It was refused with this status, nothing on stdout, and every one of these words on stderr.
    #[track_caller]
    pub fn refused(self, code: i32, words: &[&str]) -> Self {
        let Self { out, err, .. } = &self;
        assert_eq!(self.code, Some(code), "stdout: {out}\nstderr: {err}");
        assert!(!err.contains("panicked"), "{err}");
        assert!(err.starts_with("error: "), "{err}");
        for word in words {
            assert!(err.contains(word), "no {word:?} in\n{err}");
        }
        assert_eq!(out, "", "stderr: {err}");
        self
    }

    /// Its stdout as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|why| panic!("{why}: {}", self.out))
    }
}

/// `limbeck` with these words, in `folder`.
pub fn limbeck_in(folder: &Path, words: &[&str]) -> Said {
    run(Command::new(env!("CARGO_BIN_EXE_limbeck")).current_dir(folder).args(words))
}

/// Runs a command to its end.
pub fn run(command: &mut Command) -> Said {
    let output = command
        .env("RUST_BACKTRACE", "0")
        .env_remove("RAYON_NUM_THREADS")
        .stdin(Stdio::null())
        .output()
        .expect("the binary runs");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Said { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// A tiny model in `folder`.
pub fn model(folder: &Path, name: &str, seed: u64, more: &[&str]) {
    let seed = seed.to_string();
    let mut words =
        vec!["init", "--hidden", "16", "--layers", "1", "--ffn", "32", "--to", name, "--seed", &seed];
    words.extend(more);
    limbeck_in(folder, &words).good();
}

/// A student, two teachers, and the run file `run.ron`.
pub struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (name, seed) in [("student", 1), ("math", 2), ("code", 3)] {
            model(folder.path(), name, seed, &[]);
        }
        let bench = Self { folder };
        bench.write("run.ron", RUN);
        bench
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn limbeck(&self, words: &[&str]) -> Said {
        limbeck_in(self.folder.path(), words)
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path(name), text).expect("a file");
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|why| panic!("{name}: {why}"))
    }

    /// `run.ron` with something replaced, under another name.
    pub fn run_with(&self, name: &str, changes: &[(&str, &str)]) {
        let mut text = RUN.to_string();
        for (from, to) in changes {
            assert!(text.contains(from), "{from}");
            text = text.replace(from, to);
        }
        self.write(name, text);
    }

    /// What is in a folder, by name.
    pub fn list(&self, name: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(name)).into_iter().flatten().flatten();
        let mut names: Vec<String> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// A copy of a folder.
    pub fn copy(&self, from: &str, to: &str) {
        copy(&self.path(from), &self.path(to));
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder").flatten() {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(&from, &to).expect("a copy");
        }
    }
}

/// Three steps of Uni-OPD on built-in tasks.
pub const RUN: &str = r#"Run(
    recipe: "UniOpd", seed: 5, steps: 3, batch: 2, save_every: 1,
    student: "student", teachers: {"math": "math", "code": "code"},
    tasks: (levels: (2, 2), per_level: 4, seed: 3),
    eval: (tasks: (levels: (2, 2), per_level: 3, split: HeldOut)),
    set: (
        data: (samples: 2, max_response_tokens: 6),
        rollout: (group_size: 3, max_response_tokens: 8),
        step: (lr: 1e-3),
    ),
)
"#;
