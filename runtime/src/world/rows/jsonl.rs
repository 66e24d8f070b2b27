//! Rows as JSON Lines: one object a line.

use std::collections::{BTreeSet, HashMap};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::de::DeserializeSeed;

use super::images::{Gallery, COLUMN};
use super::{Columns, Fields, Row};
use crate::error::{Error, Result};

/// The rows of a JSONL source, one after the other; it ends after the first error.
pub struct Rows<R> {
    source: R,
    path: PathBuf,
    line: usize,
    columns: Columns,
    /// The columns that were seen, kept where some must be there.
    there: BTreeSet<String>,
    ids: HashMap<String, usize>,
    gallery: Gallery,
    failed: bool,
}

impl<R: BufRead> Rows<R> {
    /// Reads from `source`; errors name `path`.
    pub fn new(source: R, path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self {
            source,
            gallery: Gallery::beside(&path),
            path,
            line: 0,
            columns: Columns::default(),
            there: BTreeSet::new(),
            ids: HashMap::new(),
            failed: false,
        }
    }

    /// The same rows, whose columns are called otherwise.
    #[must_use]
    pub fn with(mut self, columns: &Columns) -> Self {
        self.columns = columns.clone();
        self
    }

    /// At the end of the file: a column that was to be taken, and that no row has.
    fn none_had(&mut self) -> Option<Result<Row>> {
        let wrong = self.columns.missing(&self.there, &self.path).filter(|_| !self.there.is_empty())?;
        self.failed = true;
        Some(Err(wrong))
    }

    fn wrong(&self, column: usize, what: impl Into<String>, next: impl Into<String>) -> Error {
        Error::call(what).at(format!("{}:{}:{column}", self.path.display(), self.line)).next(next)
    }

    fn row(&mut self, line: &[u8]) -> Result<Row> {
        let text = std::str::from_utf8(line).map_err(|why| {
            let before = String::from_utf8_lossy(&line[..why.valid_up_to()]).chars().count();
            self.wrong(before + 1, "this is not UTF-8", "save the file as UTF-8 text, one JSON object a line")
        })?;
        let mut json = serde_json::Deserializer::from_str(text);
        let fields = Fields { columns: &self.columns, there: &mut self.there };
        let row = fields.deserialize(&mut json).and_then(|row| json.end().map(|()| row));
        let mut row = row.map_err(|why| self.syntax(text, &why))?;
        self.gallery.fill(&mut row).map_err(|why| {
            let column = column_of(text, self.columns.column(COLUMN));
            why.at(format!("{}:{}:{column}", self.path.display(), self.line))
        })?;
        if let Some(id) = row.columns.get("id")
            && let Some(first) = self.ids.insert(id.clone(), self.line)
        {
            let what = format!("`id` {id:?} is already the id of line {first}");
            return Err(self.wrong(
                column_of(text, self.columns.column("id")),
                what,
                "give every row an id of its own, or drop the ids",
            ));
        }
        Ok(row)
    }

    fn syntax(&self, text: &str, why: &serde_json::Error) -> Error {
        let before = text.get(..why.column()).map_or(why.column(), |s| s.chars().count()).max(1);
        let said = why.to_string();
        let said = said.rsplit_once(" at line ").map_or(said.as_str(), |(said, _)| said);
        if let Some((what, next)) = said.split_once('\n') {
            let field = what.split(['`', '"']).nth(1).and_then(|field| field.split('[').next());
            let text = text.get(..why.column()).unwrap_or(text);
            return self.wrong(column_of(text, field.unwrap_or_default()), what, next);
        }
        if said.contains("out of range") || not_finite(text, before - 1) {
            let next = "JSON has no such number: leave the field out, or write null";
            return self.wrong(before, "a number that is not finite", next);
        }
        self.wrong(
            before,
            format!("not a data row: {said}"),
            "write one JSON object a line, in JSON's own spelling",
        )
    }
}

/// Is the word around character `at` a spelling of NaN or infinity?
fn not_finite(text: &str, at: usize) -> bool {
    let inside = |c: &char| c.is_ascii_alphabetic();
    let before: Vec<char> = text.chars().take(at).collect();
    let start = before.iter().rev().take_while(|c| inside(c)).count();
    let word: String =
        text.chars().skip(at - start.min(at)).skip_while(|c| *c == '-').take_while(inside).collect();
    ["nan", "inf", "infinity"].contains(&word.to_ascii_lowercase().as_str())
}

/// The column at which the last `"field"` of the text stands, 1 where there is none.
fn column_of(text: &str, field: &str) -> usize {
    text.rfind(&format!("\"{field}\"")).map_or(1, |at| text[..at].chars().count() + 1)
}

impl<R: BufRead> Iterator for Rows<R> {
    type Item = Result<Row>;

    fn next(&mut self) -> Option<Result<Row>> {
        let mut line = Vec::new();
        while !self.failed {
            line.clear();
            self.line += 1;
            let found = match self.source.read_until(b'\n', &mut line) {
                Ok(0) => return self.none_had(),
                Ok(_) if self.line == 1 => {
                    self.row_unless_blank(line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&line))
                }
                Ok(_) => self.row_unless_blank(&line),
                Err(why) => Some(Err(Error::reading(&self.path, why))),
            };
            if let Some(row) = found {
                self.failed = row.is_err();
                return Some(row);
            }
        }
        None
    }
}

impl<R: BufRead> Rows<R> {
    fn row_unless_blank(&mut self, line: &[u8]) -> Option<Result<Row>> {
        let line = line.trim_ascii_end();
        (!line.is_empty()).then(|| self.row(line))
    }
}

/// The rows of the file at `path`, read as they are asked for.
pub fn stream_jsonl(path: impl AsRef<Path>) -> Result<Rows<BufReader<File>>> {
    let path = path.as_ref();
    let file = File::open(path).map_err(|why| Error::reading(path, why))?;
    Ok(Rows::new(BufReader::new(file), path))
}

/// Writes `rows` to `path`, whole or not at all.
pub fn write_jsonl<'a>(path: impl AsRef<Path>, rows: impl IntoIterator<Item = &'a Row>) -> Result<()> {
    let path = path.as_ref();
    let name = path.file_name().ok_or_else(|| Error::writing(path, "it names no file"))?;
    let partial = path.with_file_name(format!(".{}.partial", name.to_string_lossy()));
    let write = || -> std::io::Result<()> {
        let mut to = BufWriter::new(File::create(&partial)?);
        for row in rows {
            serde_json::to_writer(&mut to, row)?;
            to.write_all(b"\n")?;
        }
        to.into_inner().map_err(|why| why.into_error())?.sync_all()?;
        fs::rename(&partial, path)
    };
    write().map_err(|why| {
        let _ = fs::remove_file(&partial);
        Error::writing(path, why)
    })
}
