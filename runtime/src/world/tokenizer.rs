//! Tokenizers in Hugging Face's `tokenizer.json` format, and the built-in one of the tasks.

mod built_in;
mod chat;
mod difference;
mod fingerprint;
mod parts;
mod python;
mod special;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use tokenizers::Encoding;

use super::caught::caught;
use super::rows::PromptText;
use crate::error::{Error, Result};
use chat::{Template, Templates};
use fingerprint::fingerprint;
use special::{special, ENDS, PADS};

pub use chat::Chat;
pub use python::Date;

/// Files beside `tokenizer.json` that belong to it; they are kept, and saved with it.
const BESIDE: [&str; 3] = ["tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja"];

/// Text to token ids and back. A copy shares all that is large.
#[derive(Clone)]
pub struct Tokenizer {
    inner: Arc<tokenizers::Tokenizer>,
    /// `tokenizer.json` as it was read, and the files beside it.
    text: Arc<str>,
    beside: Arc<[(&'static str, String)]>,
    fingerprint: String,
    /// What people call it.
    name: String,
    eos: Option<u32>,
    pad: Option<u32>,
    unknown: Option<(u32, String)>,
    /// Characters without a token vanish (byte-pair models without unknown token, bytes or fallback).
    drops: bool,
    templates: Templates,
    chat: Chat,
    /// The template that renders chats, or why none does; nobody minds before there is a chat.
    template: Result<Arc<Template>>,
}

impl Tokenizer {
    /// Reads `tokenizer.json`, given itself or the folder it is in.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let file = if path.is_dir() { path.join("tokenizer.json") } else { path.to_owned() };
        if !file.exists() {
            let next = "name a model folder in Hugging Face layout, or its tokenizer.json";
            return Err(Error::call("there is no tokenizer here").at(file.display()).next(next));
        }
        let read = |file: &Path| fs::read_to_string(file).map_err(|why| Error::reading(file, why));
        let text = read(&file)?;
        let folder = file.parent().unwrap_or(Path::new(""));
        let mut beside = Vec::new();
        for name in BESIDE {
            if folder.join(name).is_file() {
                beside.push((name, read(&folder.join(name))?));
            }
        }
        Self::build(text, beside, &file)
    }

    fn parse(text: &str, file: &Path) -> Result<tokenizers::Tokenizer> {
        // the library panics on some malformed files
        let parsed = caught(|| text.parse::<tokenizers::Tokenizer>().map_err(|why| why.to_string()));
        let mut inner = parsed.unwrap_or_else(Err).map_err(|why| {
            let next = "use the tokenizer.json that came with the model, or save it again with Hugging Face `tokenizers`";
            Error::call(format!("this is JSON, but not a tokenizer: {why}")).at(file.display()).next(next)
        })?;
        inner.with_padding(None);
        inner.with_truncation(None).map_err(|why| Error::call(why.to_string()).at(file.display()))?;
        Ok(inner)
    }

    fn build(text: String, beside: Vec<(&'static str, String)>, file: &Path) -> Result<Self> {
        let json = json_value(&text, file)?;
        let inner = Self::parse(&text, file)?;
        let model = &json["model"];
        let unknown = match (model["unk_token"].as_str(), model["unk_id"].as_u64()) {
            (Some(token), _) => inner.token_to_id(token).map(|id| (id, token.to_owned())),
            (None, Some(id)) => u32::try_from(id).ok().and_then(|id| Some((id, inner.id_to_token(id)?))),
            (None, None) => None,
        };
        let drops = model["merges"].is_array()
            && model["unk_token"].is_null()
            && model["byte_fallback"] != true
            && !["pre_tokenizer", "decoder"]
                .iter()
                .any(|part| json[part].to_string().contains("\"ByteLevel\""));
        let (mut jinja, mut configs) = (None, Vec::new());
        for (name, content) in &beside {
            let at = file.with_file_name(name);
            if name.ends_with(".json") {
                configs.push((json_value(content, &at)?, at));
            } else {
                jinja = Some((content.as_str(), at));
            }
        }
        let jinja = jinja.as_ref().map(|(source, at)| (*source, at.as_path()));
        let templates = Templates::find(jinja, &configs)?;
        let chat = Chat::default();
        let template = templates.told(&chat).map(Arc::new);
        let eos = special(&inner, &configs, "eos_token", &ENDS)?;
        let pad = special(&inner, &configs, "pad_token", &PADS)?;
        let (fingerprint, name) = (fingerprint(json), difference::name(file, &configs));
        let (inner, text, beside) = (Arc::new(inner), text.into(), beside.into());
        Ok(Self {
            inner,
            text,
            beside,
            fingerprint,
            name,
            eos,
            pad,
            unknown,
            drops,
            templates,
            chat,
            template,
        })
    }

    /// The same tokenizer with one more special token, after all it has.
    ///
    /// # Errors
    /// A tokenizer that cannot be written and read again.
    pub fn with_mark(&self, mark: &str) -> Result<Self> {
        let mut inner = tokenizers::Tokenizer::clone(&self.inner);
        inner.add_special_tokens(&[tokenizers::AddedToken::from(mark, true)]);
        let text = inner.to_string(true).map_err(|why| Error::run(why.to_string()))?;
        Self::build(text + "\n", self.beside.to_vec(), Path::new("tokenizer.json"))
    }

    /// The same tokenizer, whose chat template is told this.
    ///
    /// # Errors
    /// There is no such template, or it never reads what it is told.
    pub fn told(mut self, chat: Chat) -> Result<Self> {
        self.template = Ok(Arc::new(self.templates.told(&chat)?));
        self.chat = chat;
        Ok(self)
    }

    /// Writes `tokenizer.json` and the files that belong to it into the folder `dir`.
    pub fn save(&self, dir: impl AsRef<Path>) -> Result<()> {
        let dir = dir.as_ref();
        fs::create_dir_all(dir).map_err(|why| Error::writing(dir, why))?;
        let files = self.beside.iter().map(|(name, content)| (*name, content.as_str()));
        for (name, content) in files.chain([("tokenizer.json", &*self.text)]) {
            let file = dir.join(name);
            fs::write(&file, content).map_err(|why| Error::writing(&file, why))?;
        }
        Ok(())
    }

    /// The ids of `text`, without any special token added. A character that has no token is an error.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        let unknown = |at: usize| {
            let letter = text[at..].chars().next().unwrap_or_default();
            let place = text[..at].chars().count() + 1;
            let what = format!(
                "{letter:?} (U+{:04X}), character {place} of the text, is unknown to the tokenizer",
                letter as u32
            );
            Error::call(what).next("leave it out of the data, or use a model whose tokenizer knows it")
        };
        match self.inner.encode(text, false) {
            Ok(encoding) => match self.unknown_in(text, &encoding) {
                Some(at) => Err(unknown(at)),
                None => Ok(encoding.get_ids().to_vec()),
            },
            Err(why) => {
                let alone = |letter: char| self.inner.encode(letter.to_string(), false).is_err();
                let at = text.char_indices().find(|(_, letter)| alone(*letter));
                Err(at.map_or_else(
                    || Error::call(format!("the text cannot be encoded: {why}")),
                    |(at, _)| unknown(at),
                ))
            }
        }
    }

