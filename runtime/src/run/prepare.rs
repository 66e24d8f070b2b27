//! From a run file to a run: layers, checks, files.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::directory::RunDirectory;
use super::effective::{effective, wherever_servers_are};
use super::evaluate::Evaluation;
use super::file::{find, EvalFile, RunFile};
use super::fingerprints::{of_files, of_model, IMAGES, TEACHER};
use super::overlay::{self, line_and_column};
use super::source::{rows_of, BuiltIn};
use super::state::Run;
use crate::check::Fault;
use crate::entry::{AnyRecipe, Entry};
use crate::error::{Error, Result};
use crate::log::{Progress, ProgressStyle};
use crate::plan::fingerprint;
use crate::privileged::Placement;
use crate::stages::rollout::Sample;
use crate::world::remote::{seats_fit, served};
use crate::world::rows::{images_fingerprint, Row};
use crate::world::verifier::{chosen, Judges};

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
pub struct Prepared {
    /// The recipe's texts and its plan.
    pub entry: Entry,
    /// The recipe with the run's settings.
    pub(crate) recipe: Box<dyn AnyRecipe>,
    /// The run, its paths made absolute.
    pub file: RunFile,
    /// What messages call the run file.
    pub name: String,
    /// The effective run, as RON.
    pub effective: String,
    /// Who judges responses.
    pub judges: Judges,
}

/// The rows of a run file.
pub struct RunData {
    /// What is trained on.
    pub rows: Vec<Row>,
    /// What messages call these.
    pub name: String,
    /// The held-out prompts, if the run has some.
    pub held_out: Option<Evaluation>,
}

impl RunData {
    /// The fingerprint of all images that rows show, where they show some.
    pub(super) fn images_fingerprint(&self) -> Option<(String, String)> {
        let held_out = self.held_out.iter().flat_map(|held_out| &held_out.rows);
        images_fingerprint(self.rows.iter().chain(held_out)).map(|print| (IMAGES.to_string(), print))
    }
}

impl Prepared {
    /// Reads the file, puts `--set` over it, and checks every number.
    ///
    /// # Errors
    /// What does not hold, at its place.
    pub fn read(entry: &Entry, options: &TrainOptions) -> Result<Self> {
        let (prepared, wrong) = Self::examine(entry, options)?;
        Error::together(wrong)?;
        Ok(prepared)
    }

    /// Reads the file, puts `--set` over it, and finds everything that does not hold. A path that leads
    /// nowhere is empty afterwards.
    ///
    /// # Errors
    /// A file that cannot be read or is no run file: of the rest nothing can be said then.
    pub(super) fn examine(entry: &Entry, options: &TrainOptions) -> Result<(Self, Vec<Error>)> {
        let name = options.file.display().to_string();
        let text =
            std::fs::read_to_string(&options.file).map_err(|why| Error::reading(&options.file, why))?;
        let (mut file, mut recipe) = understood(entry, &text, &name)?;
        let mut wrong = Vec::new();
        for word in &options.set {
            wrong.extend(overlay::set(recipe.as_mut(), &mut file, word).err());
        }
        if options.dry_run {
            file.steps = 1;
        }
        wrong.extend(file.faults(&name));
        wrong.extend(recipe.faults().iter().map(|fault| explain(fault, &text, &name, &options.set)));
        wrong.extend(too_many(recipe.as_ref(), file.batch, &name));
        if options.other_recipe {
            let weighted = |name: &str| entry.plan.teachers.iter().any(|t| t.name == name && t.is("Frozen"));
            file.teachers.retain(|name, _| weighted(name));
            file.servers.retain(|name, _| served(&entry.plan).any(|teacher| teacher.name == name));
        }
        wrong.extend(seats_fit(&entry.plan, &file.servers));
        make_absolute(&mut file, options.file.parent(), &mut wrong);
        let (judges, unfit) = chosen(&file.verifiers, &name);
        wrong.extend(unfit);
        let effective = effective(entry.name, recipe.as_ref(), &file).map_err(|why| why.at(&name))?;
        Ok((Self { entry: *entry, recipe, file, name, effective, judges }, wrong))
    }

    /// The rows to train on, and what messages call them.
    ///
    /// # Errors
    /// A file that cannot be read, a row that does not fit.
    pub fn rows(&self) -> Result<(Vec<Row>, String)> {
        let RunFile { data, columns, tasks, scenes, .. } = &self.file;
        let name = if tasks.is_some() { "tasks" } else { "scenes" };
        let built_in = BuiltIn { tasks: tasks.as_ref(), scenes: scenes.as_ref(), name };
        rows_of(&self.file, data.as_deref().map(|path| (path, columns)), built_in)
    }

