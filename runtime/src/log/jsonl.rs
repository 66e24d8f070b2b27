//! `metrics.jsonl` and `samples.jsonl`: one JSON object a line, each with its `step`.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::disk::{replace, Appender};
use super::Metrics;
use crate::error::{Error, Result};

/// A file of JSON lines that only grows: a killed run loses the line it was writing, nothing else.
#[derive(Debug)]
pub struct JsonLines {
    file: Appender,
    hash: Option<String>,
}

#[derive(Serialize)]
struct Line<'a, T> {
    step: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    hash: Option<&'a str>,
    #[serde(flatten)]
    value: &'a T,
}

#[derive(Deserialize)]
struct Stepped {
    step: u64,
}

impl JsonLines {
    /// Opens `path` to go on after its last line; the file is made if it is not there.
    pub fn open(path: &Path) -> Result<Self> {
        Ok(Self { file: Appender::open(path)?, hash: None })
    }

    /// The same file; every further line carries `hash`, the fingerprint of the run that wrote it.
    #[must_use]
    pub fn stamped(self, hash: Option<String>) -> Self {
        Self { hash, ..self }
    }

    /// Writes one line: `"step"` first, then the fields of `value`, which must be a struct or a map.
    pub fn write<T: Serialize>(&mut self, step: u64, value: &T) -> Result<()> {
        let mut line = serde_json::to_vec(&Line { step, hash: self.hash.as_deref(), value })
            .map_err(|why| Error::writing(self.file.path(), why))?;
        line.push(b'\n');
        self.file.append(&line)
    }

    /// Drops the lines of steps after `last`, and a half-written last line: what a killed run wrote
    /// beyond the checkpoint from which it is resumed. Every other line stays as it is, byte for byte.
    pub fn truncate_after(&mut self, last: u64) -> Result<()> {
        let path = self.file.path().to_owned();
        let mut broken = None;
        let mut misplaced = None;
        let mut lines = Lines::open(&path)?;
        replace(&path, |file| {
            while let Some((number, line)) = lines.next()? {
                match serde_json::from_slice::<Stepped>(line) {
                    Ok(Stepped { step }) if step <= last => {
                        if let Some(broken) = broken {
                            misplaced = Some(broken);
                            return Err(io::Error::other("not one JSON object a line"));
                        }
                        file.write_all(line)?;
                        file.write_all(b"\n")?;
                    }
                    Ok(_) => {}
                    Err(_) => broken = broken.or(Some(number)),
                }
            }
            Ok(())
        })
        .map_err(|error| match misplaced {
            Some(number) => not_a_line(&path, number, "it has no step"),
            None => error,
        })?;
        self.file = Appender::open(&path)?;
        Ok(())
    }
}

/// Reads `metrics.jsonl` back; a half-written last line is passed over.
pub fn read_metrics(path: &Path) -> Result<Vec<(u64, Metrics)>> {
    let mut steps = Vec::new();
    let mut broken: Option<Error> = None;
    let mut lines = Lines::open(path)?;
    while let Some((number, line)) = lines.next().map_err(|why| Error::reading(path, why))? {
        if let Some(error) = broken {
            return Err(error);
        }
        let read = || -> serde_json::Result<(u64, Metrics)> {
            let Stepped { step } = serde_json::from_slice(line)?;
            Ok((step, serde_json::from_slice(line)?))
        };
        match read() {
            Ok(step) => steps.push(step),
            Err(why) => broken = Some(not_a_line(path, number, why)),
        }
    }
    Ok(steps)
}

fn not_a_line(path: &Path, number: usize, why: impl std::fmt::Display) -> Error {
    Error::call(format!("not a line that a run wrote: {why}"))
        .at(format!("{}:{number}", path.display()))
        .next("take this line out, or restore the file")
}

/// The lines of a file as bytes, counted from 1; a cut-off character is no reason to stop.
struct Lines {
    file: BufReader<File>,
    line: Vec<u8>,
    number: usize,
}

impl Lines {
    fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|why| Error::reading(path, why))?;
        Ok(Self { file: BufReader::new(file), line: Vec::new(), number: 0 })
    }

    fn next(&mut self) -> io::Result<Option<(usize, &[u8])>> {
        self.line.clear();
        self.number += 1;
        if self.file.read_until(b'\n', &mut self.line)? == 0 {
            return Ok(None);
        }
        let line = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
        Ok(Some((self.number, line)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn metrics(loss: f64) -> Metrics {
        let mut metrics = Metrics::default();
        metrics.set("loss", loss);
        metrics
    }

    #[test]
    fn every_line_has_its_step_and_reads_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("metrics.jsonl");
        let mut lines = JsonLines::open(&path).unwrap();
        lines.write(0, &metrics(0.1 + 0.2)).unwrap();
        drop(lines);
        let mut lines = JsonLines::open(&path).unwrap();
        lines.write(1, &metrics(f64::INFINITY)).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let expected = "{\"step\":0,\"loss\":0.30000000000000004}\n\
                        {\"step\":1,\"loss\":null,\"nonfinite\":[\"loss\"]}\n";
        assert_eq!(text, expected);
        let back = read_metrics(&path).unwrap();
        assert_eq!(back[0], (0, metrics(0.1 + 0.2)));
        assert_eq!(back[1].0, 1);
    }

    #[test]
    fn what_came_after_the_checkpoint_is_dropped_and_the_rest_kept_byte_for_byte() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("samples.jsonl");
        let kept = "{\"step\": 3,  \"a\": 1}\n{\"step\": 4}\n";
        for rest in
            ["", "{\"step\": 5}\n", "{\"step\": 5}\n{\"step\": 6, \"prompt\": \"\u{e4}", "{\"st", "\0\0\0\0"]
        {
            fs::write(&path, format!("{kept}{rest}")).unwrap();
            let mut lines = JsonLines::open(&path).unwrap();
            lines.truncate_after(4).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), kept, "{rest:?}");
            lines.write(5, &metrics(1.0)).unwrap();
            assert_eq!(read_metrics(&path).unwrap().len(), 3);
        }
    }

    #[test]
    fn a_broken_line_before_a_good_one_is_an_error_that_names_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("metrics.jsonl");
        let text = "{\"step\": 0}\n{\"step\": \n{\"step\": 2}\n";
        fs::write(&path, text).unwrap();
        let mut lines = JsonLines::open(&path).unwrap();
        for error in [lines.truncate_after(9).unwrap_err(), read_metrics(&path).unwrap_err()] {
            assert!(error.to_string().contains("metrics.jsonl:2: "), "{error}");
            assert_eq!(error.exit_code(), 2);
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }

    #[test]
    fn a_value_that_is_no_object_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("metrics.jsonl");
        assert!(JsonLines::open(&path).unwrap().write(0, &[1, 2]).is_err());
        assert_eq!(fs::read(&path).unwrap(), b"");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_an_error_that_says_so() {
        let mut lines = JsonLines::open(Path::new("/dev/full")).unwrap();
        let error = lines.write(0, &metrics(1.0)).unwrap_err();
        assert_eq!(error.exit_code(), 1);
        assert!(error.to_string().contains("/dev/full"));
    }
}
