//! Where the rows of a run come from, and how their prompts are put.

use std::path::Path;

use super::file::RunFile;
use crate::error::{Error, Result};
use crate::world::rows::{self, Columns, Message, PromptText, Row};
use crate::world::scenes::{self, SceneSpec};
use crate::world::tasks::{generate, TaskSpec};
use crate::world::tokenizer::Chat;

/// The rows that are made here.
#[derive(Clone, Copy)]
pub(super) struct BuiltIn<'a> {
    pub tasks: Option<&'a TaskSpec>,
    pub scenes: Option<&'a SceneSpec>,
    /// What messages call them.
    pub name: &'static str,
}

/// The rows of a file or those that are made here, and what messages call them.
pub(super) fn rows_of(
    file: &RunFile,
    data: Option<(&Path, &Columns)>,
    built_in: BuiltIn<'_>,
) -> Result<(Vec<Row>, String)> {
    let BuiltIn { tasks, scenes, name: field } = built_in;
    match data {
        Some((path, columns)) => {
            let (mut rows, name) = (rows::read(path, columns)?, path.display().to_string());
            for (index, row) in rows.iter_mut().enumerate() {
                put(&mut row.prompt, file.prompt_template.as_deref(), file.chat.as_ref())
                    .map_err(|why| why.at(format!("{name}, row {}", index + 1)))?;
            }
            Ok((rows, name))
        }
        None if tasks.is_none() && scenes.is_none() => Err(Error::call("the run has no prompts").at("data")),
        None => {
            let made = tasks.map(generate).transpose().map_err(|why| why.or_at(field))?;
            let seen = scenes.map(scenes::generate).transpose().map_err(|why| why.or_at("scenes"))?;
            let rows: Vec<Row> = made.into_iter().chain(seen).flatten().collect();
            if rows.is_empty() {
                return Err(Error::call("the tasks make no prompts").at(field).next("raise `per_level`"));
            }
            Ok((rows, field.to_string()))
        }
    }
}

/// Puts a prompt as the run file says: words around a plain one, said by a user if the run chats, after
/// the system message.
fn put(prompt: &mut PromptText, template: Option<&str>, chat: Option<&Chat>) -> Result<()> {
    if let Some(template) = template {
        let Some(text) = prompt.plain() else {
            return Err(Error::call("the prompt is a chat, and `prompt_template` is for plain prompts")
                .next("take `prompt_template` out of the run file"));
        };
        *prompt = PromptText::Plain(template.replacen("{prompt}", text, 1));
    }
    let Some(chat) = chat else { return Ok(()) };
    let mut turns = match prompt {
        PromptText::Plain(text) => vec![Message::new("user", text.as_str())],
        PromptText::Chat(turns) => turns.clone(),
    };
    if let Some(system) = &chat.system {
        if turns.iter().any(|turn| turn.role == "system") {
            return Err(Error::call("the row brings a system message, and `chat.system` gives another")
                .next("take one of the two out"));
        }
        turns.insert(0, Message::new("system", system));
    }
    *prompt = PromptText::Chat(turns);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_prompt_is_said_by_a_user_and_a_chat_stays_one() {
        let chat = Chat { system: Some("be brief".into()), ..Chat::default() };
        let turns = |system: Option<&str>| {
            let system = system.map(|text| Message::new("system", text));
            PromptText::Chat(system.into_iter().chain([Message::new("user", "hi")]).collect())
        };
        for start in ["hi".into(), turns(None)] {
            let mut prompt: PromptText = start;
            put(&mut prompt, None, Some(&chat)).unwrap();
            assert_eq!(prompt, turns(Some("be brief")));
            let why = put(&mut prompt, None, Some(&chat)).unwrap_err().to_string();
            assert!(why.contains("`chat.system` gives another"), "{why}");
            put(&mut prompt, None, Some(&Chat::default())).unwrap();
            assert_eq!(prompt, turns(Some("be brief")));
        }
    }

    #[test]
    fn words_stand_around_a_plain_prompt() {
        let mut prompt: PromptText = "2 + {prompt}?".into();
        put(&mut prompt, Some("Question: {prompt}\nAnswer:"), None).unwrap();
        assert_eq!(prompt, "Question: 2 + {prompt}?\nAnswer:".into());
        put(&mut prompt, None, Some(&Chat::default())).unwrap();
        let why = put(&mut prompt, Some("{prompt}"), None).unwrap_err().to_string();
        assert!(why.contains("`prompt_template` is for plain prompts"), "{why}");
    }
}