    /// The held-out prompts, if the run has some.
    ///
    /// # Errors
    /// A file that cannot be read, a row that does not fit.
    pub fn held_out(&self) -> Result<Option<Evaluation>> {
        let Some(eval) = &self.file.eval else { return Ok(None) };
        let columns = eval.columns.as_ref().unwrap_or(&self.file.columns);
        let data = eval.data.as_deref().map(|path| (path, columns));
        let name = if eval.tasks.is_some() { "eval.tasks" } else { "eval.scenes" };
        let built_in = BuiltIn { tasks: eval.tasks.as_ref(), scenes: eval.scenes.as_ref(), name };
        let (rows, name) = rows_of(&self.file, data, built_in)?;
        let sample = eval.sample(self.recipe.as_ref(), &rows);
        Ok(Some(Evaluation { rows, name, every: eval.every, sample, judges: self.judges.clone() }))
    }

    /// Both, read once.
    ///
    /// # Errors
    /// A file that cannot be read, a row that does not fit.
    pub fn data(&self) -> Result<RunData> {
        let (rows, name) = self.rows()?;
        Ok(RunData { rows, name, held_out: self.held_out()? })
    }

    /// The run, ready for the loop.
    pub fn run(
        &self,
        data: RunData,
        directory: Option<RunDirectory>,
        checkpoint: Option<PathBuf>,
        hashes: Vec<(String, String)>,
        quiet: bool,
    ) -> Run {
        let style = if quiet { ProgressStyle::Hidden } else { ProgressStyle::Auto };
        let start = checkpoint.as_deref().and_then(step_of).unwrap_or(0);
        Run {
            seed: self.file.seed,
            steps: self.file.steps,
            batch: self.file.batch,
            micro_batch: self.file.micro_batch,
            save_every: self.file.save_every,
            rows: data.rows,
            rows_name: data.name,
            placement: self.placement(),
            judges: self.judges.clone(),
            held_out: data.held_out.map(Arc::new),
            directory,
            checkpoint,
            progress: Arc::new(Mutex::new(Progress::new(self.file.steps, start, style))),
            effective: self.effective.clone(),
            hashes,
            left: Arc::default(),
        }
    }

    /// Where privileged text stands in a teacher's prompt.
    pub(super) fn placement(&self) -> Arc<Placement> {
        Arc::new(self.file.privileged.clone())
    }

    /// A whole number among the settings of a stage.
    pub(super) fn number(&self, stage: &str, name: &str) -> Option<usize> {
        number(self.recipe.as_ref(), stage, name)
    }

    /// The fingerprints of plan, loop, run, model folders and data, which every file of the run carries.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn hashes(&self) -> Result<Vec<(String, String)>> {
        let held_out = self.file.eval.as_ref().and_then(|eval| eval.data.as_ref());
        let hashes = [
            ("plan", self.entry.plan.hash()),
            ("loop", fingerprint(self.entry.loop_text.as_bytes())),
            ("run", fingerprint(wherever_servers_are(&self.effective).as_bytes())),
            ("data", of_files(self.file.data.iter().chain(held_out))?),
            ("student", of_model(&self.file.student)?),
        ];
        let teachers = self.file.teachers.iter();
        let teachers = teachers.map(|(seat, folder)| Ok((format!("{TEACHER}{seat}"), of_model(folder)?)));
        hashes.map(|(what, hash)| Ok((what.to_string(), hash))).into_iter().chain(teachers).collect()
    }
}

/// Reads a run file of the recipe `entry`: its own fields, and the settings it gives.
///
/// # Errors
/// The first thing that does not hold, at its line and column.
pub fn read_for(entry: &Entry, text: &str, name: &str) -> Result<RunFile> {
    understood(entry, text, name).map(|(file, _)| file)
}

fn understood(entry: &Entry, text: &str, name: &str) -> Result<(RunFile, Box<dyn AnyRecipe>)> {
    let file = RunFile::read(text, name)?;
    let mut recipe = (entry.default)();
    overlay::settings(recipe.as_mut(), text, name)?;
    Ok((file, recipe))
}

