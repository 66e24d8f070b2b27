//! Data rows: one JSON object a line, a prompt with what belongs to it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde::ser::{Error as _, SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{Error, Result};

/// One message of a chat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Message {
    /// Who speaks: `system`, `user`, `assistant`.
    pub role: String,
    /// What is said.
    pub content: String,
}

/// A prompt as the data has it: plain text, or messages that a chat template renders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum PromptText {
    /// Text that goes to the tokenizer as it is.
    Plain(String),
    /// Messages, in order.
    Chat(Vec<Message>),
}

impl PromptText {
    /// The text of a plain prompt.
    pub fn plain(&self) -> Option<&str> {
        match self {
            Self::Plain(text) => Some(text),
            Self::Chat(_) => None,
        }
    }

    /// Reads a prompt; the error says what is wrong and, on its second line, what to do.
    fn read(value: Value) -> Result<Self, String> {
        let prompt = match value {
            Value::String(text) => Self::Plain(text),
            Value::Array(items) => {
                let messages = items.into_iter().enumerate().map(|(at, item)| Message::read(at, item));
                Self::Chat(messages.collect::<Result<_, _>>()?)
            }
            other => {
                let what = kind(&other);
                return Err(format!("`prompt` is {what}\n{PROMPT_FORMS}"));
            }
        };
        let blank = match &prompt {
            Self::Plain(text) => text.trim().is_empty(),
            Self::Chat(messages) => messages.iter().all(|m| m.content.trim().is_empty()),
        };
        if blank {
            return Err("`prompt` is empty\ngive it some text, or drop the row".into());
        }
        Ok(prompt)
    }
}

const PROMPT_FORMS: &str =
    "write a string, or an array of messages: [{\"role\": \"user\", \"content\": \"…\"}]";

impl Message {
    fn read(at: usize, value: Value) -> Result<Self, String> {
        let Value::Object(fields) = value else {
            let what = kind(&value);
            return Err(format!("`prompt[{at}]` is {what}, not a message\n{PROMPT_FORMS}"));
        };
        let (mut role, mut content) = (None, None);
        for (key, value) in fields {
            match (key.as_str(), value) {
                (_, Value::Null) => {}
                ("role", Value::String(text)) if !text.is_empty() => role = Some(text),
                ("content", Value::String(text)) => content = Some(text),
                (_, value) => {
                    let what = kind(&value);
                    return Err(format!(
                        "`prompt[{at}]` has {key:?}: {what}, which a message cannot have\n{PROMPT_FORMS}"
                    ));
                }
            }
        }
        match (role, content) {
            (Some(role), Some(content)) => Ok(Self { role, content }),
            _ => Err(format!("`prompt[{at}]` lacks its role or its content\n{PROMPT_FORMS}")),
        }
    }
}

impl From<&str> for PromptText {
    fn from(text: &str) -> Self {
        Self::Plain(text.into())
    }
}

impl fmt::Display for PromptText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(text) => f.write_str(text),
            Self::Chat(messages) => {
                let lines: Vec<_> = messages.iter().map(|m| format!("{}: {}", m.role, m.content)).collect();
                f.write_str(&lines.join("\n"))
            }
        }
    }
}

impl<'de> Deserialize<'de> for PromptText {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::read(Value::deserialize(from)?).map_err(D::Error::custom)
    }
}

/// One row of data: a prompt and what belongs to it. In JSON it is one flat object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What the student reads.
    pub prompt: PromptText,
    /// The final answer that a verifier compares with.
    pub answer: Option<String>,
    /// Which teacher and which verifier this row is for; empty where the data says nothing.
    pub domain: String,
    /// A worked response, for supervised training.
    pub reference: Option<String>,
    /// How hard the row is.
    pub level: Option<u32>,
    /// Every other column: hints, boxes, ids. What is not a string is kept as its JSON text; null is left out.
    pub columns: BTreeMap<String, String>,
}

impl Row {
    /// A row with nothing but its prompt.
    pub fn new(prompt: impl Into<PromptText>) -> Self {
        let columns = BTreeMap::new();
        let prompt = prompt.into();
        Self { prompt, answer: None, domain: String::new(), reference: None, level: None, columns }
    }

