//! What a GGUF file says about its model, as `config.json` would say it.

use super::File;
use crate::error::{Error, Result};
use crate::kernels::attention::Rates;
use crate::models::RopeScaling;
use gguf_rs_lib::format::metadata::MetadataValue;
use serde_json::{json, Map, Value};

/// The value of a key; whole numbers are written with and without sign, and flags as numbers too.
impl File {
    pub fn whole(&self, key: &str) -> Result<Option<u64>> {
        let signed = |value: &MetadataValue| value.as_i64().and_then(|v| u64::try_from(v).ok());
        self.typed(key, "a whole number", |value| value.as_u64().or_else(|| signed(value)))
    }

    /// A number of 32 bits as people write it: 1e-5, not 9.999999747378752e-6.
    pub fn number(&self, key: &str) -> Result<Option<f64>> {
        self.typed(key, "a number", |value| match value {
            MetadataValue::F32(v) => v.to_string().parse().ok(),
            other => other.as_f64().or_else(|| other.as_u64().map(|v| v as f64)),
        })
    }

    pub fn text(&self, key: &str) -> Result<Option<&str>> {
        self.typed(key, "a text", MetadataValue::as_str)
    }

    pub fn flag(&self, key: &str) -> Result<Option<bool>> {
        self.typed(key, "true or false", MetadataValue::as_bool)
    }

    /// Every element of an array.
    pub fn list<'a, T>(
        &'a self,
        key: &str,
        of: impl Fn(&'a MetadataValue) -> Option<T>,
    ) -> Result<Option<Vec<T>>> {
        self.typed(key, "a list of the kind it must be", |value| match value {
            MetadataValue::Array(array) => array.values.iter().map(of).collect(),
            _ => None,
        })
    }

    fn typed<'a, T>(
        &'a self,
        key: &str,
        what: &str,
        of: impl FnOnce(&'a MetadataValue) -> Option<T>,
    ) -> Result<Option<T>> {
        match self.reader.metadata().get(key) {
            None => Ok(None),
            Some(value) => of(value).map(Some).ok_or_else(|| self.wrong(key, format!("is not {what}"))),
        }
    }

    /// A key's value cannot be used.
    pub fn wrong(&self, key: &str, what: impl Into<String>) -> Error {
        Error::call(what).at(format!("{}: `{key}`", self.path.display()))
    }

    pub fn needed<T>(&self, key: &str, value: Option<T>) -> Result<T> {
        value.ok_or_else(|| self.wrong(key, "is missing"))
    }
}

/// The fields of `config.json`, but for the special tokens.
pub(super) fn config(file: &File) -> Result<Map<String, Value>> {
    let family = file.architecture()?;
    let key = |name: &str| format!("{family}.{name}");
    let size = |name: &str| file.needed(&key(name), file.whole(&key(name))?);
    for (name, what) in
        [("expert_count", "a mixture of experts"), ("attention.sliding_window", "a sliding window")]
    {
        if file.whole(&key(name))?.is_some_and(|count| count > 0) {
            return Err(file.wrong(&key(name), format!("{what} is not supported")));
        }
    }
    let (hidden, heads) = (size("embedding_length")?, size("attention.head_count")?);
    let shared = file.whole(&key("attention.head_count_kv"))?.unwrap_or(heads);
    let head = match file.whole(&key("attention.key_length"))? {
        Some(head) => head,
        None if heads > 0 => hidden / heads,
        None => return Err(file.wrong(&key("attention.head_count"), "is 0")),
    };
    if file.whole(&key("attention.value_length"))?.is_some_and(|value| value != head) {
        return Err(
            file.wrong(&key("attention.value_length"), "differs from that of the keys: not supported")
        );
    }
    if file.whole(&key("rope.dimension_count"))?.is_some_and(|turned| turned != head) {
        return Err(file.wrong(&key("rope.dimension_count"), "is a part of each head: not supported"));
    }
    let eps = key("attention.layer_norm_rms_epsilon");
    let theta = file.number(&key("rope.freq_base"))?.unwrap_or(10_000.0);
    // as many logits as the table has rows; the list of tokens may be shorter
    let rows = file.shape("token_embd.weight")?;
    let fields = json!({
        "architectures": [format!("{}ForCausalLM", capital(family))],
        "model_type": family,
        "hidden_size": hidden,
        "intermediate_size": size("feed_forward_length")?,
        "num_hidden_layers": size("block_count")?,
        "num_attention_heads": heads,
        "num_key_value_heads": shared,
        "head_dim": head,
        "vocab_size": rows.first(),
        "max_position_embeddings": size("context_length")?,
        "rope_theta": theta,
        "rope_scaling": scaling(file, head as usize, theta)?,
        "rms_norm_eps": file.needed(&eps, file.number(&eps)?)?,
        "tie_word_embeddings": !file.has("output.weight"),
        "attention_bias": family != "qwen2" && file.has("blk.0.attn_q.bias"),
        "hidden_act": "silu",
    });
    match fields {
        Value::Object(fields) => Ok(fields),
        _ => Ok(Map::new()),
    }
}

