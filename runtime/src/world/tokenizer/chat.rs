//! Chat templates, rendered as `transformers` renders them (`apply_chat_template`).

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Enumerator, Object, ObjectRepr, Value as Given};
use minijinja::{AutoEscape, Environment, ErrorKind};
use minijinja_contrib::pycompat::unknown_method_callback;
use regex::Regex;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::parts::{self, Parts};
use super::python::{to_json, Date};
use crate::error::{Error, Result};
use crate::suggest::nearest;
use crate::world::rows::Message;

/// What every chat of a run is told beside its messages, in the run file's `chat: (…)`. With it, a plain
/// prompt is said by a user; it is the same for the student and for every teacher.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Chat {
    /// A system message before every prompt.
    pub system: Option<String>,
    /// Which template, where the model folder has several.
    pub template: Option<String>,
    /// Variables of the template, `chat_template_kwargs` elsewhere: `{"enable_thinking": false}`.
    pub kwargs: BTreeMap<String, Value>,
    /// The day that `strftime_now` says, so that a run says the same tomorrow: 2024-07-26 when absent,
    /// the day that the templates of Llama 3 fall back on.
    pub today: Option<Date>,
}

/// The template that is used when several have names.
const DEFAULT: &str = "default";

/// What `transformers` gives every template; not for the run file to give.
const ITS_OWN: [&str; 4] = ["messages", "tools", "documents", "add_generation_prompt"];

/// The chat templates of a model folder: name, source, place.
#[derive(Clone, Debug, Default)]
pub(super) struct Templates {
    named: Vec<(String, String, String)>,
    /// `bos_token` and the others, which templates know by these names.
    tokens: BTreeMap<String, String>,
}

impl Templates {
    /// From the files beside a tokenizer; `chat_template.jinja` comes before `tokenizer_config.json`.
    pub fn find(jinja: Option<(&str, &Path)>, configs: &[(Value, std::path::PathBuf)]) -> Result<Self> {
        let mut found = Self::default();
        if let Some((source, at)) = jinja {
            found.named.push((DEFAULT.into(), source.into(), at.display().to_string()));
        }
        for (config, at) in configs {
            found.take_tokens(config);
            let place = format!("{}, `chat_template`", at.display());
            if found.named.is_empty() {
                found.named = of_config(&config["chat_template"], &place)?;
            }
        }
        Ok(found)
    }

    fn take_tokens(&mut self, config: &Value) {
        for (key, value) in
            config.as_object().into_iter().flatten().filter(|(key, _)| key.ends_with("_token"))
        {
            let named = if value.is_object() { &value["content"] } else { value };
            if let Some(token) = named.as_str() {
                self.tokens.entry(key.clone()).or_insert_with(|| token.to_owned());
            }
        }
    }

    /// The special tokens, by the names that templates know.
    pub fn tokens(&self) -> &BTreeMap<String, String> {
        &self.tokens
    }

    pub fn is_empty(&self) -> bool {
        self.named.is_empty()
    }

    /// The template that `chat` asks for, ready to render.
    ///
    /// # Errors
    /// No such template, one that cannot be understood, a variable that it never reads.
    pub fn told(&self, chat: &Chat) -> Result<Template> {
        let wanted = chat.template.as_deref().unwrap_or(DEFAULT);
        let names = || self.named.iter().map(|(name, ..)| name.as_str());
        let Some((_, source, place)) = self.named.iter().find(|(name, ..)| name == wanted) else {
            return Err(match (self.is_empty(), &chat.template) {
                (true, _) => {
                    Error::call("the prompt is a chat, and this tokenizer folder has no chat template")
                        .next("write `prompt` as one string, or use a model folder with a chat template")
                }
                (_, Some(name)) => Error::call(format!("there is no chat template `{name}`"))
                    .at("chat.template")
                    .next(format!("the model folder has: {}", names().collect::<Vec<_>>().join(", "))),
                (_, None) => {
                    Error::call("the model folder has several chat templates, and none is `default`")
                        .at("chat")
                        .next(format!(
                            "choose with `chat: (template: \"…\")`: {}",
                            names().collect::<Vec<_>>().join(", ")
                        ))
                }
            });
        };
        Template::new(source, place, self.tokens.clone(), chat)
    }
}

