//! What only teachers may read.
//!
//! Privileged text lives in [`Privileged`], which shows nothing, compares with nothing and becomes no
//! string: only the function that renders a teacher's context can open it. It therefore cannot reach the
//! student's rollout, the student's traced forward, a log line or an export.

mod reads;

pub use reads::{
    Boxes, Evidence, Experience, Feedback, Found, Gives, Known, NoHints, Outcomes, Pixelated, Plain, Poorer,
    Reads, ReferenceAnswer, RowAlone, SiblingSuccess, StepHints, SuccessOrFeedback,
};

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::world::rows::PromptText;
use crate::world::tokenizer::Tokenizer;

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
    /// Before the prompt (in a chat: as a system turn), before this separator.
    System(String),
    /// A template of one's own: `{prompt}` and `{privileged}` are replaced.
    Template(String),
    /// Inside the prompt, before its last `mark`, after `lead`.
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

/// The tokens of a context: the one place where a prompt becomes what a policy reads, with or without
/// privileged text. The response follows in both, so plain and privileged contexts are aligned by
/// response index whatever their lengths.
///
/// # Errors
/// A prompt without the place for it, unknown characters.
pub(crate) fn context(
    tokenizer: &Tokenizer,
    prompt: &PromptText,
    found: Option<&Found>,
    place: &Placement,
) -> Result<(String, Vec<u32>)> {
    let text = match found {
        Some(Found::Text(known)) => place.put(&tokenizer.render(prompt)?, &known.0)?,
        Some(Found::Instead(known)) => tokenizer.render(&saying(prompt, &known.0))?,
        Some(Found::Prompt | Found::Nothing | Found::Missing(_)) | None => tokenizer.render(prompt)?,
    };
    let tokens = tokenizer.encode(&text)?;
    Ok((text, tokens))
}

/// The prompt with something else said by its user.
fn saying(prompt: &PromptText, text: &str) -> PromptText {
    let mut said = prompt.clone();
    match &mut said {
        PromptText::Plain(all) => *all = text.to_string(),
        PromptText::Chat(turns) => {
            if let Some(last) = turns.iter_mut().rfind(|turn| turn.role == "user") {
                last.content = text.to_string();
            }
        }
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::rows::Message;

    #[test]
    fn a_view_stands_where_the_prompt_stood() {
        assert_eq!(saying(&"^m1+2>".into(), "^m?+2>"), "^m?+2>".into());
        let turn = |role: &str, content: &str| Message { role: role.into(), content: content.into() };
        let chat = |said: &str| {
            PromptText::Chat(vec![turn("system", "s"), turn("user", said), turn("assistant", "a")])
        };
        assert_eq!(saying(&chat("what is this?"), "what?"), chat("what?"));
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