    /// The byte at which something stands that the tokens do not carry.
    fn unknown_in(&self, text: &str, encoding: &Encoding) -> Option<usize> {
        let offsets = encoding.get_offsets();
        if let Some((id, token)) = &self.unknown {
            let marked = encoding.get_ids().iter().zip(offsets).find(|(found, (start, end))| {
                // written out, the unknown token is a token like any other
                *found == id && text.get(*start..*end) != Some(token)
            });
            if let Some((_, &(start, end))) = marked {
                // of a word that is unknown as a whole, the character that is unknown alone
                let alone = |letter: char| self.inner.encode(letter.to_string(), false);
                let culprit = |letter: char| alone(letter).is_ok_and(|e| e.get_ids().contains(id));
                let word = text.get(start..end).unwrap_or_default();
                let within = word.char_indices().find(|(_, letter)| culprit(*letter)).map_or(0, |(at, _)| at);
                return Some(start + within)
                    .filter(|&at| at < text.len() && text.is_char_boundary(at))
                    .or(Some(0));
            }
        }
        if !self.drops {
            return None;
        }
        let mut covered = vec![false; text.len()];
        for &(start, end) in offsets {
            if let Some(part) = covered.get_mut(start..end) {
                part.fill(true);
            }
        }
        let lost = |&(at, letter): &(usize, char)| !letter.is_whitespace() && !covered[at];
        let (uncovered, _) = text.char_indices().find(lost)?;
        // after a lost character the offsets are shifted: the culprit is the one that gives nothing alone
        let nothing = |letter: char| self.inner.encode(letter.to_string(), false).is_ok_and(|e| e.is_empty());
        let culprit = text.char_indices().find(|&(_, letter)| !letter.is_whitespace() && nothing(letter));
        Some(culprit.map_or(uncovered, |(at, _)| at))
    }

    /// The text of `ids`; pad and end tokens, and ids that are not in the vocabulary, are left out.
    pub fn decode(&self, ids: &[u32]) -> String {
        let ids: Vec<u32> =
            ids.iter().copied().filter(|&id| Some(id) != self.eos && Some(id) != self.pad).collect();
        self.spell(&ids)
    }