impl EvalFile {
    /// Answers are as long as the file says, or as in training; where the student imitates references there, as the
    /// longest of `rows` can be: a token is a byte at least, and the end is one.
    fn sample(&self, recipe: &dyn AnyRecipe, rows: &[Row]) -> Sample {
        let longest =
            || rows.iter().map(|row| Some(row.reference.as_ref()?.len() + 1)).collect::<Option<Vec<_>>>();
        let limit = number(recipe, "rollout", "max_response_tokens")
            .or_else(|| longest().filter(|_| recipe.facts().reads_references)?.into_iter().max());
        let default = <Sample as crate::settings::Settings>::DEFAULT;
        Sample {
            group_size: self.samples,
            temperature: self.temperature,
            max_response_tokens: self.max_response_tokens.or(limit).unwrap_or(default.max_response_tokens),
            ..default
        }
    }
}

pub(super) fn step_of(checkpoint: &Path) -> Option<u64> {
    checkpoint.file_name()?.to_str()?.strip_prefix("step-")?.parse().ok()
}

/// A fault of the settings as an error, at the `--set` that made it, or at its place in the file when it stands there.
fn explain(fault: &Fault, text: &str, name: &str, set: &[String]) -> Error {
    let key = format!("{}.{}", fault.stage, fault.field);
    let sets = |word: &&String| word.split_once('=').is_some_and(|(field, _)| field.trim() == key);
    if let Some(word) = set.iter().rfind(sets) {
        return Error::call(fault.says).at(format!("--set {word}"));
    }
    let place = match place_of(text, fault.stage, fault.field) {
        Some((line, column)) => format!("{name}:{line}:{column}: `{}.{}`", fault.stage, fault.field),
        None if fault.field.is_empty() => format!("{name}: `{}`", fault.stage),
        None => format!("{name}: `{}.{}`", fault.stage, fault.field),
    };
    Error::call(fault.says).at(place)
}

fn number(recipe: &dyn AnyRecipe, stage: &str, name: &str) -> Option<usize> {
    let settings = recipe.settings();
    let (_, list) = settings.iter().find(|(known, _)| *known == stage)?;
    list.iter().find(|setting| setting.name == name)?.value.parse().ok()
}

/// More responses a step than could be kept in memory.
fn too_many(recipe: &dyn AnyRecipe, batch: usize, name: &str) -> Option<Error> {
    const MOST: usize = 1 << 22;
    let group = number(recipe, "rollout", "group_size")?;
    (batch.saturating_mul(group) > MOST).then(|| {
        Error::call(format!("{batch} prompts with {group} responses each are more than {MOST} a step"))
            .at(format!("{name}, `batch`"))
            .next("lower `batch` or `rollout.group_size`")
    })
}

/// Where a setting stands in a run file: inside its stage, which is inside `set`.
fn place_of(text: &str, stage: &str, field: &str) -> Option<(usize, usize)> {
    let inside_set = word_at(text, "set", 0)?;
    let start = word_at(text, stage, inside_set)?;
    let at = word_at(text, field, start)?;
    let mut open = 0;
    for (place, letter) in text[start..at].char_indices() {
        match letter {
            '(' => open += 1,
            ')' => open -= 1,
            _ => {}
        }
        if place > 0 && letter == ')' && open == 0 {
            return None; // the stage has ended before the field
        }
    }
    Some(line_and_column(text, at))
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

fn make_absolute(file: &mut RunFile, beside: Option<&Path>, wrong: &mut Vec<Error>) {
    let mut seek = |path: &mut PathBuf, field: &str| {
        *path = find(path, beside, field).unwrap_or_else(|why| {
            wrong.push(why);
            PathBuf::new()
        });
    };
    seek(&mut file.student, "student");
    for (name, path) in &mut file.teachers {
        seek(path, &format!("teachers.{name}"));
    }
    if let Some(path) = &mut file.data {
        seek(path, "data");
    }
    if let Some(path) = file.eval.as_mut().and_then(|eval| eval.data.as_mut()) {
        seek(path, "eval.data");
    }
}

#[cfg(test)]
mod tests {
    use super::place_of;

    #[test]
    fn a_setting_is_found_in_its_own_stage() {
        let text = "Run(\n  data: \"samples\", eval: (samples: 1),\n  set: (rollout: (top_k: 2), data: (samples: 0)),\n)";
        assert_eq!(place_of(text, "data", "samples"), Some((3, 37)));
        assert_eq!(place_of(text, "rollout", "top_k"), Some((3, 19)));
        assert_eq!(place_of(text, "rollout", "samples"), None);
        assert_eq!(place_of("Run(eval: (samples: 1))", "data", "samples"), None);
    }
}