fn of_config(value: &Value, place: &str) -> Result<Vec<(String, String, String)>> {
    let wrong = || {
        Error::call("is neither a template nor a list of named ones")
            .at(place)
            .next("write one string, or [{\"name\": \"default\", \"template\": \"…\"}]")
    };
    match value {
        Value::Null => Ok(Vec::new()),
        Value::String(source) => Ok(vec![(DEFAULT.into(), source.clone(), place.into())]),
        Value::Array(items) => {
            let one = |item: &Value| match (item["name"].as_str(), item["template"].as_str()) {
                (Some(name), Some(source)) => {
                    Ok((name.to_owned(), source.to_owned(), format!("{place} `{name}`")))
                }
                _ => Err(wrong()),
            };
            items.iter().map(one).collect()
        }
        _ => Err(wrong()),
    }
}

/// One template with all it is told beside the messages.
#[derive(Clone, Debug)]
pub(super) struct Template {
    environment: Environment<'static>,
    place: String,
    given: Vec<(String, Given)>,
    /// Whether it asks for the day, and which it is told.
    today: Option<Date>,
    parts: Parts,
}

/// The name under which the environment keeps the template.
const IT: &str = "chat";

impl Template {
    fn new(source: &str, place: &str, tokens: BTreeMap<String, String>, chat: &Chat) -> Result<Self> {
        let day = chat.today.unwrap_or_default();
        let mut environment = Environment::new();
        let blocks = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
        environment.set_syntax(blocks.map_err(|why| Error::run(why.to_string()))?);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.set_unknown_method_callback(unknown_method_callback);
        environment.add_filter("tojson", to_json);
        environment.add_function("raise_exception", |why: String| -> Result<Given, minijinja::Error> {
            Err(minijinja::Error::new(ErrorKind::InvalidOperation, format!("{REFUSED}{why}")))
        });
        environment.add_function("strftime_now", move |format: String| {
            day.format(&format).map_err(|why| minijinja::Error::new(ErrorKind::InvalidOperation, why))
        });
        let source = without_generation(source);
        environment.add_template_owned(IT, source.clone()).map_err(|why| {
            Error::call(format!("the chat template cannot be understood: {}", said(&why)))
                .at(at(place, &why))
                .next("it is written in what Jinja has; correct it, or use the model folder as it was published")
        })?;
        let read = environment.get_template(IT).map(|it| it.undeclared_variables(false)).unwrap_or_default();
        let reads = |name: &str| read.contains(name) || sets_from_itself(&source, name);
        for name in chat.kwargs.keys() {
            if ITS_OWN.contains(&name.as_str()) {
                let what = format!("`{name}` is what the template is given for every prompt");
                return Err(Error::call(what).at(format!("chat.kwargs.{name}")).next("take it out"));
            }
            if !reads(name) {
                let error = Error::call(format!("the chat template never reads `{name}` ({place})"))
                    .at(format!("chat.kwargs.{name}"));
                let variables = || read.iter().map(String::as_str).filter(|word| !ITS_OWN.contains(word));
                return Err(match nearest(name, variables()) {
                    Some(near) => error.next(format!("did you mean `{near}`?")),
                    None => error.next("take it out: it would change nothing"),
                });
            }
        }
        let asks = read.contains("strftime_now");
        if chat.today.is_some() && !asks {
            return Err(Error::call(format!("the chat template never asks for the day ({place})"))
                .at("chat.today")
                .next("take it out: it would change nothing"));
        }
        let mut given: Vec<(String, Given)> =
            tokens.into_iter().map(|(name, token)| (name, Given::from(token))).collect();
        given.extend(["tools", "documents"].map(|name| (name.to_owned(), Given::from(()))));
        given.push(("add_generation_prompt".to_owned(), Given::from(true)));
        given.retain(|(name, _)| !chat.kwargs.contains_key(name));
        given.extend(chat.kwargs.iter().map(|(name, value)| (name.clone(), value_of(value))));
        let (place, today) = (place.to_owned(), asks.then_some(day));
        Ok(Self { environment, place, given, today, parts: Parts::of(&source) })
    }

