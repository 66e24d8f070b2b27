//! The effective run: what a run file, its recipe and the command line come to, written down.

use super::file::{Place, RunFile};
use crate::entry::AnyRecipe;
use crate::error::{Error, Result};
use crate::tensor::Precision;

/// How the line of the effective run begins that says where servers are.
const SERVERS: &str = "servers: ";

/// The effective run: every layer applied, every setting by value. It can be read again.
///
/// # Errors
/// A path that is not UTF-8 text.
pub(super) fn effective(name: &str, recipe: &dyn AnyRecipe, file: &RunFile) -> Result<String> {
    let mut lines = vec![
        format!("recipe: {}", ron_text(name)?),
        format!("seed: {}", file.seed),
        format!("steps: {}", file.steps),
        format!("batch: {}", file.batch),
        format!("micro_batch: {}", file.micro_batch),
        format!("save_every: {}", file.save_every),
        format!("student: {}", ron_text(&file.student)?),
        format!("teachers: {}", ron_text(&file.teachers)?),
    ];
    if file.device != Place::Cpu {
        lines.push(format!("device: {}", ron_text(&file.device)?));
    }
    if file.precision != Precision::F32 {
        lines.push(format!("precision: {}", ron_text(&file.precision)?));
    }
    if file.activation_checkpointing {
        lines.push("activation_checkpointing: true".to_string());
    }
    if !file.freeze.is_empty() {
        lines.push(format!("freeze: {}", ron_text(&file.freeze)?));
    }
    if let Some(lora) = &file.lora {
        lines.push(format!("lora: {}", ron_text(lora)?));
    }
    if !file.servers.is_empty() {
        lines.push(format!("{SERVERS}{}", ron_text(&file.servers)?));
    }
    if let Some(data) = &file.data {
        lines.push(format!("data: {}", ron_text(data)?));
    }
    if let Some(tasks) = &file.tasks {
        lines.push(format!("tasks: {}", ron_text(tasks)?));
    }
    if let Some(scenes) = &file.scenes {
        lines.push(format!("scenes: {}", ron_text(scenes)?));
    }
    if !file.columns.is_empty() {
        lines.push(format!("columns: {}", ron_text(&file.columns)?));
    }
    if let Some(template) = &file.prompt_template {
        lines.push(format!("prompt_template: {}", ron_text(template)?));
    }
    if let Some(chat) = &file.chat {
        lines.push(format!("chat: {}", ron_text(chat)?));
    }
    if !file.verifiers.is_empty() {
        lines.push(format!("verifiers: {}", ron_text(&file.verifiers)?));
    }
    lines.push(format!("privileged: {}", ron_text(&file.privileged)?));
    if let Some(eval) = &file.eval {
        lines.push(format!("eval: {}", ron_text(eval)?));
    }
    let mut stages = Vec::new();
    for (stage, settings) in recipe.settings() {
        if !settings.is_empty() {
            let fields: Vec<String> = settings.iter().map(|s| format!("{}: {}", s.name, s.value)).collect();
            stages.push(format!("        {stage}: ({}),\n", fields.join(", ")));
        }
    }
    lines.push(format!("set: (\n{}    )", stages.concat()));
    let body: String = lines.iter().map(|line| format!("    {line},\n")).collect();
    Ok(format!("Run(\n{body})\n"))
}

/// The effective run but for where its servers are: a server may move, and who answers has a fingerprint of its own.
pub(super) fn wherever_servers_are(effective: &str) -> String {
    effective
        .lines()
        .filter(|line| !line.trim_start().starts_with(SERVERS))
        .map(|line| format!("{line}\n"))
        .collect()
}

fn ron_text<T: serde::Serialize + ?Sized>(value: &T) -> Result<String> {
    ron::to_string(value).map_err(|why| {
        Error::call(format!("cannot be written down for `resume`: {why}"))
            .next("a path in a run file is UTF-8 text")
    })
}
