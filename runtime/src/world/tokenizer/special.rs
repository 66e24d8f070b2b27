//! Which tokens end a response and fill up a batch.

use serde_json::Value;

use crate::error::{Error, Result};

/// End tokens by their usual names, for folders that do not name theirs.
pub(super) const ENDS: [&str; 8] = [
    "<|im_end|>",
    "<|eot_id|>",
    "<|end_of_text|>",
    "<|endoftext|>",
    "<|end|>",
    "<end_of_turn>",
    "<eos>",
    "</s>",
];

/// Pad tokens by their usual names.
pub(super) const PADS: [&str; 4] = ["<pad>", "[PAD]", "<|pad|>", "<|finetune_right_pad_id|>"];

/// A special token: as the files beside the tokenizer name it, or else by its usual names.
pub(super) fn special(
    inner: &tokenizers::Tokenizer,
    configs: &[(Value, std::path::PathBuf)],
    key: &str,
    usual: &[&str],
) -> Result<Option<u32>> {
    for (config, at) in configs {
        let named = if config[key].is_object() { &config[key]["content"] } else { &config[key] };
        match named.as_str() {
            Some(token) => {
                let missing = || {
                    let next = "name a token that it has, or copy both files from one model";
                    let what = format!("`{key}` is {token:?}, which is not in tokenizer.json");
                    Error::call(what).at(at.display()).next(next)
                };
                return inner.token_to_id(token).ok_or_else(missing).map(Some);
            }
            None if named.is_null() => {}
            None => {
                let error = Error::call(format!("`{key}` is {named}, not a token")).at(at.display());
                return Err(error.next("write the token as a string"));
            }
        }
    }
    Ok(usual.iter().find_map(|token| inner.token_to_id(token)))
}