    /// The text of `ids` as a model reads them, pad and end tokens included.
    pub(crate) fn spell(&self, ids: &[u32]) -> String {
        let tokens = || ids.iter().filter_map(|&id| self.inner.id_to_token(id)).collect();
        self.inner.decode(ids, false).unwrap_or_else(|_| tokens())
    }

    /// One token as people see it, also when it is an end or a pad.
    pub fn show(&self, id: u32) -> String {
        match self.inner.id_to_token(id) {
            Some(token) if token == "\n" => "⏎".to_owned(),
            Some(token) => token,
            None => format!("⟨{id}⟩"),
        }
    }

    /// What the model reads for a prompt of the data: plain text as it is, a chat as its template renders
    /// it, up to where the answer begins.
    ///
    /// # Errors
    /// A chat where there is no template, or one that the template refuses.
    pub fn render(&self, prompt: &PromptText) -> Result<String> {
        match (prompt, &self.template) {
            (PromptText::Plain(text), _) => Ok(text.clone()),
            (PromptText::Chat(_), Err(why)) => Err(why.clone()),
            (PromptText::Chat(messages), Ok(template)) => {
                match messages.last() {
                    Some(last) if last.role == "assistant" => Err(Error::call(
                        "the chat ends with what the assistant says: nothing is left to answer",
                    )
                    .next("end the prompt with a user's message; a worked answer is the column `reference`")),
                    _ => template.render(messages),
                }
            }
        }
    }

    /// Which chat template renders, and what it is told; nothing where there is none.
    pub fn describe_chat(&self) -> Option<String> {
        self.template.as_ref().ok().map(|template| template.describe(&self.chat))
    }

    /// The special tokens by their names, `eos_token` and the others.
    pub fn special_tokens(&self) -> std::collections::BTreeMap<String, String> {
        let mut tokens = self.templates.tokens().clone();
        for (name, id) in [("eos_token", self.eos), ("pad_token", self.pad)] {
            if let Some(token) = id.and_then(|id| self.inner.id_to_token(id)) {
                tokens.entry(name.to_owned()).or_insert(token);
            }
        }
        tokens
    }

    /// One more than the highest id: the width that the model's vocabulary must have at least.
    pub fn vocab_size(&self) -> usize {
        let vocabulary = self.inner.get_vocab(true);
        vocabulary.values().max().map_or(0, |&highest| highest as usize + 1)
    }

    /// The id of a token.
    pub fn token_id(&self, token: &str) -> Option<u32> {
        self.inner.token_to_id(token)
    }

    /// The token that ends a response.
    pub fn eos(&self) -> Option<u32> {
        self.eos
    }

    /// The token that fills up a batch.
    pub fn pad(&self) -> Option<u32> {
        self.pad
    }

    /// Does the folder bring a chat template?
    pub fn has_chat_template(&self) -> bool {
        !self.templates.is_empty()
    }

    /// SHA-256 of what decides on the ids: the same for two tokenizers whose `tokenizer.json` says
    /// the same, however it is laid out (padding and truncation, which are not used here, apart).
    pub fn fingerprint(&self) -> String {
        self.fingerprint.clone()
    }
}

fn json_value(text: &str, file: &Path) -> Result<Value> {
    serde_json::from_str(text).map_err(|why: serde_json::Error| {
        Error::call(format!("this is not JSON: {why}"))
            .at(format!("{}:{}:{}", file.display(), why.line(), why.column()))
            .next("the file is damaged or cut off: copy it again from where it came")
    })
}

#[cfg(test)]
mod tests {
    use super::built_in::TASK_CHARACTERS;
    use super::*;

    #[test]
    fn the_built_in_tokenizer_has_the_ids_of_the_benchmark() {
        let tokenizer = Tokenizer::tasks().unwrap();
        assert_eq!(tokenizer.vocab_size(), 32);
        assert_eq!((tokenizer.pad(), tokenizer.eos()), (Some(0), Some(2)));
        assert_eq!(tokenizer.token_id("^"), Some(1));
        let all = format!("^\n{TASK_CHARACTERS}");
        assert_eq!(tokenizer.encode(&all).unwrap(), (1..32).collect::<Vec<_>>());
        assert_eq!(tokenizer.encode("").unwrap(), [0u32; 0]);
        assert_eq!(tokenizer.decode(&[0, 0, 1, 21, 7, 6, 2, 99]), "^m43");
    }

    #[test]
    fn unknown_characters_are_named() {
        let tokenizer = Tokenizer::tasks().unwrap();
        let error = tokenizer.encode("^m4é>").unwrap_err().to_string();
        assert!(error.starts_with("'é' (U+00E9), character 4 of the text"), "{error}");
        assert!(tokenizer.encode("^m4 >").unwrap_err().to_string().contains("' '"));
    }
}
