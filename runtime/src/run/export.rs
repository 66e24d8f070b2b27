//! A run's student as a model folder that `transformers` and vLLM load, with a card that says how it was made.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{json, Map, Value};

use super::before_after::outcome;
use super::card::Card;
use super::checkpoint::{hashes_of, latest};
use super::directory::RunDirectory;
use super::file::{recipe_of, RunFile};
use super::prepare::step_of;
use crate::entry::Entry;
use crate::error::{Error, Result};
use crate::models::WeightType;
use crate::tensor::Cpu;
use crate::world::Policy;

/// Writes the student of the latest checkpoint in `directory` as a model folder `to`, whole or not at all.
/// The recipe's words for the card are looked up in `recipes`.
///
/// # Errors
/// A run without checkpoint, a folder that cannot be written.
pub fn export(recipes: &[Entry], directory: &Path, to: &Path, weights: WeightType) -> Result<()> {
    let run = RunDirectory::existing(directory)?;
    let checkpoint = latest(&run)?.ok_or_else(|| {
        Error::call("the run has no checkpoint yet")
            .at(directory.display())
            .next("let it finish, or go on with `limbeck resume`")
    })?;
    let student = Policy::load("student", &checkpoint.join("student"), &Cpu::default())?;
    let (effective, name) = (read(&run.path("run.ron"))?, run.path("run.ron").display().to_string());
    let recipe = recipe_of(&effective, &name)?;
    let card = Card {
        called: to.file_name().map_or("model".into(), |name| name.to_string_lossy().into_owned()),
        entry: recipes.iter().find(|entry| entry.name == recipe),
        file: RunFile::read(&effective, &name)?,
        effective,
        plan: read(&run.path("plan.ron")).unwrap_or_default(),
        loop_text: read(&run.path("loop.rs"))?,
        step: step_of(&checkpoint).unwrap_or(0),
        hashes: hashes_of(&checkpoint)?,
        outcome: outcome(&run)?,
        weights,
        chats: student.tokenizer.has_chat_template(),
    };
    let partial = beside(to);
    let written = write(&student, &card, &partial, weights)
        .and_then(|()| fs::rename(&partial, to).map_err(|why| Error::writing(to, why)));
    if written.is_err() {
        // what is left of it is of no use; that it cannot be removed would not be news
        let _ = fs::remove_dir_all(&partial);
    }
    written
}

/// The folder that is written, before it has its name.
fn beside(to: &Path) -> PathBuf {
    let name = to.file_name().unwrap_or_default().to_string_lossy();
    to.with_file_name(format!(".{name}.partial"))
}

fn write(student: &Policy<Cpu>, card: &Card, folder: &Path, weights: WeightType) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(|why| Error::writing(folder, why))?;
    }
    student.save(folder, weights)?;
    let special = student.tokenizer.special_tokens();
    let mut tokenizer: Map<String, Value> =
        special.iter().map(|(name, token)| (name.clone(), json!(token))).collect();
    fill(folder, "special_tokens_map.json", &tokenizer)?;
    tokenizer.insert("tokenizer_class".into(), json!("PreTrainedTokenizerFast"));
    tokenizer.insert("model_max_length".into(), json!(student.decoder.config().max_position_embeddings));
    tokenizer.insert("clean_up_tokenization_spaces".into(), json!(false));
    fill(folder, "tokenizer_config.json", &tokenizer)?;
    let mut generation = Map::new();
    let ends = student.eos();
    let pad = student.decoder.config().pad_token_id.or(student.tokenizer.pad());
    let ids = [("bos_token_id", student.decoder.config().bos_token_id), ("pad_token_id", pad)];
    generation.extend(ids.into_iter().filter_map(|(name, id)| Some((name.to_owned(), json!(id?)))));
    if !ends.is_empty() {
        generation.insert("eos_token_id".into(), json!(ends));
    }
    fill(folder, "generation_config.json", &generation)?;
    let path = folder.join("README.md");
    fs::write(&path, card.text()).map_err(|why| Error::writing(&path, why))
}

/// Writes a file that the student's own folder did not bring.
fn fill(folder: &Path, name: &str, fields: &Map<String, Value>) -> Result<()> {
    let path = folder.join(name);
    if path.exists() {
        return Ok(());
    }
    let text = format!("{:#}\n", Value::Object(fields.clone()));
    fs::write(&path, text).map_err(|why| Error::writing(&path, why))
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(|why| Error::reading(path, why))
}
