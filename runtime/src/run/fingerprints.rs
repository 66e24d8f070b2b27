//! Fingerprints of what a run reads, so that it never goes on over other weights or other data.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::directory::RunDirectory;
use crate::error::{Error, Result};
use crate::plan::{Record, Resolved};

/// Files up to this size are read whole.
const WHOLE: u64 = 8 << 20;
/// Of larger ones, so many blocks, evenly spread: training changes every part of a weight file.
const BLOCKS: u64 = 64;
const BLOCK: u64 = 64 << 10;

/// The files of a model folder that decide what the model says.
const FILES: [&str; 4] =
    ["config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"];

/// The name of the fingerprint of all images.
pub(super) const IMAGES: &str = "images";

/// What stands before a teacher's name in the name of its fingerprint.
pub(super) const TEACHER: &str = "teacher ";

/// The configuration, tokenizer, chat template and weights in a model folder.
pub(super) fn of_model(folder: &Path) -> Result<String> {
    let entries = std::fs::read_dir(folder).map_err(|why| Error::reading(folder, why))?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|path| {
        path.extension().is_some_and(|end| end == "safetensors" || end == "jinja")
            || FILES.iter().any(|name| path.ends_with(name))
    });
    files.sort();
    of_files(files.iter())
}

/// These files, by content and order; not by where they are.
pub(super) fn of_files<'a>(files: impl Iterator<Item = &'a PathBuf>) -> Result<String> {
    let mut sum = Sha256::new();
    for path in files {
        add(&mut sum, path).map_err(|why| Error::reading(path, why))?;
    }
    Ok(sum.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect())
}

fn add(sum: &mut Sha256, path: &Path) -> std::io::Result<()> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    sum.update(length.to_le_bytes());
    let mut bytes = Vec::new();
    if length <= WHOLE {
        file.read_to_end(&mut bytes)?;
        sum.update(&bytes);
        return Ok(());
    }
    for block in 0..BLOCKS {
        file.seek(SeekFrom::Start((length - BLOCK) / (BLOCKS - 1) * block))?;
        bytes.clear();
        file.by_ref().take(BLOCK).read_to_end(&mut bytes)?;
        sum.update(&bytes);
    }
    Ok(())
}

/// Keeps the fingerprints a run was started under.
pub(super) fn write_hashes(directory: &RunDirectory, hashes: &[(String, String)]) -> Result<()> {
    let text = serde_json::to_string_pretty(hashes)
        .map_err(|why| Error::run(format!("the fingerprints cannot be written: {why}")))?;
    directory.write("hashes.json", &text)
}

/// The fingerprints a run was started under; none where they were not kept.
pub(super) fn read_hashes(directory: &RunDirectory) -> Result<Vec<(String, String)>> {
    let path = directory.path("hashes.json");
    match std::fs::read_to_string(&path) {
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(why) => Err(Error::reading(&path, why)),
        Ok(text) => serde_json::from_str(&text).map_err(|why| {
            Error::call(format!("is damaged: {why}")).at(path.display()).next("start a new run")
        }),
    }
}

/// A run goes on under what it was started under, or not at all. `plan` is the plan with the run's settings as it
/// is now; how it differs from the one the run was started under is said as `limbeck diff` says it.
pub(super) fn must_be_the_same(
    then: &[(String, String)],
    now: &[(String, String)],
    directory: &RunDirectory,
    plan: &Resolved,
) -> Result<()> {
    let mut shown = difference(directory, plan);
    let changed = then.iter().filter(|hash| !now.contains(hash)).map(|(what, then)| {
        let is = now.iter().find(|(name, _)| name == what).map_or("none", |(_, hash)| hash);
        let named;
        let (what, next, declared) = match what.as_str() {
            "plan" => ("the plan is", "put back what differs", true),
            "loop" => ("the loop is", "put back what differs; loop.rs is the loop then", true),
            "run" => ("run.ron is", "put the changed setting back", true),
            "student" => ("the student's model folder is", "put the folder back as it was", false),
            seat if seat.starts_with(TEACHER) => {
                named = format!("the model folder of the teacher `{}` is", &seat[TEACHER.len()..]);
                (named.as_str(), "put the folder back as it was", false)
            }
            "servers" => {
                ("the teacher behind a server is", "serve the model this run was started with", false)
            }
            IMAGES => ("what the images show is", "put the images back as they were", false),
            _ => ("the data is", "put the data file back as it was", false),
        };
        let diff = if declared { shown.take() } else { None };
        Error::call(format!(
            "{what} not the one this run was started under (then {then}, now {is}){}",
            diff.unwrap_or_default()
        ))
        .at(directory.root().display())
        .next(format!("{next}, or start a new run with `limbeck train`"))
    });
    Error::together(changed)
}

/// How the plan that a run keeps differs from the plan now; nothing where the run had not yet written it down, or
/// where it does not differ.
fn difference(directory: &RunDirectory, plan: &Resolved) -> Option<String> {
    let text = std::fs::read_to_string(directory.path("plan.ron")).ok()?;
    let loop_then = std::fs::read_to_string(directory.path("loop.rs")).ok()?;
    // the first lines are fingerprints
    let loop_then = &loop_then[loop_then.find("fn ")?..];
    let (mut then, mut now): (Record, Record) = (ron::from_str(&text).ok()?, plan.record());
    (then.name, now.name) = ("then".to_string(), "now".to_string());
    let diff = crate::diff::between(&then, &now, [loop_then.trim_end(), plan.loop_text().trim_end()]);
    let differs = !diff.is_empty() || diff.loops.removed + diff.loops.added > 0;
    differs.then(|| diff.to_string().lines().map(|line| format!("\n  {line}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_anywhere_is_seen_and_a_copy_is_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        let of = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            of_model(folder.path()).unwrap()
        };
        let small = of(&[1, 2, 3]);
        assert_eq!(small, of(&[1, 2, 3]));
        assert_ne!(small, of(&[1, 2, 4]));
        let mut large = vec![7; (WHOLE + 999) as usize];
        let before = of(&large);
        large.iter_mut().for_each(|byte| *byte = byte.wrapping_add(1));
        assert_ne!(before, of(&large));
        let last = large.len() - 70_000;
        large[last..].fill(0);
        assert_ne!(before, of(&large));
    }
}
