//! What a file calls its columns.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde::Serialize;

use super::PROMPT_FORMS;
use crate::error::Error;
use crate::suggest::nearest;

/// Which column of a file is which of a row, where they are not called the same. In a run file:
/// `columns: (prompt: "question", answer: "solution", domain: "source")`; a teacher's columns too:
/// `hints: "rationale"`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Columns(BTreeMap<String, String>);

impl Columns {
    /// From pairs of the row's name and the file's.
    pub fn new<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self(pairs.into_iter().map(|(name, column)| (name.to_owned(), column.to_owned())).collect())
    }

    /// Whether all columns are called as rows call them.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What the file calls a row's `name`.
    pub(super) fn column<'a>(&'a self, name: &'a str) -> &'a str {
        self.0.get(name).map_or(name, String::as_str)
    }

    /// What the file's `column` is in a row: its own name when nothing is said of either; nothing when
    /// that name is another column's.
    pub(super) fn names<'a>(&'a self, column: &'a str) -> impl Iterator<Item = &'a str> {
        let given = self.0.iter().filter(move |(_, from)| *from == column).map(|(name, _)| name.as_str());
        let told = self.0.contains_key(column) || self.0.values().any(|from| from == column);
        given.chain((!told).then_some(column))
    }

    /// A column that is to be taken and is not `there`.
    pub(super) fn missing(&self, there: &BTreeSet<String>, path: &Path) -> Option<Error> {
        let (name, column) = self.0.iter().find(|(_, column)| !there.contains(*column))?;
        let error = Error::call(format!("there is no column `{column}`, which `columns` takes for `{name}`"))
            .at(path.display());
        let all: Vec<&str> = there.iter().map(String::as_str).collect();
        let near = nearest(column, all.iter().copied()).map(|near| format!("did you mean `{near}`? "));
        Some(error.next(format!("{}The columns are: {}", near.unwrap_or_default(), all.join(", "))))
    }

    /// A row has no prompt: what is wrong and, on a second line, what to do.
    pub(super) fn no_prompt(&self, there: &BTreeSet<String>) -> String {
        let column = self.column("prompt");
        let next = match there.iter().next() {
            Some(first) if self.is_empty() => {
                let all: Vec<&str> = there.iter().map(String::as_str).collect();
                let likely = ["question", "problem", "instruction", "input", "query", "messages"];
                let likely = likely.into_iter().find(|word| there.contains(*word)).unwrap_or(first);
                format!(
                    "the columns are: {}; a run file says which it is: `columns: (prompt: \"{likely}\")`",
                    all.join(", ")
                )
            }
            _ => PROMPT_FORMS.to_owned(),
        };
        format!("`{column}` is missing\n{next}")
    }
}

impl<'de> Deserialize<'de> for Columns {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Columns;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("columns, as in (prompt: \"question\", answer: \"solution\")")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Columns, M::Error> {
                let mut pairs = BTreeMap::new();
                while let Some((name, column)) = map.next_entry::<String, String>()? {
                    if pairs.insert(name.clone(), column).is_some() {
                        return Err(M::Error::custom(format!("`{name}` is given twice")));
                    }
                }
                Ok(Columns(pairs))
            }
        }
        // RON's `(a: "b")` and `{"a": "b"}` alike
        from.deserialize_any(Pairs)
    }
}
