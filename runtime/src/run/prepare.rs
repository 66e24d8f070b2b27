//! From a run file to a run: layers, checks, files.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::directory::RunDirectory;
use super::evaluate::Evaluation;
use super::file::{find, EvalFile, RunFile};
use super::overlay;
use super::state::Run;
use crate::check::Fault;
use crate::error::{Error, Result};
use crate::log::{Progress, ProgressStyle};
use crate::plan::fingerprint;
use crate::recipe::Recipe;
use crate::stages::rollout::Sample;
use crate::world::rows::{read_jsonl, Row};
use crate::world::tasks::{generate, TaskSpec};

/// What the command line adds to a run file.
#[derive(Clone, Debug, Default)]
pub struct TrainOptions {
    /// The run file.
    pub file: PathBuf,
    /// Settings over the file, as `stage.field=VALUE`.
    pub set: Vec<String>,
    /// The run directory.
    pub out: Option<PathBuf>,
    /// One step, nothing saved.
    pub dry_run: bool,
    /// The recipe was chosen on the command line and not by the file.
    pub other_recipe: bool,
    /// No progress.
    pub quiet: bool,
    /// Results as JSON.
    pub json: bool,
}

/// A run file with every layer applied: recipe settings, paths, numbers.
pub struct Prepared<R: Recipe> {
    /// The recipe with the run's settings.
    pub recipe: R,
    /// The run, its paths made absolute.
    pub file: RunFile<R::Patch>,
    /// What messages call the run file.
    pub name: String,
    /// The effective run, as RON.
    pub effective: String,
}

impl<R: Recipe> Prepared<R> {
    /// Reads the file, puts `--set` over it, and checks every number.
    ///
    /// # Errors
    /// What does not hold, at its place.
    pub fn read(options: &TrainOptions) -> Result<Self> {
        let name = options.file.display().to_string();
        let text =
            std::fs::read_to_string(&options.file).map_err(|why| Error::reading(&options.file, why))?;
        let mut file = RunFile::<R::Patch>::read(&text, &name)?;
        let mut recipe = R::DEFAULT;
        recipe.apply(std::mem::take(&mut file.set));
        for word in &options.set {
            if let Some(patch) = overlay::set(&mut file, word)? {
                recipe.apply(patch);
            }
        }
        if options.dry_run {
            file.steps = 1;
        }
        file.must_hold(&name)?;
        must_have_no_faults(&recipe.faults(), &text, &name)?;
        let beside = options.file.parent();
        make_absolute(&mut file, beside)?;
        if options.other_recipe {
            let weighted = |name: &str| R::PLAN.teachers.iter().any(|t| t.name == name && t.kind == "Frozen");
            file.teachers.retain(|name, _| weighted(name));
        }
        let effective = effective(&recipe, &file);
        Ok(Self { recipe, file, name, effective })
    }

    /// The rows to train on, and what messages call them.
    ///
    /// # Errors
    /// A file that cannot be read, a row that does not fit.
    pub fn rows(&self) -> Result<(Vec<Row>, String)> {
        rows_of(self.file.data.as_deref(), self.file.tasks.as_ref(), "tasks")
    }

    /// The held-out prompts, if the run has some.
    ///
    /// # Errors
    /// A file that cannot be read, a row that does not fit.
    pub fn held_out(&self) -> Result<Option<Evaluation>> {
        let Some(eval) = &self.file.eval else { return Ok(None) };
        let (rows, name) = rows_of(eval.data.as_deref(), eval.tasks.as_ref(), "eval.tasks")?;
        Ok(Some(Evaluation { rows, name, every: eval.every, sample: eval.sample::<R>(&self.recipe) }))
    }

    /// The run, ready for the loop.
    ///
    /// # Errors
    /// Rows that cannot be read, a domain nobody teaches.
    pub fn run(
        &self,
        directory: Option<RunDirectory>,
        checkpoint: Option<PathBuf>,
        quiet: bool,
    ) -> Result<Run> {
        let (rows, rows_name) = self.rows()?;
        must_be_taught::<R>(&rows, &rows_name)?;
        let held_out = self.held_out()?.map(Arc::new);
        let style = if quiet { ProgressStyle::Hidden } else { ProgressStyle::Auto };
        let start = checkpoint.as_deref().and_then(step_of).unwrap_or(0);
        Ok(Run {
            seed: self.file.seed,
            steps: self.file.steps,
            batch: self.file.batch,
            micro_batch: self.file.micro_batch,
            save_every: self.file.save_every,
            rows,
            rows_name,
            placement: Arc::new(self.file.privileged.clone()),
            held_out,
            directory,
            checkpoint,
            progress: Arc::new(Mutex::new(Progress::new(self.file.steps, start, style))),
            effective: self.effective.clone(),
            hashes: self.hashes(),
        })
    }

    /// What every file of the run carries.
    pub fn hashes(&self) -> Vec<(String, String)> {
        vec![
            ("plan".to_string(), R::PLAN.hash()),
            ("run".to_string(), fingerprint(self.effective.as_bytes())),
        ]
    }
}

impl EvalFile {
    fn sample<R: Recipe>(&self, recipe: &R) -> Sample {
        let trained = recipe.settings().into_iter().find(|(stage, _)| *stage == "rollout");
        let limit = trained.and_then(|(_, settings)| {
            settings.iter().find(|s| s.name == "max_response_tokens").and_then(|s| s.value.parse().ok())
        });
        let default = <Sample as crate::settings::Settings>::DEFAULT;
        Sample {
            group_size: self.samples,
            temperature: self.temperature,
            max_response_tokens: self.max_response_tokens.or(limit).unwrap_or(default.max_response_tokens),
            ..default
        }
    }
}

