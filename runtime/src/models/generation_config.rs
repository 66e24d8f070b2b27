//! `generation_config.json`: how the model's makers would have it answer.

use super::fields::Fields;
use crate::error::{Error, Result};
use serde_json::{Map, Value};
use std::path::Path;

/// What `generation_config.json` says. Where a response ends is taken from it; its sampling settings are the
/// makers' for chatting, and a recipe has its own.
#[derive(Clone, Debug, PartialEq)]
pub struct GenerationConfig {
    values: Map<String, Value>,
    eos_token_id: Vec<u32>,
}

impl GenerationConfig {
    pub(super) const FILE: &'static str = "generation_config.json";

    /// The tokens at which a response ends; none when the file does not say.
    pub fn eos_token_id(&self) -> &[u32] {
        &self.eos_token_id
    }

    /// The file in folder `dir`, if there is one.
    pub(super) fn load(dir: &Path) -> Result<Option<Self>> {
        let path = dir.join(Self::FILE);
        match path.is_file() {
            true => Self::read(Fields::load(&path)?).map(Some),
            false => Ok(None),
        }
    }

    /// Reads the text of a `generation_config.json`; errors name it as `file`.
    ///
    /// # Errors
    /// When it is no JSON object, or an end token is no token id.
    pub fn parse(text: &str, file: &str) -> Result<Self> {
        Self::read(Fields::parse(text, file)?)
    }

    fn read(fields: Fields) -> Result<Self> {
        let eos_token_id = fields.tokens("eos_token_id")?;
        Ok(Self { values: fields.values, eos_token_id })
    }

    /// Checks that every end token is in the vocabulary.
    pub(super) fn check(&self, vocabulary: usize, file: &Path) -> Result<()> {
        match self.eos_token_id.iter().find(|&&id| id as usize >= vocabulary) {
            Some(id) => Err(Error::call(format!("{id} is outside the vocabulary of {vocabulary}"))
                .at(format!("{}: field `eos_token_id`", file.display()))),
            None => Ok(()),
        }
    }

    /// The text of the file: what was read.
    pub fn to_json(&self) -> String {
        format!("{:#}\n", Value::Object(self.values.clone()))
    }
}
