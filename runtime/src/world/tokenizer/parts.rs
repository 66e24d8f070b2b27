//! Messages in parts, texts and images, for chat templates that read them so.

use minijinja::Value as Given;
use regex::Regex;

use super::chat::InOrder;
use crate::world::rows::{Message, MARK};

/// How a chat template takes what a message says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parts {
    /// As one string.
    Never,
    /// As a string or as a list of parts.
    Either,
    /// As a list of parts.
    Always,
}

impl Parts {
    /// What the text of a template shows of it.
    pub fn of(source: &str) -> Self {
        let has = |pattern: &str| Regex::new(pattern).is_ok_and(|it| it.is_match(source));
        let walks = has(r#"\bin\s+\w+(\.content|\[['"]content['"]\])"#);
        let looks = has(r#"(\.type|\[['"]type['"]\])\s*=="#);
        match (walks && looks, has(r"\bis\s+(not\s+)?string\b")) {
            (false, _) => Self::Never,
            (true, true) => Self::Either,
            (true, false) => Self::Always,
        }
    }

    /// Whether these messages are to be given in parts.
    pub fn wanted(self, messages: &[Message]) -> bool {
        let marked = || messages.iter().any(|message| message.content.contains(MARK));
        self == Self::Always || (self == Self::Either && marked())
    }
}

/// What is said, in parts: an image wherever its mark stands.
pub(super) fn of(content: &str) -> Given {
    let part = |key: &str, text: &str| {
        let fields = [("type", key), (key, text)];
        let fields = fields.into_iter().filter(|(name, _)| *name != "image");
        InOrder::map(fields.map(|(name, value)| (name.to_owned(), Given::from(value))))
    };
    let mut parts = Vec::new();
    for (at, text) in content.split(MARK).enumerate() {
        if at > 0 {
            parts.push(part("image", ""));
        }
        if !text.is_empty() {
            parts.push(part("text", text));
        }
    }
    parts.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As SmolVLM has it.
    const SMOLVLM: &str = "{% for message in messages %}{{message['role'] | capitalize}}\
        {% if message['content'][0]['type'] == 'image' %}{{':'}}{% else %}{{': '}}{% endif %}\
        {% for line in message['content'] %}{% if line['type'] == 'text' %}{{line['text']}}\
        {% elif line['type'] == 'image' %}{{ '<image>' }}{% endif %}{% endfor %}<end_of_utterance>\n{% endfor %}";

    #[test]
    fn a_template_shows_how_it_takes_what_is_said() {
        assert_eq!(Parts::of(SMOLVLM), Parts::Always);
        let either = format!("{{% if message.content is string %}}{{% endif %}}{SMOLVLM}");
        assert_eq!(Parts::of(&either), Parts::Either);
        assert_eq!(Parts::of("{% for m in messages %}{{ m['content'] }}{% endfor %}"), Parts::Never);
        assert!(Parts::Either.wanted(&[Message::new("user", "<image>what?")]));
        assert!(!Parts::Either.wanted(&[Message::new("user", "what?")]));
    }

    #[test]
    fn an_image_is_a_part_of_its_own() {
        assert_eq!(of("<image>what?").to_string(), "[{'type': 'image'}, {'type': 'text', 'text': 'what?'}]");
    }
}
