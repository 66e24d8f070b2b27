//! The fields of a JSON file, one at a time: errors name file, field and value.

use crate::error::{Error, Result};
use serde_json::{Map, Value};
use std::path::Path;

/// The fields of a JSON object.
pub(super) struct Fields {
    pub values: Map<String, Value>,
    /// What stands before a field where an error says where it is.
    pub file: String,
    /// The field that this object is the value of, and a dot.
    within: String,
}

impl Fields {
    /// The object in `file`.
    pub fn load(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|why| Error::reading(path, why))?;
        Self::parse(&text, &path.display().to_string())
    }

    /// The object that `text` is; errors name it as `file`.
    pub fn parse(text: &str, file: &str) -> Result<Self> {
        let value = serde_json::from_str(text)
            .map_err(|why| Error::call(format!("is not valid JSON: {why}")).at(file))?;
        let Value::Object(values) = value else {
            return Err(Error::call("is not a JSON object").at(file));
        };
        Ok(Self { values, file: format!("{file}: "), within: String::new() })
    }

    /// The object that is the value of a field.
    pub fn nested(&self, field: &str) -> Result<Self> {
        match self.get(field).and_then(Value::as_object) {
            Some(values) => Ok(Self {
                values: values.clone(),
                file: self.file.clone(),
                within: format!("{}{field}.", self.within),
            }),
            None => self.wrong(field, "is not a JSON object"),
        }
    }

    /// A field that is there and not null.
    pub fn get(&self, field: &str) -> Option<&Value> {
        self.values.get(field).filter(|value| !value.is_null())
    }

    pub fn wrong<T>(&self, field: &str, what: impl Into<String>) -> Result<T> {
        Err(Error::call(what).at(format!("{}field `{}{field}`", self.file, self.within)))
    }

    pub fn size(&self, field: &str) -> Result<usize> {
        match self.get(field) {
            None => self.wrong(field, "is missing"),
            Some(value) => match value.as_u64() {
                Some(size) if size > 0 && size <= 1 << 40 => Ok(size as usize),
                _ => self.wrong(field, format!("{value} is not a positive whole number")),
            },
        }
    }

    pub fn size_or(&self, field: &str, default: usize) -> Result<usize> {
        self.get(field).map_or(Ok(default), |_| self.size(field))
    }

    pub fn number(&self, field: &str, default: f64) -> Result<f64> {
        match self.get(field) {
            None => Ok(default),
            Some(value) => {
                value.as_f64().map_or_else(|| self.wrong(field, format!("{value} is not a number")), Ok)
            }
        }
    }

    pub fn flag(&self, field: &str) -> Result<bool> {
        match self.get(field) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(value) => self.wrong(field, format!("{value} is neither true nor false")),
        }
    }

    /// No token, one, or a list of them.
    pub fn tokens(&self, field: &str) -> Result<Vec<u32>> {
        let one = |value: &Value| match value.as_u64().map(u32::try_from) {
            Some(Ok(id)) => Ok(id),
            _ => self.wrong(field, format!("{value} is not a token id")),
        };
        match self.get(field) {
            None => Ok(Vec::new()),
            Some(Value::Array(values)) => values.iter().map(one).collect(),
            Some(value) => Ok(vec![one(value)?]),
        }
    }
}

/// One token, several, or none, as both files write them.
pub(super) fn tokens_to_json(tokens: &[u32]) -> Value {
    match tokens {
        [] => Value::Null,
        [one] => Value::from(*one),
        many => Value::from(many),
    }
}