    /// The text that a model reads of these messages, up to where its answer begins.
    ///
    /// # Errors
    /// What the template refuses, or cannot do.
    pub fn render(&self, messages: &[Message]) -> Result<String> {
        let in_parts = self.parts.wanted(messages);
        let one = |message: &Message| {
            let content = match in_parts {
                true => parts::of(&message.content),
                false => Given::from(message.content.as_str()),
            };
            let role = Given::from(message.role.as_str());
            InOrder::map([("role".to_owned(), role), ("content".to_owned(), content)])
        };
        let messages = messages.iter().map(one).collect::<Vec<_>>();
        let mut context = self.given.clone();
        context.push(("messages".to_owned(), Given::from(messages)));
        let rendered = self.environment.get_template(IT).and_then(|it| it.render(InOrder::map(context)));
        rendered.map_err(|why| {
            let place = at(&self.place, &why);
            let said = said(&why);
            match said.rsplit_once(REFUSED) {
                Some((_, refusal)) => {
                    Error::call(format!("the chat template refuses this prompt: {refusal} ({place})"))
                        .next("change the messages, or use a model whose template takes them")
                }
                None => Error::call(format!("the chat template fails: {said} ({place})"))
                    .next("correct the template, or the messages it cannot take"),
            }
        })
    }

    /// Where it was found, and what it is told: a line for `limbeck check`.
    pub fn describe(&self, chat: &Chat) -> String {
        let kwargs = chat.kwargs.iter().map(|(name, value)| format!(", {name} is {value}"));
        let day = self.today.map(|day| format!(", the day is {day}"));
        format!("chat template: {}{}{}", self.place, kwargs.collect::<String>(), day.unwrap_or_default())
    }
}

/// What stands before the words of `raise_exception`.
const REFUSED: &str = "\u{1}refused:";

fn said(why: &minijinja::Error) -> String {
    let detail = why.detail().map_or_else(|| why.kind().to_string(), str::to_owned);
    match std::error::Error::source(why) {
        Some(source) => format!("{detail}: {source}"),
        None => detail,
    }
}

fn at(place: &str, why: &minijinja::Error) -> String {
    match why.line() {
        Some(line) if place.ends_with(".jinja") => format!("{place}:{line}"),
        Some(line) => format!("{place}, line {line}"),
        None => place.to_owned(),
    }
}

/// `{% generation %}` marks what an assistant said for those who train on it; here its content is all.
/// What is set inside it stays inside, as in `transformers`.
fn without_generation(source: &str) -> String {
    let mut text = source.to_owned();
    for (tag, instead) in [("generation", "with"), ("endgeneration", "endwith")] {
        if let Ok(pattern) = Regex::new(&format!(r"\{{%([-+]?)\s*{tag}\s*([-+]?)%\}}")) {
            text = pattern.replace_all(&text, format!("{{%$1 {instead} $2%}}")).into_owned();
        }
    }
    text
}

/// `{% set x = x | default(…) %}` reads the `x` it was given, which the library overlooks.
fn sets_from_itself(source: &str, name: &str) -> bool {
    let name = regex::escape(name);
    Regex::new(&format!(r"\bset\s+{name}\s*=[^%]*?(?:^|[^\w.'\x22]){name}\b"))
        .is_ok_and(|it| it.is_match(source))
}

fn value_of(value: &Value) -> Given {
    match value {
        Value::Null => Given::from(()),
        Value::Bool(it) => Given::from(*it),
        Value::Number(it) => match (it.as_i64(), it.as_u64()) {
            (Some(whole), _) => Given::from(whole),
            (None, Some(whole)) => Given::from(whole),
            (None, None) => Given::from(it.as_f64().unwrap_or(f64::NAN)),
        },
        Value::String(it) => Given::from(it.as_str()),
        Value::Array(items) => items.iter().map(value_of).collect::<Vec<_>>().into(),
        Value::Object(fields) => {
            InOrder::map(fields.iter().map(|(key, value)| (key.clone(), value_of(value))))
        }
    }
}

/// A map whose keys stay in the order they were given, as in Python.
#[derive(Debug)]
pub(super) struct InOrder(Vec<(String, Given)>);

impl InOrder {
    pub(super) fn map(fields: impl IntoIterator<Item = (String, Given)>) -> Given {
        Given::from_object(Self(fields.into_iter().collect()))
    }
}

impl Object for InOrder {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &Given) -> Option<Given> {
        let key = key.as_str()?;
        self.0.iter().find(|(known, _)| known == key).map(|(_, value)| value.clone())
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.0.iter().map(|(key, _)| Given::from(key.as_str())).collect())
    }
}
