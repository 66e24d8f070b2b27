//! What the verbs `train`, `resume` and `replay` do for one recipe.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::checkpoint::{hashes_of, latest};
use super::directory::RunDirectory;
use super::evaluate::{evaluate, Answer, Evaluation};
use super::prepare::{Prepared, TrainOptions};
use super::state::{side, Report, Run};
use crate::error::{Error, Result};
use crate::log::{read_metrics, Accuracy, ReportData, Table};
use crate::recipe::Recipe;
use crate::replay::{Recorded, Replay};
use crate::tensor::Cpu;
use crate::world::{FromFiles, Policy, World};

/// What a finished run shows.
pub struct Shown {
    /// Who was how good, before and after.
    pub table: Option<Table>,
    /// One prompt that was wrong before and right after: prompt, before, after.
    pub example: Option<(String, String, String)>,
    /// Where the run directory is.
    pub directory: Option<PathBuf>,
    /// How long the loop took, in seconds.
    pub seconds: f64,
    /// How many steps.
    pub steps: u64,
}

/// How good the student and its teachers were before the run; kept for a resumed run.
#[derive(Serialize, Deserialize)]
struct Before {
    student: ByDomain,
    teachers: Vec<(String, ByDomain)>,
    answers: Vec<(String, String, Option<bool>)>,
}

type ByDomain = BTreeMap<String, Accuracy>;

/// Trains as a run file says.
///
/// # Errors
/// A file that is wrong (exit 2), a run that failed (exit 1).
pub fn train<R: Recipe>(options: &TrainOptions) -> Result<Shown> {
    let prepared = Prepared::<R>::read(options)?;
    let mut world = open_world(&prepared)?;
    // the prompts are read before the run directory is made: what is wrong leaves nothing behind
    let (rows, name) = prepared.rows()?;
    super::prepare::must_be_taught::<R>(&rows, &name)?;
    super::state::prompts(&rows, &name, world.student(), &Default::default())?;
    drop(rows);
    let stem = options
        .file
        .file_stem()
        .map_or_else(|| "run".to_string(), |stem| stem.to_string_lossy().into_owned());
    let stem = if options.other_recipe { format!("{stem}-{}", R::NAME) } else { stem };
    let asked = options.out.as_deref().or(prepared.file.out.as_deref());
    let directory = if options.dry_run { None } else { Some(RunDirectory::create(asked, &stem)?) };
    if let Some(directory) = &directory {
        directory.write("run.ron", &prepared.effective)?;
    }
    let run = prepared.run(directory, None, options.quiet)?;
    go(&prepared, &run, &mut world)
}

/// Goes on with a run from its latest checkpoint.
///
/// # Errors
/// A directory without a run, a plan that changed since, a damaged checkpoint.
pub fn resume<R: Recipe>(root: &Path, quiet: bool) -> Result<Shown> {
    let directory = RunDirectory::existing(root)?;
    let options = TrainOptions { file: directory.path("run.ron"), quiet, ..TrainOptions::default() };
    let prepared = Prepared::<R>::read(&options)?;
    let checkpoint = latest(&directory)?;
    if let Some(folder) = &checkpoint {
        for (what, then) in hashes_of(folder)? {
            let now = prepared.hashes().into_iter().find(|(name, _)| *name == what).map(|(_, hash)| hash);
            if now.as_deref() != Some(then.as_str()) {
                return Err(Error::call(format!(
                    "the {what} is not the one this run was started under (then {then}, now {})",
                    now.unwrap_or_default()
                ))
                .at(folder.display())
                .next(format!(
                    "compare {} with what `limbeck show {} --plan` prints now, or start a new run",
                    directory.path("plan.ron").display(),
                    R::NAME
                )));
            }
        }
    }
    let mut world = open_world(&prepared)?;
    let run = prepared.run(Some(directory), checkpoint, quiet)?;
    go(&prepared, &run, &mut world)
}

/// The recipe's decisions on recorded rollouts.
///
/// # Errors
/// A recording that does not hold, a setting that does not exist.
pub fn replay<R: Recipe>(rollouts: &Path, set: &[String], seed: u64) -> Result<Replay> {
    let mut recipe = R::DEFAULT;
    for word in set {
        match super::overlay::set_in_replay::<R::Patch>(word)? {
            Some(patch) => recipe.apply(patch),
            None => {
                return Err(Error::call("a replay has no run: only settings of stages can be set")
                    .at(format!("--set {word}"))
                    .next("write --set stage.field=VALUE, for example --set calibrate.delta=0.2"))
            }
        }
    }
    // a recording has the groups it has: checks across stages that concern sampling do not apply
    if let Some(fault) = recipe.faults().into_iter().find(|fault| fault.stage != "rollout") {
        return Err(Error::call(fault.says).at(format!("`{}.{}`", fault.stage, fault.field)));
    }
    recipe.replay(Recorded::open(rollouts, seed)?)
}

/// The student, the held-out prompts and the seed of a run file.
///
/// # Errors
/// What does not hold, at its place.
pub fn held_out<R: Recipe>(options: &TrainOptions) -> Result<HeldOut> {
    let prepared = Prepared::<R>::read(options)?;
    let held_out = prepared.held_out()?;
    Ok(HeldOut { student: prepared.file.student, held_out, seed: prepared.file.seed })
}

