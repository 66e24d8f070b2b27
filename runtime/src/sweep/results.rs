//! `results.jsonl`: one line a run that has ended, written whole.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// A line of `results.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The member's name, and its folder's.
    pub member: String,
    /// The recipe.
    pub recipe: String,
    /// The settings, as `stage.field=VALUE`.
    pub set: Vec<String>,
    /// The seed.
    pub seed: u64,
    /// How it ended.
    pub status: Status,
    /// How many steps.
    pub steps: u64,
    /// How long its steps took, in seconds, resumes included.
    pub seconds: f64,
    /// The share of right answers on held-out prompts before the run, by domain.
    pub before: BTreeMap<String, f64>,
    /// The same after it.
    pub after: BTreeMap<String, f64>,
    /// The fingerprints of plan, loop, run, models and data.
    pub hashes: BTreeMap<String, String>,
    /// What was wrong, if it failed.
    pub error: Option<String>,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It made all its steps.
    Done,
    /// It did not.
    Failed,
}

/// The rows so far, and the file they stand in. While it is open no other sweep can open it.
pub struct Results {
    path: PathBuf,
    file: File,
    end: u64,
    rows: BTreeMap<String, Row>,
}

impl Results {
    /// The rows in a folder. A last line that a kill has left without its end is dropped.
    ///
    /// # Errors
    /// A file that cannot be read, a line that no sweep wrote, another sweep at work in the folder.
    pub fn open(folder: &Path) -> Result<Self> {
        let path = folder.join("results.jsonl");
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .map_err(|why| Error::writing(&path, why))?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => {
                return Err(Error::call("another sweep is at work in this folder")
                    .at(folder.display())
                    .next("wait for its end, or choose another folder with --out"))
            }
            // a file system without locks is no reason not to go on
            Ok(()) | Err(TryLockError::Error(_)) => {}
        }
        let text = std::fs::read(&path).map_err(|why| Error::reading(&path, why))?;
        let end = text.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let rows = read(&text[..end], &path)?;
        file.set_len(end as u64).map_err(|why| Error::writing(&path, why))?;
        Ok(Self { path, file, end: end as u64, rows })
    }

    /// Writes a row at the end, whole or not at all.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn append(&mut self, row: Row) -> Result<()> {
        let mut line = serde_json::to_string(&row)
            .map_err(|why| Error::run(format!("a result cannot be written: {why}")))?;
        line.push('\n');
        if let Err(why) = self.file.write_all(line.as_bytes()).and_then(|()| self.file.sync_data()) {
            let _ = self.file.set_len(self.end);
            return Err(Error::writing(&self.path, why));
        }
        self.end += line.len() as u64;
        self.rows.insert(row.member.clone(), row);
        Ok(())
    }

    /// The last row of every member.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.values()
    }

    /// What is known of a member: its last row.
    pub fn of(&self, member: &str) -> Option<&Row> {
        self.rows.get(member)
    }
}

/// The last row of each member.
fn read(text: &[u8], path: &Path) -> Result<BTreeMap<String, Row>> {
    let mut rows = BTreeMap::new();
    let lines = text.split(|&byte| byte == b'\n').enumerate();
    for (number, line) in lines.filter(|(_, line)| !line.is_empty()) {
        let row: Row = serde_json::from_slice(line).map_err(|why| {
            Error::call(format!("not a line that a sweep wrote: {why}"))
                .at(format!("{}:{}", path.display(), number + 1))
                .next("take this line out: its run is then looked at again")
        })?;
        rows.insert(row.member.clone(), row);
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(member: &str, status: Status) -> Row {
        Row {
            member: member.to_string(),
            recipe: "A".to_string(),
            set: Vec::new(),
            seed: 1,
            status,
            steps: 3,
            seconds: 0.1,
            before: BTreeMap::new(),
            after: [("math".to_string(), 1.0 / 3.0)].into(),
            hashes: BTreeMap::new(),
            error: None,
        }
    }

    #[test]
    fn the_last_row_counts_and_half_a_line_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("results.jsonl");
        let mut results = Results::open(folder.path()).unwrap();
        results.append(row("a", Status::Failed)).unwrap();
        results.append(row("b", Status::Done)).unwrap();
        results.append(row("a", Status::Done)).unwrap();
        assert!(Results::open(folder.path())
            .is_err_and(|why| why.to_string().contains("another sweep is at work")));
        drop(results);
        let whole = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, format!("{whole}{}", &whole[..40])).unwrap();
        let mut results = Results::open(folder.path()).unwrap();
        assert_eq!(results.of("a"), Some(&row("a", Status::Done)));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), whole);
        results.append(row("c", Status::Done)).unwrap();
        drop(results);
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 4);
        std::fs::write(&path, format!("{}\n{whole}", &whole[..40])).unwrap();
        assert!(Results::open(folder.path()).is_err_and(|why| why.to_string().contains("results.jsonl:1")));
    }
}
