//! The tokenizers of the built-in tasks and scenes: one token a character.

use std::path::Path;

use serde_json::json;

use super::Tokenizer;
use crate::error::{Error, Result};
use crate::world::rows::MARK;
use crate::world::scenes::LETTERS;

/// The characters of the built-in tokenizer, from id 3 on; 0 is the pad, 1 `^`, 2 the newline that ends.
pub(super) const TASK_CHARACTERS: &str = "0123456789+-*=;>?:mcrslwidnpt";

impl Tokenizer {
    /// The built-in tokenizer of the tasks: one token a character, 32 ids, ended by a newline.
    ///
    /// # Errors
    /// None in a release: a test builds it.
    pub fn tasks() -> Result<Self> {
        Self::of_characters("", &[])
    }

    /// The built-in tokenizer of scenes: that of the tasks with more letters, and the mark of an image after them.
    ///
    /// # Errors
    /// None in a release: a test builds it.
    pub fn scenes() -> Result<Self> {
        Self::of_characters(LETTERS, &[MARK])
    }

    /// One token a character of the tasks, then of `more`, then the words `marks`.
    fn of_characters(more: &str, marks: &[&str]) -> Result<Self> {
        let mut vocabulary = json!({"<pad>": 0, "^": 1, "\n": 2});
        for (at, letter) in TASK_CHARACTERS.chars().chain(more.chars()).enumerate() {
            vocabulary[letter.to_string()] = json!(at + 3);
        }
        let first = 3 + TASK_CHARACTERS.len() + more.len();
        marks.iter().enumerate().for_each(|(at, mark)| vocabulary[*mark] = json!(first + at));
        let special = |id: u32, content: &str| {
            json!({"id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
                   "normalized": false, "special": true})
        };
        let mut added = vec![special(0, "<pad>"), special(2, "\n")];
        added.extend((first..).zip(marks).map(|(id, mark)| special(id as u32, mark)));
        let split = json!({"type": "Split", "pattern": {"Regex": "[\\s\\S]"}, "behavior": "Isolated", "invert": false});
        let file = json!({
            "version": "1.0", "truncation": null, "padding": null,
            "added_tokens": added,
            "normalizer": null, "pre_tokenizer": split, "post_processor": null, "decoder": {"type": "Fuse"},
            // the unknown token is not in the vocabulary: what is unknown is an error
            "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": "<unk>"},
        });
        let config = json!({
            "tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "\n", "pad_token": "<pad>",
            "clean_up_tokenization_spaces": false,
        });
        let beside = vec![("tokenizer_config.json", format!("{config:#}\n"))];
        Self::parse(&file.to_string(), Path::new("tokenizer.json"))
            .and_then(|inner| inner.to_string(true).map_err(|why| Error::run(why.to_string())))
            .and_then(|text| Self::build(text + "\n", beside, Path::new("tokenizer.json")))
    }
}