/// `qwen2` as it stands in the names of classes.
fn capital(family: &str) -> String {
    let (first, rest) = family.split_at(1);
    first.to_uppercase() + rest
}

/// The value of `rope_scaling`.
fn scaling(file: &File, head: usize, theta: f64) -> Result<Value> {
    if file.has(DIVISORS) {
        return llama3(file, head, theta);
    }
    let family = file.architecture()?;
    let key = |name: &str| format!("{family}.rope.scaling.{name}");
    let factor = || file.needed(&key("factor"), file.number(&key("factor"))?);
    match file.text(&key("type"))? {
        None | Some("none") => Ok(Value::Null),
        Some("linear") => Ok(json!({"rope_type": "linear", "factor": factor()?})),
        Some("yarn") => {
            let original = key("original_context_length");
            let original = file.needed(&original, file.whole(&original)?)?;
            Ok(json!({
                "rope_type": "yarn", "factor": factor()?, "original_max_position_embeddings": original,
            }))
        }
        Some(other) => {
            Err(file.wrong(&key("type"), format!("rotary scaling of type `{other}` is not supported")))
        }
    }
}

/// By what Llama 3's scaling divides each pair's rate.
pub(super) const DIVISORS: &str = "rope_freqs.weight";

/// Llama 3's scaling from what it does: llama.cpp keeps its result, and not its numbers. The ends of the
/// blend are the published ones, 1 and 4.
fn llama3(file: &File, head: usize, theta: f64) -> Result<Value> {
    let divisors = file.values(DIVISORS)?;
    let unknown = || {
        Error::call(format!("tensor `{DIVISORS}` is not the scaling of Llama 3"))
            .at(file.path.display())
            .next("other factors for each rotary pair are not supported")
    };
    let (low, high, plain) = (1.0, 4.0, Rates::of(head, theta));
    let factor = divisors.iter().fold(1.0f32, |most, &divisor| most.max(divisor));
    let factor = f64::from(factor);
    // a blended pair says how often it turns over the original positions
    let blended = plain.radians.iter().zip(&divisors).find_map(|(&rate, &divisor)| {
        let kept = (1.0 / f64::from(divisor) - 1.0 / factor) / (1.0 - 1.0 / factor);
        let turns = low + kept * (high - low);
        (0.01..0.99).contains(&kept).then_some(turns * std::f64::consts::TAU / f64::from(rate))
    });
    let original = blended.ok_or_else(unknown)?.round();
    let found = RopeScaling::Llama3 { factor, low_freq_factor: low, high_freq_factor: high, original };
    let rates = found.rates(head, theta).radians;
    let agree = |((plain, rate), divisor): ((&f32, &f32), &f32)| (plain / rate / divisor - 1.0).abs() < 1e-3;
    if divisors.len() != rates.len() || !plain.radians.iter().zip(&rates).zip(&divisors).all(agree) {
        return Err(unknown());
    }
    Ok(json!({
        "rope_type": "llama3", "factor": factor, "low_freq_factor": low, "high_freq_factor": high,
        "original_max_position_embeddings": original as u64,
    }))
}
