//! The README of an exported student: how it was made, how good it is, and under which licence its base is.

use std::fmt::Write;
use std::path::Path;

use super::file::RunFile;
use crate::entry::Entry;
use crate::log::Table;
use crate::models::WeightType;

/// What the card is written from.
pub(super) struct Card<'a> {
    /// The folder's name.
    pub called: String,
    /// The recipe, if this command knows it.
    pub entry: Option<&'a Entry>,
    pub file: RunFile,
    /// The effective run, as RON.
    pub effective: String,
    pub plan: String,
    pub loop_text: String,
    pub step: u64,
    pub hashes: Vec<(String, String)>,
    /// Accuracy on held-out prompts: before, and after if the run has ended.
    pub outcome: Option<Table>,
    pub weights: WeightType,
    pub chats: bool,
}

impl Card<'_> {
    /// The whole card, in Markdown.
    pub fn text(&self) -> String {
        let base = Base::of(&self.file.student);
        let mut text = format!("---\nlicense: {}\n", base.licence.as_deref().unwrap_or("unknown"));
        if let Some(origin) = &base.origin {
            let _ = writeln!(text, "base_model: {origin}");
        }
        text.push_str("library_name: transformers\npipeline_tag: text-generation\ntags:\n");
        text.push_str("  - on-policy-distillation\n  - limbeck\n---\n\n");
        let _ = writeln!(text, "# {}\n", self.called);
        if let Some(entry) = self.entry {
            let _ = writeln!(text, "{}\n", entry.doc.trim());
        }
        text.push_str(&self.facts(&base));
        text.push_str(&self.accuracy());
        text.push_str(&self.usage());
        for (what, language, body) in [
            ("The run file, with every value that counted", "ron", self.without_places()),
            ("The plan: every method with every setting", "ron", self.plan.clone()),
            ("The training loop as it ran", "rust", self.loop_text.clone()),
        ] {
            if !body.trim().is_empty() {
                let _ = writeln!(
                    text,
                    "<details>\n<summary>{what}</summary>\n\n```{language}\n{}\n```\n\n</details>\n",
                    body.trim_end()
                );
            }
        }
        text.truncate(text.trim_end().len());
        text + "\n"
    }

    fn facts(&self, base: &Base) -> String {
        let file = &self.file;
        let of = base.origin.as_deref().map_or(String::new(), |origin| format!(" ({origin})"));
        let licence = base.licence.as_deref().map_or("unknown: see the base model".into(), |licence| {
            format!("{licence}, as the base model says; what the teachers' licences ask is not looked at")
        });
        let teachers: Vec<String> = file
            .teachers
            .iter()
            .map(|(name, path)| format!("{name}: {}", last(path)))
            .chain(file.servers.keys().map(|name| format!("{name}: behind a server")))
            .collect();
        let built_in = if file.scenes.is_some() { "the built-in scenes" } else { "the built-in tasks" };
        let data = file.data.as_deref().map_or(built_in.to_owned(), last);
        let mut rows = vec![
            ("base model", format!("{}{of}", base.name)),
            ("licence", licence),
            ("recipe", format!("{} of limbeck {}", file.recipe, env!("CARGO_PKG_VERSION"))),
            (
                "teachers",
                if teachers.is_empty() { "none from a folder".to_owned() } else { teachers.join(", ") },
            ),
            ("prompts", data),
            (
                "steps",
                format!("{} of {}, {} prompts each, seed {}", self.step, file.steps, file.batch, file.seed),
            ),
            (
                "weights",
                match self.weights {
                    WeightType::F32 => "float32, as they were trained".to_owned(),
                    WeightType::Bf16 => "bfloat16, rounded from the float32 that was trained".to_owned(),
                },
            ),
        ];
        let prints: Vec<String> = self.hashes.iter().map(|(what, hash)| format!("{what} `{hash}`")).collect();
        rows.push(("fingerprints", prints.join(", ")));
        let rows: Vec<String> =
            rows.iter().map(|(what, is)| format!("| {what} | {} |", is.replace('|', "\\|"))).collect();
        format!("| | |\n|---|---|\n{}\n\n", rows.join("\n"))
    }

    fn accuracy(&self) -> String {
        let said = match &self.outcome {
            Some(table) => format!("```text\n{}\n```", table.to_string().trim_end()),
            None => "Not measured: the run has no held-out prompts, or has not looked at them.".to_owned(),
        };
        let unfinished = match self.step < self.file.steps {
            true => format!("The run had not ended: this is the student after step {}.\n\n", self.step),
            false => String::new(),
        };
        format!("## Accuracy on held-out prompts\n\n{unfinished}{said}\n\n")
    }

    fn usage(&self) -> String {
        let kwargs = self.file.chat.iter().flat_map(|chat| &chat.kwargs);
        let kwargs: String = kwargs.map(|(name, value)| format!(", {name}={}", python(value))).collect();
        let system = self.file.chat.as_ref().and_then(|chat| chat.system.as_deref());
        let prompt = match (self.chats && (self.file.chat.is_some() || self.file.data.is_some()), system) {
            (false, _) => {
                "inputs = tokenizer(\"…\", return_tensors=\"pt\", add_special_tokens=False)".to_owned()
            }
            (true, system) => {
                let system = system.map_or(String::new(), |system| {
                    format!("{{\"role\": \"system\", \"content\": {}}}, ", python(&system.into()))
                });
                format!(
                    "messages = [{system}{{\"role\": \"user\", \"content\": \"…\"}}]\n\
                     inputs = tokenizer.apply_chat_template(\n    messages, add_generation_prompt=True, \
                     return_tensors=\"pt\", return_dict=True{kwargs}\n)"
                )
            }
        };
        format!(
            "## Use\n\n```python\nfrom transformers import AutoModelForCausalLM, AutoTokenizer\n\n\
             tokenizer = AutoTokenizer.from_pretrained(\"{0}\")\n\
             model = AutoModelForCausalLM.from_pretrained(\"{0}\")\n{prompt}\n\
             print(tokenizer.decode(model.generate(**inputs, max_new_tokens=256)[0]))\n```\n\n",
            self.called
        )
    }

    /// The effective run, in which a path is its last name and a server has no address: where things lie is
    /// nobody's business.
    fn without_places(&self) -> String {
        let file = &self.file;
        let held_out = file.eval.as_ref().and_then(|eval| eval.data.as_ref());
        let paths =
            [&file.student].into_iter().chain(file.teachers.values()).chain(&file.data).chain(held_out);
        let paths = paths.map(|path| (path.to_string_lossy().into_owned(), last(path)));
        let servers = file.servers.values().flat_map(|server| &server.urls);
        let places = paths.chain(servers.map(|url| (url.clone(), "…".to_owned())));
        places.fold(self.effective.clone(), |text, (place, instead)| {
            let written = |text: &str| ron::to_string(text).unwrap_or_default();
            text.replace(&written(&place), &written(&instead))
        })
    }
}