fn step_of(checkpoint: &Path) -> Option<u64> {
    checkpoint.file_name()?.to_str()?.strip_prefix("step-")?.parse().ok()
}

fn rows_of(data: Option<&Path>, tasks: Option<&TaskSpec>, field: &str) -> Result<(Vec<Row>, String)> {
    match (data, tasks) {
        (Some(path), _) => Ok((read_jsonl(path)?, path.display().to_string())),
        (None, Some(spec)) => {
            let rows = generate(spec).map_err(|why| why.or_at(field))?;
            if rows.is_empty() {
                return Err(Error::call("the tasks make no prompts").at(field).next("raise `per_level`"));
            }
            Ok((rows, field.to_string()))
        }
        (None, None) => Err(Error::call("the run has no prompts").at("data")),
    }
}

/// Every domain of the data has its teacher, when teachers are chosen by domain.
pub(super) fn must_be_taught<R: Recipe>(rows: &[Row], name: &str) -> Result<()> {
    let taught: Vec<String> = R::PLAN.teachers.iter().filter_map(crate::plan::Teacher::domain_name).collect();
    if taught.is_empty() {
        return Ok(());
    }
    match rows.iter().position(|row| !taught.contains(&row.domain)) {
        None => Ok(()),
        Some(index) => {
            let domain = &rows[index].domain;
            let what = if domain.is_empty() {
                format!("the row names no domain, and `{}` chooses the teacher by it", R::NAME)
            } else {
                format!("nobody teaches the domain `{domain}`")
            };
            Err(Error::call(what).at(format!("{name}, row {}, column `domain`", index + 1)).next(format!(
                "the teachers of `{}` teach: {}",
                R::NAME,
                taught.join(", ")
            )))
        }
    }
}

fn must_have_no_faults(faults: &[Fault], text: &str, name: &str) -> Result<()> {
    let Some(fault) = faults.first() else { return Ok(()) };
    let place = match place_of(text, fault.stage, fault.field) {
        Some((line, column)) => format!("{name}:{line}:{column}: `{}.{}`", fault.stage, fault.field),
        None if fault.field.is_empty() => format!("{name}: `{}`", fault.stage),
        None => format!("{name}: `{}.{}`", fault.stage, fault.field),
    };
    let others: Vec<String> =
        faults[1..].iter().map(|f| format!("`{}.{}`: {}", f.stage, f.field, f.says)).collect();
    let error = Error::call(fault.says).at(place);
    Err(if others.is_empty() { error } else { error.next(format!("and {}", others.join("; "))) })
}

/// Where a setting stands in a run file.
fn place_of(text: &str, stage: &str, field: &str) -> Option<(usize, usize)> {
    let stage_at = word_at(text, stage, 0)?;
    let at = word_at(text, field, stage_at)?;
    let line = text[..at].matches('\n').count() + 1;
    let column = text[..at].chars().rev().take_while(|c| *c != '\n').count() + 1;
    Some((line, column))
}

fn word_at(text: &str, word: &str, from: usize) -> Option<usize> {
    if word.is_empty() {
        return None;
    }
    let inside = |c: char| c.is_alphanumeric() || c == '_';
    text[from..].match_indices(word).map(|(at, _)| at + from).find(|&at| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].trim_start().chars().next();
        !before.is_some_and(inside) && after == Some(':')
    })
}

fn make_absolute<P: serde::de::DeserializeOwned + Default>(
    file: &mut RunFile<P>,
    beside: Option<&Path>,
) -> Result<()> {
    file.student = find(&file.student, beside, "student")?;
    for (name, path) in &mut file.teachers {
        *path = find(path, beside, &format!("teachers.{name}"))?;
    }
    if let Some(path) = &mut file.data {
        *path = find(path, beside, "data")?;
    }
    if let Some(path) = file.eval.as_mut().and_then(|eval| eval.data.as_mut()) {
        *path = find(path, beside, "eval.data")?;
    }
    Ok(())
}

/// The effective run: every layer applied, every setting by value. It can be read again.
fn effective<R: Recipe>(recipe: &R, file: &RunFile<R::Patch>) -> String {
    let mut lines = vec![
        format!("recipe: {}", ron_text(R::NAME)),
        format!("seed: {}", file.seed),
        format!("steps: {}", file.steps),
        format!("batch: {}", file.batch),
        format!("micro_batch: {}", file.micro_batch),
        format!("save_every: {}", file.save_every),
        format!("student: {}", ron_text(&file.student)),
        format!("teachers: {}", ron_text(&file.teachers)),
    ];
    if let Some(data) = &file.data {
        lines.push(format!("data: {}", ron_text(data)));
    }
    if let Some(tasks) = &file.tasks {
        lines.push(format!("tasks: {}", ron_text(tasks)));
    }
    lines.push(format!("privileged: {}", ron_text(&file.privileged)));
    if let Some(eval) = &file.eval {
        lines.push(format!("eval: {}", ron_text(eval)));
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
    format!("Run(\n{body})\n")
}

fn ron_text<T: serde::Serialize + ?Sized>(value: &T) -> String {
    ron::to_string(value).unwrap_or_else(|why| format!("/* {why} */"))
}
