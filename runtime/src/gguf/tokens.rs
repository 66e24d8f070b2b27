//! The tokenizer inside a GGUF file, in Hugging Face's files.

use super::File;
use crate::error::Result;
use gguf_rs_lib::format::metadata::MetadataValue;
use serde_json::{json, Map, Value};

/// How Qwen splits a text before its bytes are merged; Llama 3 takes up to three digits together.
const WORDS: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}DIGITS| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// `tokenizer.ggml.token_type`: a token that stands for itself and never in plain text.
const CONTROL: i64 = 3;
/// One that its makers added, and that may be in plain text.
const USER: i64 = 4;
/// A row of the table without a token.
const UNUSED: i64 = 5;

/// `tokenizer.json`, `tokenizer_config.json` and `generation_config.json`, and what goes into `config.json`.
pub(super) struct Tokens {
    pub tokenizer: Value,
    pub config: Value,
    pub generation: Value,
    pub special: Vec<(&'static str, Option<u64>)>,
}

pub(super) fn read(file: &File) -> Result<Tokens> {
    let (model, pre) = ("tokenizer.ggml.model", "tokenizer.ggml.pre");
    let found = file.needed(model, file.text(model)?)?;
    if found != "gpt2" {
        return Err(file
            .wrong(model, format!("the tokenizer `{found}` is not supported"))
            .next("byte-level BPE is, which GGUF calls `gpt2`: take the model's own tokenizer.json"));
    }
    let key = "tokenizer.ggml.tokens";
    let tokens = file.needed(key, file.list(key, MetadataValue::as_str)?)?;
    let whole = |value: &MetadataValue| value.as_i64().or_else(|| value.as_u64().map(|v| v as i64));
    let key = "tokenizer.ggml.token_type";
    let kinds = file.list(key, whole)?.unwrap_or_else(|| vec![1; tokens.len()]);
    if kinds.len() != tokens.len() {
        return Err(file.wrong(key, format!("has {} entries for {} tokens", kinds.len(), tokens.len())));
    }
    let key = "tokenizer.ggml.merges";
    let merges = file.needed(key, file.list(key, MetadataValue::as_str)?)?;

    let id = |name: &str| -> Result<Option<u64>> {
        let key = format!("tokenizer.ggml.{name}_token_id");
        match file.whole(&key)? {
            Some(id) if id >= tokens.len() as u64 => {
                Err(file.wrong(&key, format!("{id} is outside the {} tokens", tokens.len())))
            }
            id => Ok(id),
        }
    };
    let (bos, eos, pad) = (id("bos")?, id("eos")?, id("padding")?);
    let mut ends: Vec<u64> = [eos, id("eot")?, id("eom")?].into_iter().flatten().collect();
    ends.dedup();
    let name = |id: Option<u64>| id.and_then(|id| tokens.get(id as usize).copied());
    let pre_tokenizer = file.needed(pre, file.text(pre)?)?;
    // Llama 3 begins every text with a token, unless its file says otherwise
    let begins = file.flag("tokenizer.ggml.add_bos_token")?.unwrap_or(pre_tokenizer == "llama-bpe");

    let mut vocabulary = Map::new();
    let mut added = Vec::new();
    for (id, (&token, &kind)) in tokens.iter().zip(&kinds).enumerate() {
        if kind == UNUSED {
            continue;
        }
        if vocabulary.insert(token.to_string(), json!(id)).is_some() {
            return Err(file.wrong("tokenizer.ggml.tokens", format!("{token:?} is there twice")));
        }
        if kind == CONTROL || kind == USER {
            added.push(json!({
                "id": id, "content": token, "single_word": false, "lstrip": false, "rstrip": false,
                "normalized": false, "special": kind == CONTROL,
            }));
        }
    }
    let (normalizer, splits) = pre_tokenizers(file, pre_tokenizer)?;
    let post = match name(bos).filter(|_| begins) {
        Some(token) => begin(token, bos),
        None => bytes(false, true),
    };
    let tokenizer = json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": added,
        "normalizer": normalizer,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": splits},
        "post_processor": post,
        "decoder": bytes(true, true),
        "model": {
            "type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
            "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false,
            // words that are tokens are not put together from their bytes
            "ignore_merges": pre_tokenizer == "llama-bpe",
            "vocab": vocabulary, "merges": merges,
        },
    });
    let mut config = json!({
        "tokenizer_class": "PreTrainedTokenizerFast",
        "add_bos_token": begins,
        "add_prefix_space": false,
        "clean_up_tokenization_spaces": false,
        "model_max_length": file.whole(&format!("{}.context_length", file.architecture()?))?,
    });
    for (field, id) in [("bos_token", bos), ("eos_token", eos), ("pad_token", pad)] {
        if let Some(token) = name(id) {
            config[field] = json!(token);
        }
    }
    if let Some(template) = file.text("tokenizer.chat_template")? {
        config["chat_template"] = json!(template);
    }
    let mut generation = json!({"eos_token_id": ends});
    for (field, id) in [("bos_token_id", bos), ("pad_token_id", pad)] {
        if let Some(id) = id {
            generation[field] = json!(id);
        }
    }
    let special = vec![("bos_token_id", bos), ("eos_token_id", eos), ("pad_token_id", pad)];
    Ok(Tokens { tokenizer, config, generation, special })
}

/// A step that spells a text by its bytes; as a pre-tokenizer, perhaps after GPT-2's own splits.
fn bytes(prefix: bool, splits: bool) -> Value {
    json!({"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": true, "use_regex": splits})
}

/// The token that begins every text.
fn begin(token: &str, id: Option<u64>) -> Value {
    let special = |side: u8| json!({"SpecialToken": {"id": token, "type_id": side}});
    let text = |name: &str, side: u8| json!({"Sequence": {"id": name, "type_id": side}});
    let template = json!({
        "type": "TemplateProcessing",
        "single": [special(0), text("A", 0)],
        "pair": [special(0), text("A", 0), special(1), text("B", 1)],
        "special_tokens": {(token): {"id": token, "ids": [id], "tokens": [token]}},
    });
    json!({"type": "Sequence", "processors": [bytes(false, true), template]})
}

/// The normalizer and the pre-tokenizers that GGUF's name for them stands for.
fn pre_tokenizers(file: &File, name: &str) -> Result<(Value, Vec<Value>)> {
    let words = |digits: &str| {
        let pattern = WORDS.replace("DIGITS", digits);
        json!({"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": false})
    };
    Ok(match name {
        "gpt-2" => (Value::Null, vec![bytes(false, true)]),
        "smollm" => {
            (Value::Null, vec![json!({"type": "Digits", "individual_digits": true}), bytes(false, true)])
        }
        "qwen2" => (json!({"type": "NFC"}), vec![words(""), bytes(false, false)]),
        "llama-bpe" => (Value::Null, vec![words("{1,3}"), bytes(false, false)]),
        other => {
            return Err(file
                .wrong("tokenizer.ggml.pre", format!("the pre-tokenizer `{other}` is not supported"))
                .next("supported are gpt-2, smollm, qwen2 and llama-bpe"))
        }
    })
}