/// What is known of the model that the student was before the run.
struct Base {
    name: String,
    /// Where it is published: `owner/name`.
    origin: Option<String>,
    licence: Option<String>,
}

impl Base {
    fn of(folder: &Path) -> Self {
        let readme = std::fs::read_to_string(folder.join("README.md")).unwrap_or_default();
        let front =
            readme.strip_prefix("---\n").and_then(|rest| rest.split_once("\n---")).map(|(front, _)| front);
        let field = |name: &str| {
            let line = front?.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
            let value = line.trim().trim_matches(['"', '\'']);
            (!value.is_empty()).then(|| value.to_owned())
        };
        let origin = |file: &str, key: &str| {
            let text = std::fs::read_to_string(folder.join(file)).ok()?;
            let value: serde_json::Value = serde_json::from_str(&text).ok()?;
            value[key].as_str().filter(|name| published(name)).map(str::to_owned)
        };
        let origin = origin("config.json", "_name_or_path")
            .or_else(|| origin("tokenizer_config.json", "name_or_path"))
            .or_else(|| field("base_model").filter(|name| published(name)));
        Self { name: last(folder), origin, licence: field("license").filter(|licence| licence != "unknown") }
    }
}

/// Whether this is `owner/name`, and not a path.
fn published(name: &str) -> bool {
    let fine = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    name.split('/').count() == 2
        && name
            .split('/')
            .all(|part| part.starts_with(|c: char| c.is_ascii_alphanumeric()) && part.chars().all(fine))
}

fn last(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}

/// A value as Python writes it.
fn python(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Null => "None".to_owned(),
        serde_json::Value::Bool(true) => "True".to_owned(),
        serde_json::Value::Bool(false) => "False".to_owned(),
        serde_json::Value::Array(items) => {
            format!("[{}]", items.iter().map(python).collect::<Vec<_>>().join(", "))
        }
        serde_json::Value::Object(fields) => {
            let pair = |(key, value): (&String, &serde_json::Value)| {
                format!("{}: {}", serde_json::json!(key), python(value))
            };
            format!("{{{}}}", fields.iter().map(pair).collect::<Vec<_>>().join(", "))
        }
        plain => plain.to_string(),
    }
}
