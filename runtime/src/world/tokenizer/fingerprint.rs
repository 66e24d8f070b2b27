//! What tells two tokenizers apart.

use serde_json::Value;
use sha2::{Digest, Sha256};

/// SHA-256 of a `tokenizer.json`: of what decides on the ids, however it is laid out.
pub(super) fn fingerprint(json: Value) -> String {
    hex(&Sha256::digest(canonical_text(json)))
}

/// JSON without white space, keys in order, without what changes no id.
pub(super) fn canonical_text(mut value: Value) -> String {
    if let Value::Object(fields) = &mut value {
        fields.remove("padding");
        fields.remove("truncation");
    }
    // byte-pair merges are written as `"a b"` or, newer, as `["a", "b"]`
    for merge in value.pointer_mut("/model/merges").and_then(Value::as_array_mut).into_iter().flatten() {
        let pair = merge.as_array().map(|pair| pair.iter().filter_map(Value::as_str).collect::<Vec<_>>());
        if let Some(pair) = pair {
            *merge = Value::from(pair.join(" "));
        }
    }
    fn write(value: &Value, to: &mut String) {
        match value {
            Value::Object(fields) => {
                let mut keys: Vec<_> = fields.iter().filter(|(_, value)| !value.is_null()).collect();
                keys.sort_by_key(|(key, _)| key.as_str());
                to.push('{');
                for (key, value) in keys {
                    to.push_str(&Value::from(key.as_str()).to_string());
                    to.push(':');
                    write(value, to);
                    to.push(',');
                }
                to.push('}');
            }
            Value::Array(items) => {
                to.push('[');
                for item in items {
                    write(item, to);
                    to.push(',');
                }
                to.push(']');
            }
            plain => to.push_str(&plain.to_string()),
        }
    }
    let mut text = String::new();
    write(&value, &mut text);
    text
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
