//! Sweeps: recipes × settings × seeds, each run a process of its own, and one table in the end.
//!
//! The sweep's folder holds `sweep.ron` (what is swept), `results.jsonl` (a line a run that has ended),
//! `runs/` (a run directory and a log each) and `summary.txt` (the table). A sweep that was stopped goes on.

mod member;
mod plan;
mod results;
mod stats;
mod table;
mod words;

pub use plan::{Case, Member, Sweep};
pub use results::{Results, Row, Status};
pub use stats::Mean;
pub use table::{Failed, Line, Table};

use std::path::Path;
use std::sync::mpsc;
use std::sync::{Mutex, PoisonError};

use crate::error::{Error, Result};
use crate::log::{ProgressStyle, Runs};
use crate::run::write_whole;
use member::Runner;

/// Runs what is still to do, `jobs` at a time, and says what all of it found.
///
/// # Errors
/// A file that cannot be written. A run that fails is no error: the table names it.
pub fn go(
    sweep: &Sweep,
    folder: &Path,
    results: &mut Results,
    jobs: usize,
    style: ProgressStyle,
) -> Result<Table> {
    let folder = &std::path::absolute(folder).map_err(|why| Error::reading(folder, why))?;
    let runner = Runner::new(&sweep.run, folder, jobs)?;
    let all = sweep.members()?;
    // those without a row, and those that failed
    let done = |member: &&Member| results.of(&member.name).is_some_and(|row| row.status == Status::Done);
    let members: Vec<&Member> = all.iter().filter(|member| !done(member)).collect();
    let progress = Runs::new(all.len(), all.len() - members.len(), jobs, style);
    let queue = Mutex::new(members.iter());
    let (tell, hear) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..jobs.min(members.len()) {
            let (tell, queue, runner, progress) = (tell.clone(), &queue, &runner, &progress);
            scope.spawn(move || loop {
                let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
                let Some(member) = next else { break };
                progress.begins(&member.label);
                let row = runner.run(member);
                let note = row.error.as_ref().map(|why| format!("failed: {}: {why}", member.label));
                progress.ends(&member.label, note.as_deref());
                if tell.send(row).is_err() {
                    break;
                }
            });
        }
        drop(tell);
        // a result that cannot be written ends the sweep, after the runs that are under way
        hear.into_iter().try_for_each(|row| results.append(agreed(results, row)))
    })?;
    drop(progress);
    let rows: Vec<Row> = all.iter().filter_map(|member| results.of(&member.name).cloned()).collect();
    let (done, failed): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(|row| row.status == Status::Done);
    let failed = failed.into_iter().filter_map(|row| {
        let member = all.iter().find(|member| member.name == row.member)?;
        let log = runner.log(member).display().to_string();
        Some(Failed { label: member.label.clone(), error: row.error.unwrap_or_default(), log })
    });
    let table = Table::of(&sweep.cases()?, &done, failed.collect());
    write_whole(&folder.join("summary.txt"), table.to_string().as_bytes())?;
    Ok(table)
}

/// Runs are compared only if they started from the same student, learnt from the same teachers and data, and, where
/// recipe and settings are one, by the same plan and loop.
fn agreed(results: &Results, mut row: Row) -> Row {
    if row.status != Status::Done {
        return row;
    }
    let others = results.rows().filter(|other| other.status == Status::Done && other.member != row.member);
    let changed = others.filter_map(|other| Some((other, differs(&row, other)?))).next();
    if let Some((other, part)) = changed {
        let (label, seed) = (&other.recipe, other.seed);
        row.error = Some(format!(
            "its {part} is not that of {label}, seed {seed}, in this sweep; put back what has changed since, or start another sweep with --out"
        ));
        row.status = Status::Failed;
    }
    row
}

/// In what two runs differ that may not.
fn differs<'a>(row: &'a Row, other: &Row) -> Option<&'a str> {
    let one = (&row.recipe, &row.set) == (&other.recipe, &other.set);
    // what a setting of the sweep chooses may differ from case to case
    let chosen = |part: &str| [row, other].iter().any(|row| row.set.iter().any(|word| chooses(word, part)));
    let may_differ =
        |part: &str| part == "run" || (!one && (["plan", "loop"].contains(&part) || chosen(part)));
    let unlike = |part: &&String, hash: &String| other.hashes.get(*part).is_some_and(|theirs| theirs != hash);
    row.hashes.iter().find(|(part, hash)| !may_differ(part) && unlike(part, hash)).map(|(part, _)| &part[..])
}

/// Whether `--set word` chooses this part of a run.
fn chooses(word: &str, part: &str) -> bool {
    let field = word.split(['=', '.']).next().unwrap_or_default().trim();
    field == part || (field == "eval" && part == "data")
}

/// The folder and what it holds, made if it is not there.
///
/// # Errors
/// A folder with something else in it, one that cannot be written, another sweep at work in it.
pub fn open(sweep: &Sweep, folder: &Path) -> Result<Results> {
    sweep.must_go_on(folder)?;
    std::fs::create_dir_all(folder).map_err(|why| {
        Error::call(format!("the folder cannot be made: {why}"))
            .at(folder.display())
            .next("choose another --out")
    })?;
    let results = Results::open(folder)?;
    sweep.write(folder)?;
    Ok(results)
}
