//! Data rows, a prompt with what belongs to it, from JSON Lines or Parquet.

mod columns;
mod images;
mod jsonl;
mod parquet;

pub use columns::Columns;
pub use images::{Images, MARK};
pub use jsonl::{stream_jsonl, write_jsonl, Rows};
pub use parquet::ParquetRows;

pub(crate) use images::fingerprint as images_fingerprint;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor};
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

    /// Reads a prompt, the file's column `name`; the error says what is wrong and, on its second line,
    /// what to do.
    fn read(name: &str, value: Value) -> Result<Self, String> {
        let prompt = match value {
            Value::String(text) => Self::Plain(text),
            Value::Array(items) => {
                let messages = items.into_iter().enumerate().map(|(at, item)| Message::read(name, at, item));
                Self::Chat(messages.collect::<Result<_, _>>()?)
            }
            other => {
                let what = kind(&other);
                return Err(format!("`{name}` is {what}\n{PROMPT_FORMS}"));
            }
        };
        let blank = match &prompt {
            Self::Plain(text) => text.trim().is_empty(),
            Self::Chat(messages) => messages.iter().all(|m| m.content.trim().is_empty()),
        };
        if blank {
            return Err(format!("`{name}` is empty\ngive it some text, or drop the row"));
        }
        Ok(prompt)
    }
}

const PROMPT_FORMS: &str =
    "write a string, or an array of messages: [{\"role\": \"user\", \"content\": \"…\"}]";

impl Message {
    /// What somebody says.
    pub fn new(role: impl Into<String>, content: impl Into<String>) -> Self {
        Self { role: role.into(), content: content.into() }
    }

    fn read(name: &str, at: usize, value: Value) -> Result<Self, String> {
        let Value::Object(fields) = value else {
            let what = kind(&value);
            return Err(format!("`{name}[{at}]` is {what}, not a message\n{PROMPT_FORMS}"));
        };
        let (mut role, mut content) = (None, None);
        for (key, value) in fields {
            match (key.as_str(), value) {
                (_, Value::Null) => {}
                ("role", Value::String(text)) if !text.is_empty() => role = Some(text),
                ("content", Value::String(text)) => content = Some(text),
                ("content", Value::Array(parts)) if parts.iter().all(|part| said(part).is_some()) => {
                    content = Some(parts.iter().filter_map(said).collect());
                }
                (_, value) => {
                    let what = kind(&value);
                    return Err(format!(
                        "`{name}[{at}]` has {key:?}: {what}, which a message cannot have\n{PROMPT_FORMS}"
                    ));
                }
            }
        }
        match (role, content) {
            (Some(role), Some(content)) => Ok(Self { role, content }),
            _ => Err(format!("`{name}[{at}]` lacks its role or its content\n{PROMPT_FORMS}")),
        }
    }
}