    /// Sets one field; the error says what is wrong and, on its second line, what to do.
    fn set(&mut self, key: String, value: Value) -> Result<(), String> {
        match (key.as_str(), value) {
            ("prompt", value) => self.prompt = PromptText::read(value)?,
            (_, Value::Null) => {}
            ("answer", value) => self.answer = Some(text("answer", value)?),
            ("domain", value) => self.domain = text("domain", value)?,
            ("reference", value) => self.reference = Some(text("reference", value)?),
            ("level", value) => {
                let level = value.as_u64().and_then(|level| u32::try_from(level).ok());
                self.level = Some(level.ok_or_else(|| {
                    format!("`level` is {value}\nwrite a whole number from 0 on, or leave it out")
                })?);
            }
            (_, Value::String(text)) => drop(self.columns.insert(key, text)),
            (_, other) => drop(self.columns.insert(key, other.to_string())),
        }
        Ok(())
    }
}

fn text(field: &str, value: Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text),
        other => Err(format!("`{field}` is {}, not a string\nput it in quotes", kind(&other))),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

const FIXED: [&str; 5] = ["prompt", "answer", "domain", "reference", "level"];

impl Serialize for Row {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if let Some(key) = self.columns.keys().find(|key| FIXED.contains(&key.as_str())) {
            return Err(S::Error::custom(format!(
                "a column cannot be named `{key}`: the row has that field"
            )));
        }
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("prompt", &self.prompt)?;
        let domain = Some(&self.domain).filter(|domain| !domain.is_empty());
        let reference = self.reference.as_ref();
        for (key, value) in [("answer", self.answer.as_ref()), ("domain", domain), ("reference", reference)] {
            if let Some(value) = value {
                map.serialize_entry(key, value)?;
            }
        }
        if let Some(level) = self.level {
            map.serialize_entry("level", &level)?;
        }
        for (key, value) in &self.columns {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Row {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Row;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("one JSON object a line, {\"prompt\": …}")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Row, M::Error> {
                let mut row = Row::new("");
                let mut seen = BTreeSet::new();
                while let Some(key) = map.next_key::<String>()? {
                    if !seen.insert(key.clone()) {
                        return Err(M::Error::custom(format!("{key:?} is given twice\nkeep one of them")));
                    }
                    row.set(key, map.next_value()?).map_err(M::Error::custom)?;
                }
                if !seen.contains("prompt") {
                    return Err(M::Error::custom(format!("`prompt` is missing\n{PROMPT_FORMS}")));
                }
                Ok(row)
            }
        }
        from.deserialize_map(Fields)
    }
}

/// The rows of a JSONL source, one after the other; it ends after the first error.
pub struct Rows<R> {
    source: R,
    path: PathBuf,
    line: usize,
    ids: HashMap<String, usize>,
    failed: bool,
}

impl<R: BufRead> Rows<R> {
    /// Reads from `source`; errors name `path`.
    pub fn new(source: R, path: impl Into<PathBuf>) -> Self {
        Self { source, path: path.into(), line: 0, ids: HashMap::new(), failed: false }
    }

    fn wrong(&self, column: usize, what: impl Into<String>, next: impl Into<String>) -> Error {
        Error::call(what).at(format!("{}:{}:{column}", self.path.display(), self.line)).next(next)
    }

    fn row(&mut self, line: &[u8]) -> Result<Row> {
        let text = std::str::from_utf8(line).map_err(|why| {
            let before = String::from_utf8_lossy(&line[..why.valid_up_to()]).chars().count();
            self.wrong(before + 1, "this is not UTF-8", "save the file as UTF-8 text, one JSON object a line")
        })?;
        let row: Row = serde_json::from_str(text).map_err(|why| self.syntax(text, &why))?;
        if let Some(id) = row.columns.get("id") {
            if let Some(first) = self.ids.insert(id.clone(), self.line) {
                let what = format!("`id` {id:?} is already the id of line {first}");
                return Err(self.wrong(
                    column_of(text, "id"),
                    what,
                    "give every row an id of its own, or drop the ids",
                ));
            }
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
                Ok(0) => return None,
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

/// All rows of the file at `path`; a file without any is an error.
pub fn read_jsonl(path: impl AsRef<Path>) -> Result<Vec<Row>> {
    let path = path.as_ref();
    let rows = stream_jsonl(path)?.collect::<Result<Vec<_>>>()?;
    if rows.is_empty() {
        let next = "write one JSON object a line, {\"prompt\": …}, or name another file";
        return Err(Error::call("there are no rows in it").at(path.display()).next(next));
    }
    Ok(rows)
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
