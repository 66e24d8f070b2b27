//! What only teachers may read.
//!
//! Privileged text lives in [`Privileged`], which shows nothing, compares with nothing and becomes no
//! string: only the function that renders a teacher's context can open it. It therefore does not reach the
//! student's rollout, the student's traced forward, a log line or an export by mistake. (On purpose it can: a
//! function that is given to [`Privileged::map`] may print what it maps.)

mod context;
mod reads;

pub(crate) use context::{context, Seen};
pub use reads::{
    Boxes, BoxesAndCaption, Caption, Evidence, Experience, Feedback, Found, Gives, Known, NoHints, Outcomes,
    Pixelated, Plain, Poorer, Reads, ReferenceAnswer, RowAlone, SiblingSuccess, StepHints, SuccessOrFeedback,
};

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::world::rows::{Message, PromptText};

/// Something that only a teacher's context may hold.
///
/// ```compile_fail
/// # fn leak(hint: limbeck::privileged::Privileged<String>) {
/// println!("{hint}"); // it does not show itself
/// # }
/// ```
#[derive(Clone)]
pub struct Privileged<T>(T);

impl<T> Privileged<T> {
    /// Closes `known` away.
    pub fn new(known: T) -> Self {
        Self(known)
    }

    /// Something else made of it, closed away as well. The function is given by name: it can take
    /// nothing along.
    pub fn map<U>(self, make: fn(T) -> U) -> Privileged<U> {
        Privileged(make(self.0))
    }
}

impl Privileged<String> {
    /// This and then `other`, `;` between them.
    pub fn and(self, other: Self) -> Self {
        Self(format!("{};{}", self.0, other.0))
    }
}

impl<T> fmt::Debug for Privileged<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("⟨privileged⟩")
    }
}

/// Where privileged text stands in a teacher's prompt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Placement {
    /// After the prompt (in a chat: at the end of the last user turn), after this separator.
    Suffix(String),
    /// Before the prompt, before this separator (in a chat: as a system turn, or at the start of the one
    /// it has).
    System(String),
    /// A template of one's own: `{prompt}` (in a chat: the last user turn) and `{privileged}` are replaced.
    Template(String),
    /// Inside the prompt (in a chat: the last user turn), before its last `mark`, after `lead`.
    Before {
        /// What stays behind the privileged text.
        mark: String,
        /// What stands before it.
        lead: String,
    },
}

impl Default for Placement {
    fn default() -> Self {
        Self::Suffix("\n\n".to_string())
    }
}

impl Placement {
    /// What is wrong with this place.
    ///
    /// # Errors
    /// A template that leaves the prompt or the privileged text out.
    pub fn must_hold(&self) -> Result<()> {
        let Self::Template(text) = self else { return Ok(()) };
        match ["{prompt}", "{privileged}"].iter().find(|part| text.matches(*part).count() != 1) {
            None => Ok(()),
            Some(part) => Err(Error::call(format!("the template must name {part} exactly once"))
                .at("privileged")
                .next("for example Template(\"{prompt}\\nHint: {privileged}\\n\")")),
        }
    }

    /// The same prompt with `known` in this place.
    fn within(&self, prompt: &PromptText, known: &str) -> Result<PromptText> {
        match prompt {
            PromptText::Plain(text) => self.put(text, known).map(PromptText::Plain),
            PromptText::Chat(turns) => self.within_chat(turns.clone(), known).map(PromptText::Chat),
        }
    }

    /// In a chat: a system turn, or a place in the last user turn.
    fn within_chat(&self, mut turns: Vec<Message>, known: &str) -> Result<Vec<Message>> {
        if let Self::System(separator) = self {
            match turns.first_mut().filter(|turn| turn.role == "system") {
                Some(system) => system.content = format!("{known}{separator}{}", system.content),
                None => turns.insert(0, Message::new("system", known)),
            }
            return Ok(turns);
        }
        let last = last_user(&mut turns)?;
        last.content = self.put(&last.content, known)?;
        Ok(turns)
    }

    fn put(&self, prompt: &str, known: &str) -> Result<String> {
        Ok(match self {
            Self::Suffix(separator) => format!("{prompt}{separator}{known}"),
            Self::System(separator) => format!("{known}{separator}{prompt}"),
            Self::Template(text) => {
                let (before, after) = text.split_once("{privileged}").unwrap_or((text, ""));
                let fill = |part: &str| part.replacen("{prompt}", prompt, 1);
                format!("{}{known}{}", fill(before), fill(after))
            }
            Self::Before { mark, lead } => {
                let at = prompt.rfind(mark).filter(|_| !mark.is_empty()).ok_or_else(|| {
                    Error::call(format!("the prompt has no {mark:?} to put the privileged text before"))
                        .at("privileged")
                        .next("choose another place, for example Suffix(\"\\n\\n\")")
                })?;
                format!("{}{lead}{known}{}", &prompt[..at], &prompt[at..])
            }
        })
    }
}

