//! The report of a finished run, from what the run directory holds: a run that was stopped and resumed
//! reports all its steps.

use std::path::Path;

use serde::Deserialize;

use super::drive::Shown;
use super::prepare::Prepared;
use super::state::Run;
use crate::diff;
use crate::error::{Error, Result};
use crate::log::{read_metrics, ReportData, Sample, ShownImage};
use crate::tensor::Device;
use crate::world::tokenizer::Tokenizer;
use crate::world::{FromFiles, World};

/// How many rollouts the report shows.
const SAMPLES: usize = 48;

pub(super) fn write_report<D: Device>(
    prepared: &Prepared,
    run: &Run,
    world: &FromFiles<D>,
    shown: &Shown,
) -> Result<()> {
    let Some(directory) = &run.directory else { return Ok(()) };
    let entry = &prepared.entry;
    let metrics = read_metrics(&directory.path("metrics.jsonl"))?;
    let mut settings = Vec::new();
    for (stage, list) in prepared.recipe.settings() {
        let method = entry
            .plan
            .method(stage)
            .or_else(|| entry.plan.teachers.iter().find(|t| t.name == stage).map(|t| t.kind));
        let values = list.into_iter().map(|s| (s.name.to_string(), s.value)).collect();
        settings.push((stage.to_string(), method.unwrap_or_default().to_string(), values));
    }
    let seconds = metrics.iter().filter_map(|(_, m)| m.get("step_time")).sum();
    let files = [
        ("run.ron", "the effective run"),
        ("plan.ron", "the plan with every setting"),
        ("loop.rs", "the loop as it ran"),
        ("metrics.jsonl", "one line of numbers a step"),
        ("samples.jsonl", "some rollouts a step, with what was decided of them"),
        ("tb/", "the same numbers for TensorBoard"),
        ("checkpoints/", "the student and everything a run needs to go on"),
        ("hashes.json", "the fingerprints of all that the run reads"),
        ("servers.json", "by what the teachers behind servers are known again"),
        ("difficulty.json", "how often the student was right on each prompt"),
        ("before.json", "accuracy on the held-out prompts before the run, and what was said"),
        ("after.json", "the same after it"),
    ];
    let files = files.iter().filter(|(name, _)| directory.path(name).exists());
    ReportData {
        recipe: entry.name.to_string(),
        doc: entry.doc.to_string(),
        seed: run.seed,
        steps: run.steps,
        seconds,
        loop_text: entry.loop_text.to_string(),
        settings,
        metrics,
        table: shown.table.clone(),
        answers: shown.answers.clone(),
        samples: samples(&directory.path("samples.jsonl"), &world.student().tokenizer)?,
        diff: against(prepared),
        files: files.map(|(path, what)| ((*path).to_string(), (*what).to_string())).collect(),
        hashes: run.hashes.clone(),
    }
    .write(&directory.path("report.html"))
}

/// How the plan with the run's settings differs from the plan of the recipe's base.
fn against(prepared: &Prepared) -> Option<(String, String)> {
    let (base, plan) = (prepared.entry.base?, prepared.entry.plan);
    let settings = prepared.recipe.settings();
    let diff = diff::between(
        &base.resolved().record(),
        &plan.with_settings(settings).record(),
        [base.loop_text, plan.loop_text],
    );
    Some((base.name.to_string(), diff.to_string()))
}

/// A line of `samples.jsonl`, as far as the report shows it.
#[derive(Deserialize)]
struct Written {
    step: u64,
    prompt: String,
    #[serde(default)]
    images: Vec<ShownImage>,
    domain: String,
    tokens: Vec<u32>,
    advantage: Option<Vec<f64>>,
    regime: Option<Vec<String>>,
    correct: Option<bool>,
    kept: bool,
}

/// Some rollouts of the whole run, evenly spread.
fn samples(path: &Path, tokenizer: &Tokenizer) -> Result<Vec<Sample>> {
    let text = std::fs::read_to_string(path).map_err(|why| Error::reading(path, why))?;
    let each = text.lines().count().div_ceil(SAMPLES).max(1);
    let mut samples = Vec::new();
    for (number, line) in text.lines().enumerate().step_by(each) {
        let written: Written = serde_json::from_str(line).map_err(|why| {
            Error::call(format!("not a line that a run wrote: {why}"))
                .at(format!("{}:{}", path.display(), number + 1))
                .next("take this line out, or restore the file")
        })?;
        samples.push(Sample {
            step: written.step,
            prompt: written.prompt,
            images: written.images,
            domain: written.domain,
            response: written.tokens.iter().map(|&id| tokenizer.show(id)).collect(),
            advantage: written.advantage,
            regime: written.regime,
            correct: written.correct,
            kept: written.kept,
        });
    }
    Ok(samples)
}
