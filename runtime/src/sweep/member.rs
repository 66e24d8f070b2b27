//! One run of a sweep: a process of its own, which ends with the sweep.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::plan::Member;
use super::results::{Row, Status};
use crate::error::{Error, Result};
use crate::log::read_metrics;

/// How members are run.
pub(super) struct Runner {
    /// This very program.
    program: PathBuf,
    /// The run file.
    run: PathBuf,
    /// The sweep's folder.
    folder: PathBuf,
    /// Threads a member computes with; none where the user has said so.
    threads: Option<usize>,
}

impl Runner {
    /// `jobs` members at a time share the cores.
    ///
    /// # Errors
    /// A program that does not know where it is.
    pub fn new(run: &Path, folder: &Path, jobs: usize) -> Result<Self> {
        let program = std::env::current_exe().map_err(|why| {
            Error::run(format!("this program cannot be found, to start the runs with: {why}"))
        })?;
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let threads = std::env::var_os(THREADS).is_none().then_some((cores / jobs.max(1)).max(1));
        Ok(Self { program, run: run.to_path_buf(), folder: folder.to_path_buf(), threads })
    }

    /// Runs a member to its end: from the start, or from where it was stopped.
    pub fn run(&self, member: &Member) -> Row {
        let mut row = Row {
            member: member.name.clone(),
            recipe: member.recipe.clone(),
            set: member.set.clone(),
            seed: member.seed,
            status: Status::Failed,
            steps: 0,
            seconds: 0.0,
            before: BTreeMap::new(),
            after: BTreeMap::new(),
            hashes: BTreeMap::new(),
            error: None,
        };
        let found = self.train(member).and_then(|said| self.fill(&mut row, &said));
        match found {
            Ok(()) => row.status = Status::Done,
            Err(why) => row.error = Some(why),
        }
        row
    }

    /// The run's own folder.
    pub fn directory(&self, member: &Member) -> PathBuf {
        self.folder.join("runs").join(&member.name)
    }

    /// What the run says on stderr; it stands beside the run's folder, which must be new when the run begins.
    pub fn log(&self, member: &Member) -> PathBuf {
        self.folder.join("runs").join(format!("{}.log", member.name))
    }

    /// What the run says on stdout.
    fn train(&self, member: &Member) -> Result<String, String> {
        let (directory, log) = (self.directory(member), self.log(member));
        let begun = directory.join("run.ron").is_file();
        let mut command = Command::new(&self.program);
        if begun {
            command.arg("resume").arg(&directory);
        } else {
            // a run that was stopped before it had written its run file has left nothing to go on from
            let _ = fs::remove_dir_all(&directory);
            command.arg("train").arg(&self.run).args(["--recipe", &member.recipe]);
            for word in &member.set {
                command.args(["--set", word]);
            }
            command.args(["--set", &format!("seed={}", member.seed)]).arg("--out").arg(&directory);
        }
        if let Some(threads) = self.threads {
            command.env(THREADS, threads.to_string());
        }
        let file = fs::create_dir_all(self.folder.join("runs"))
            .and_then(|()| File::options().create(true).append(begun).write(true).truncate(!begun).open(&log))
            .map_err(|why| format!("{}: cannot be written: {why}", log.display()))?;
        command.args(["--json", "--with-parent"]);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(file)
            .spawn()
            .map_err(|why| format!("the run could not be started: {why}"))?;
        // held open: the run ends when its standard input does, which is when this process does
        let alive = child.stdin.take();
        let ended = child.wait_with_output().map_err(|why| format!("the run is lost: {why}"))?;
        drop(alive);
        if ended.status.success() {
            return Ok(String::from_utf8_lossy(&ended.stdout).into_owned());
        }
        let said = fs::read_to_string(&log).unwrap_or_default();
        Err(complaint(&said).unwrap_or_else(|| format!("the run was stopped ({})", ended.status)))
    }

    /// What a run that has made its steps is worth.
    fn fill(&self, row: &mut Row, said: &str) -> Result<(), String> {
        let directory = self.folder.join("runs").join(&row.member);
        let json: Value = serde_json::from_str(said).map_err(|why| format!("the run said no JSON: {why}"))?;
        row.steps = json["steps"].as_u64().unwrap_or(0);
        row.before = accuracy(&json, "student before");
        row.after = accuracy(&json, "student after");
        let metrics = read_metrics(&directory.join("metrics.jsonl")).map_err(|why| why.to_string())?;
        row.seconds = metrics.iter().filter_map(|(_, numbers)| numbers.get("step_time")).sum();
        let hashes = fs::read(directory.join("hashes.json")).map_err(|why| format!("hashes.json: {why}"))?;
        let hashes: Vec<(String, String)> =
            serde_json::from_slice(&hashes).map_err(|why| format!("hashes.json: {why}"))?;
        row.hashes = hashes.into_iter().collect();
        Ok(())
    }
}

const THREADS: &str = "RAYON_NUM_THREADS";

/// A row of the table that `train --json` ends with: accuracy by domain, as far as there were verdicts.
fn accuracy(json: &Value, policy: &str) -> BTreeMap<String, f64> {
    let table = &json["accuracy"];
    let row = table["rows"].as_array().into_iter().flatten().find(|row| row["policy"] == policy);
    let columns: Vec<&str> =
        table["columns"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    // of several columns the last is their mean
    let domains = &columns[..if columns.len() > 1 { columns.len() - 1 } else { columns.len() }];
    let share = |domain: &&str| Some(((*domain).to_string(), row?["cells"][*domain]["accuracy"].as_f64()?));
    domains.iter().filter_map(share).collect()
}

/// The last error in a log, in one line.
fn complaint(log: &str) -> Option<String> {
    let lines: Vec<&str> = log.lines().collect();
    let from = lines.iter().rposition(|line| line.starts_with("error: "))?;
    let words: Vec<&str> =
        lines[from..].iter().map(|line| line.trim()).filter(|line| !line.is_empty()).collect();
    Some(words.join(" · ").trim_start_matches("error: ").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_is_no_domain_and_what_was_not_judged_is_left_out() {
        let json = serde_json::json!({"accuracy": {
            "columns": ["code", "math", "mean"],
            "rows": [
                {"policy": "student before", "cells": {"code": {"accuracy": 0.5}}},
                {"policy": "student after", "cells": {"code": {"accuracy": 0.75}, "math": {"accuracy": null}, "mean": null}},
            ],
        }});
        assert_eq!(accuracy(&json, "student after"), [("code".to_string(), 0.75)].into());
        assert_eq!(accuracy(&serde_json::json!({"accuracy": null}), "student after"), BTreeMap::new());
    }

    #[test]
    fn the_last_error_is_told_whole() {
        let log = "error: old\nstep 1/3\nerror: out: step 2: the loss is not finite\n  lower `step.lr`\n";
        assert_eq!(complaint(log).as_deref(), Some("out: step 2: the loss is not finite · lower `step.lr`"));
        assert_eq!(complaint("step 1/3\n"), None);
    }
}