/// The prompt with something else said by its user.
fn saying(prompt: &PromptText, text: &str) -> Result<PromptText> {
    match prompt {
        PromptText::Plain(_) => Ok(text.into()),
        PromptText::Chat(turns) => {
            let mut turns = turns.clone();
            last_user(&mut turns)?.content = text.to_string();
            Ok(PromptText::Chat(turns))
        }
    }
}

fn last_user(turns: &mut [Message]) -> Result<&mut Message> {
    turns.iter_mut().rfind(|turn| turn.role == "user").ok_or_else(|| {
        Error::call("the chat has no user turn for what only the teacher reads")
            .at("privileged")
            .next("give the chat a user turn, or put the text into a system turn: System(\"\\n\\n\")")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn a_view_stands_where_the_prompt_stood() {
        assert_eq!(saying(&"^m1+2>".into(), "^m?+2>").unwrap(), "^m?+2>".into());
        let turn = |role: &str, content: &str| Message { role: role.into(), content: content.into() };
        let chat = |said: &str| {
            PromptText::Chat(vec![turn("system", "s"), turn("user", said), turn("assistant", "a")])
        };
        assert_eq!(saying(&chat("what is this?"), "what?").unwrap(), chat("what?"));
    }

    #[test]
    fn every_place_keeps_prompt_and_text() {
        let put = |place: Placement| place.put("^m1+2>", "3").unwrap();
        assert_eq!(put(Placement::Suffix(" ".into())), "^m1+2> 3");
        assert_eq!(put(Placement::System(" ".into())), "3 ^m1+2>");
        assert_eq!(put(Placement::Template("{privileged}|{prompt}".into())), "3|^m1+2>");
        assert_eq!(put(Placement::Before { mark: ">".into(), lead: "?".into() }), "^m1+2?3>");
        assert!(Placement::Before { mark: "!".into(), lead: String::new() }.put("^m>", "3").is_err());
    }

    #[test]
    fn in_a_chat_the_place_is_a_turn() {
        let turn = |role: &str, content: &str| Message::new(role, content);
        let chat = |turns: &[Message]| PromptText::Chat(turns.to_vec());
        let asked = [turn("user", "a"), turn("assistant", "b"), turn("user", "c")];
        let put = |place: &Placement, turns: &[Message]| place.within(&chat(turns), "k").unwrap();
        let last = |said: &str| chat(&[turn("user", "a"), turn("assistant", "b"), turn("user", said)]);
        assert_eq!(put(&Placement::Suffix("; ".into()), &asked), last("c; k"));
        assert_eq!(put(&Placement::Template("{privileged}|{prompt}".into()), &asked), last("k|c"));
        assert_eq!(put(&Placement::Before { mark: "c".into(), lead: "?".into() }, &asked), last("?kc"));
        let system = Placement::System("; ".into());
        assert_eq!(put(&system, &asked[..1]), chat(&[turn("system", "k"), turn("user", "a")]));
        let with = [turn("system", "s"), turn("user", "a")];
        assert_eq!(put(&system, &with), chat(&[turn("system", "k; s"), turn("user", "a")]));
        let alone = chat(&[turn("system", "s")]);
        let why = Placement::default().within(&alone, "k").unwrap_err().to_string();
        assert!(why.contains("no user turn"), "{why}");
    }

    #[test]
    fn a_template_that_forgets_something_is_refused() {
        assert!(Placement::Template("{prompt}".into()).must_hold().is_err());
        assert!(Placement::Template("{prompt}{privileged}{prompt}".into()).must_hold().is_err());
        assert!(Placement::Template("{prompt}: {privileged}".into()).must_hold().is_ok());
    }

    #[test]
    fn a_privileged_text_does_not_show_itself() {
        assert_eq!(format!("{:?}", Privileged::new("secret")), "⟨privileged⟩");
    }

    #[test]
    fn a_template_does_not_expand_what_it_was_given() {
        // a hint that spells `{prompt}` stays as it is
        let place = Placement::Template("{privileged} {prompt}".into());
        assert_eq!(place.put("P", "{prompt}").unwrap(), "{prompt} P");
    }
}