/// What `limbeck eval RUN.ron` looks at.
pub struct HeldOut {
    /// The student's model folder.
    pub student: PathBuf,
    /// The held-out prompts, if the run has some.
    pub held_out: Option<Evaluation>,
    /// The seed.
    pub seed: u64,
}

pub(crate) fn open_world<R: Recipe>(prepared: &Prepared<R>) -> Result<FromFiles<Cpu>> {
    FromFiles::open(
        &R::PLAN,
        &prepared.recipe.settings(),
        &prepared.file.student,
        &prepared.file.teachers,
        &Cpu::default(),
    )
}

fn go<R: Recipe>(prepared: &Prepared<R>, run: &Run, world: &mut FromFiles<Cpu>) -> Result<Shown> {
    let before = look_before(run, world)?;
    let report = prepared.recipe.train(run, world)?;
    let mut shown = Shown {
        table: None,
        example: None,
        directory: run.directory.as_ref().map(|directory| directory.root().to_path_buf()),
        seconds: report.seconds,
        steps: report.steps,
    };
    if let (Some(before), Some(held_out)) = (before, &run.held_out) {
        let (after, answers) = look(run, held_out, world.student(), "student after")?;
        shown.table = Some(table(&before, &after));
        shown.example = example(&before.answers, &answers);
    }
    write_report(prepared, run, &report, &shown)?;
    Ok(shown)
}

fn look_before(run: &Run, world: &FromFiles<Cpu>) -> Result<Option<Before>> {
    let Some(held_out) = &run.held_out else { return Ok(None) };
    if let Some(known) = run.recall("before.json")? {
        return Ok(Some(known));
    }
    let (student, answers) = look(run, held_out, world.student(), "student before")?;
    let mut teachers = Vec::new();
    for (name, policy) in world.teachers() {
        teachers.push((name.to_string(), look(run, held_out, policy, &titled(name))?.0));
    }
    let answers = answers.into_iter().map(|a| (a.prompt, a.response, a.correct)).collect();
    let before = Before { student, teachers, answers };
    run.keep("before.json", &before)?;
    Ok(Some(before))
}

fn look(
    run: &Run,
    held_out: &Arc<Evaluation>,
    policy: &Policy<Cpu>,
    title: &str,
) -> Result<(ByDomain, Vec<Answer>)> {
    let side = side(&run.progress, &format!("evaluating {title}"), held_out.rows.len());
    let mut found = ByDomain::new();
    let mut answers = Vec::new();
    evaluate(
        policy,
        held_out,
        run.seed,
        |domain, answer| {
            found.entry(domain.to_string()).or_default().count(answer.correct);
            answers.push(answer);
        },
        |done| side.inc(done as u64),
    )?;
    Ok((found, answers))
}

/// A teacher as people call it.
fn titled(name: &str) -> String {
    if name == "teacher" {
        name.to_string()
    } else {
        format!("teacher {name}")
    }
}

fn accuracies(found: &ByDomain, domains: &[String]) -> Vec<Accuracy> {
    domains.iter().map(|domain| found.get(domain).copied().unwrap_or_default()).collect()
}

fn table(before: &Before, after: &ByDomain) -> Table {
    let domains: Vec<String> = after.keys().cloned().collect();
    let mut table = Table::new(domains.clone());
    table.row("student before", &accuracies(&before.student, &domains));
    table.row_against("student after", &accuracies(after, &domains), "student before");
    for (name, found) in &before.teachers {
        table.row(titled(name), &accuracies(found, &domains));
    }
    table
}

fn example(before: &[(String, String, Option<bool>)], after: &[Answer]) -> Option<(String, String, String)> {
    let learnt = |((_, _, then), now): &(&(String, String, Option<bool>), &Answer)| {
        *then == Some(false) && now.correct == Some(true)
    };
    let (then, now) = before.iter().zip(after).find(learnt)?;
    Some((then.0.clone(), then.1.clone(), now.response.clone()))
}

fn write_report<R: Recipe>(prepared: &Prepared<R>, run: &Run, report: &Report, shown: &Shown) -> Result<()> {
    let Some(directory) = &run.directory else { return Ok(()) };
    let metrics = read_metrics(&directory.path("metrics.jsonl"))?;
    let mut settings = Vec::new();
    for (stage, list) in prepared.recipe.settings() {
        let method = R::PLAN
            .method(stage)
            .or_else(|| R::PLAN.teachers.iter().find(|t| t.name == stage).map(|t| t.kind));
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
    ];
    ReportData {
        recipe: R::NAME.to_string(),
        doc: R::DOC.to_string(),
        seed: run.seed,
        steps: run.steps,
        seconds,
        loop_text: R::LOOP.to_string(),
        settings,
        metrics,
        table: shown.table.clone(),
        samples: report.samples.clone(),
        diff: None,
        files: files.iter().map(|(path, what)| ((*path).to_string(), (*what).to_string())).collect(),
        hashes: run.hashes.clone(),
    }
    .write(&directory.path("report.html"))
}
