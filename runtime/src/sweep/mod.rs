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

/// Runs of one recipe and choice of settings are compared only if they had the same plan, loop, models and data.
fn agreed(results: &Results, mut row: Row) -> Row {
    let same = |other: &&Row| {
        (&other.recipe, &other.set, other.status) == (&row.recipe, &row.set, Status::Done)
            && other.member != row.member
    };
    let Some(other) = results.rows().find(same).filter(|_| row.status == Status::Done) else { return row };
    let parts = [
        ("plan", "plan is not that"),
        ("loop", "loop is not that"),
        ("models", "model folders are not those"),
        ("data", "data is not that"),
        ("servers", "teacher behind a server is not that"),
    ];
    let changed = parts.into_iter().find(|(part, _)| row.hashes.get(*part) != other.hashes.get(*part));
    if let Some((_, what)) = changed {
        row.error = Some(format!(
            "its {what} of seed {} in this sweep; put back what has changed since, or start another sweep with --out",
            other.seed
        ));
        row.status = Status::Failed;
    }
    row
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
