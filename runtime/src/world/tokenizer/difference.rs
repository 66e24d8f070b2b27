//! What people call a tokenizer, and how two of them differ.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::fingerprint::canonical_text;
use super::Tokenizer;

/// The folder's name, where it came from if that is another, and its class.
pub(super) fn name(file: &Path, configs: &[(Value, PathBuf)]) -> String {
    let field = |field: &str| configs.iter().find_map(|(config, _)| config[field].as_str());
    let folder = file.parent().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    let origin = field("name_or_path").and_then(|path| path.trim_end_matches('/').rsplit('/').next());
    let origin = origin.filter(|origin| !origin.is_empty() && folder.as_deref() != Some(*origin));
    let folder = folder.as_deref().unwrap_or("a tokenizer");
    let from = origin.map_or(String::new(), |origin| format!(" (from {origin})"));
    let class = field("tokenizer_class").map_or(String::new(), |class| format!(", {class}"));
    format!("{folder}{from}{class}")
}

impl Tokenizer {
    /// What people call it: `SmolLM2-135M, GPT2Tokenizer`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How `other` differs from this tokenizer, which is the one that is here: the first token that does,
    /// or the part that cuts text otherwise; nothing when they are the same.
    pub fn difference(&self, other: &Self) -> Option<String> {
        if self.fingerprint == other.fingerprint {
            return None;
        }
        let width = self.vocab_size().max(other.vocab_size()) as u32;
        let tokens = (0..width).map(|id| (id, self.inner.id_to_token(id), other.inner.id_to_token(id)));
        let is = |token: Option<String>| {
            token.map_or("nothing".to_owned(), |token| format!("`{}`", token.escape_debug()))
        };
        if let Some((id, here, there)) = tokens.into_iter().find(|(_, here, there)| here != there) {
            return Some(format!("token {id} is {} there and {} here", is(there), is(here)));
        }
        let parts = |text: &str| match serde_json::from_str(text) {
            Ok(Value::Object(parts)) => parts,
            _ => serde_json::Map::new(),
        };
        let (here, there) = (parts(&self.text), parts(&other.text));
        let known = ["normalizer", "pre_tokenizer", "added_tokens", "model", "post_processor", "decoder"];
        let part = |parts: &serde_json::Map<String, Value>, name: &str| {
            let value = parts.get(name).cloned().unwrap_or_default();
            canonical_text(serde_json::json!({ name: value }))
        };
        let differs = known.into_iter().filter(|name| part(&here, name) != part(&there, name));
        let differs: Vec<String> = differs.map(|name| format!("`{name}`")).collect();
        Some(format!(
            "the tokens are the same, and text is cut into them in another way ({} of tokenizer.json)",
            differs.join(", ")
        ))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// A tokenizer of this vocabulary, in a folder of this name.
    fn made(folder: &str, vocabulary: &[&str], merges: &str, config: &str) -> Tokenizer {
        let pairs: Vec<_> =
            vocabulary.iter().enumerate().map(|(id, token)| format!("{token:?}: {id}")).collect();
        let text = format!(
            r#"{{"version": "1.0", "added_tokens": [], "pre_tokenizer": {{"type": "ByteLevel", "add_prefix_space": false,
            "trim_offsets": true, "use_regex": true}}, "model": {{"type": "BPE", "vocab": {{{}}}, "merges": [{merges}]}}}}"#,
            pairs.join(", ")
        );
        let beside = vec![("tokenizer_config.json", config.to_owned())];
        Tokenizer::build(text, beside, &Path::new("models").join(folder).join("tokenizer.json")).unwrap()
    }

    #[test]
    fn the_first_token_that_differs_is_said() {
        let mine = made("small", &["a", "b", "Ġthe"], "", r#"{"tokenizer_class": "GPT2Tokenizer"}"#);
        let other = made("large", &["a", "b", "the", "c"], "", r#"{"name_or_path": "org/Large-7B"}"#);
        assert_eq!((mine.name(), other.name()), ("small, GPT2Tokenizer", "large (from Large-7B)"));
        assert_eq!(mine.difference(&other).unwrap(), "token 2 is `the` there and `Ġthe` here");
        assert_eq!(mine.difference(&mine), None);
        let more = made("more", &["a", "b", "Ġthe", "\n"], "", "{}");
        assert_eq!(mine.difference(&more).unwrap(), "token 3 is `\\n` there and nothing here");
        assert_eq!(more.difference(&mine).unwrap(), "token 3 is nothing there and `\\n` here");
    }

    #[test]
    fn the_same_tokens_cut_otherwise() {
        let mine = made("small", &["a", "b", "ab", "ba"], r#""a b""#, "{}");
        let other = made("other", &["a", "b", "ab", "ba"], r#""b a""#, "{}");
        let said = mine.difference(&other).unwrap();
        assert!(
            said.starts_with("the tokens are the same") && said.contains("(`model` of tokenizer.json)"),
            "{said}"
        );
    }
}