/// What a part of a message says: its text, or the mark of an image.
fn said(part: &Value) -> Option<&str> {
    match part["type"].as_str() {
        Some("text") => part["text"].as_str(),
        Some("image") => Some(MARK),
        _ => None,
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
        Self::read("prompt", Value::deserialize(from)?).map_err(D::Error::custom)
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
    /// What the prompt shows: the column `images`, paths beside the data file (Parquet: or bytes). In the prompt,
    /// [`MARK`] stands where each goes.
    pub images: Images,
    /// Every other column: hints, boxes, ids. What is not a string is kept as its JSON text; null is left out.
    pub columns: BTreeMap<String, String>,
}

impl Row {
    /// A row with nothing but its prompt.
    pub fn new(prompt: impl Into<PromptText>) -> Self {
        Self {
            prompt: prompt.into(),
            answer: None,
            domain: String::new(),
            reference: None,
            level: None,
            images: Images::default(),
            columns: BTreeMap::new(),
        }
    }

    /// Takes over what the file's column `column` holds; the error says what is wrong and, on its second
    /// line, what to do.
    fn take(&mut self, column: &str, value: Value, columns: &Columns) -> Result<(), String> {
        let mut names = columns.names(column).peekable();
        while let Some(name) = names.next() {
            match names.peek() {
                Some(_) => self.set(name, column, value.clone())?,
                None => return self.set(name, column, value),
            }
        }
        Ok(())
    }

    fn set(&mut self, name: &str, column: &str, value: Value) -> Result<(), String> {
        match (name, value) {
            ("prompt", value) => self.prompt = PromptText::read(column, value)?,
            (_, Value::Null) => {}
            ("answer", value) => self.answer = Some(text(column, value)?),
            (images::COLUMN, value) => self.images = Images::named(column, value)?,
            ("domain", value) => self.domain = text(column, value)?,
            ("reference", value) => self.reference = Some(text(column, value)?),
            ("level", value) => {
                let level = value.as_u64().and_then(|level| u32::try_from(level).ok());
                self.level = Some(level.ok_or_else(|| {
                    format!("`{column}` is {value}\nwrite a whole number from 0 on, or leave it out")
                })?);
            }
            (_, Value::String(text)) => drop(self.columns.insert(name.to_owned(), text)),
            (_, other) => drop(self.columns.insert(name.to_owned(), other.to_string())),
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

const FIXED: [&str; 6] = ["prompt", "answer", "domain", "reference", "level", images::COLUMN];

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
        if !self.images.is_empty() {
            let names = self.images.names().ok_or_else(|| S::Error::custom("an image comes from no file"))?;
            map.serialize_entry(images::COLUMN, names)?;
        }
        for (key, value) in &self.columns {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Row {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Fields { columns: &Columns::default(), there: &mut BTreeSet::new() }.deserialize(from)
    }
}

/// Reads a row whose columns may be called otherwise.
struct Fields<'a> {
    columns: &'a Columns,
    there: &'a mut BTreeSet<String>,
}

impl<'de> DeserializeSeed<'de> for Fields<'_> {
    type Value = Row;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Row, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Fields<'_> {
    type Value = Row;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("one JSON object a line, {\"prompt\": …}")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Row, M::Error> {
        let mut row = Row::new("");
        let mut seen = BTreeSet::new();
        while let Some(key) = map.next_key::<String>()? {
            if seen.contains(&key) {
                return Err(M::Error::custom(format!("{key:?} is given twice\nkeep one of them")));
            }
            row.take(&key, map.next_value()?, self.columns).map_err(M::Error::custom)?;
            seen.insert(key);
        }
        if !seen.contains(self.columns.column("prompt")) {
            return Err(M::Error::custom(self.columns.no_prompt(&seen)));
        }
        if !self.columns.is_empty() {
            self.there.append(&mut seen);
        }
        Ok(row)
    }
}

/// Rows in order, whatever file they come from.
type Source = Box<dyn Iterator<Item = Result<Row>>>;

/// The rows of the file at `path`, read as they are asked for: Parquet where it ends in `.parquet` or
/// begins as such a file does, JSON Lines otherwise. `columns` says which column is which.
///
/// # Errors
/// A file that cannot be read; each row that does not fit is an error of its own, and the last.
pub fn stream(path: impl AsRef<Path>, columns: &Columns) -> Result<Source> {
    let path = path.as_ref();
    Ok(match parquet::is_parquet(path)? {
        true => Box::new(ParquetRows::open(path, columns)?),
        false => Box::new(stream_jsonl(path)?.with(columns)),
    })
}

/// All rows of the file at `path`; a file without any is an error. What is held is the rows, and beside
/// them one line, or one page of each Parquet column.
///
/// # Errors
/// As [`stream`], at the first row that does not fit.
pub fn read(path: impl AsRef<Path>, columns: &Columns) -> Result<Vec<Row>> {
    let path = path.as_ref();
    let rows = stream(path, columns)?.collect::<Result<Vec<_>>>()?;
    if rows.is_empty() {
        let next = "write one JSON object a line, {\"prompt\": …}, or name another file";
        return Err(Error::call("there are no rows in it").at(path.display()).next(next));
    }
    Ok(rows)
}

/// All rows of the file at `path`, whose columns are called as rows call them.
///
/// # Errors
/// As [`read`].
pub fn read_jsonl(path: impl AsRef<Path>) -> Result<Vec<Row>> {
    read(path, &Columns::default())
}
