//! What the verbs `train`, `resume` and `replay` do for one recipe.

use std::path::{Path, PathBuf};

use super::before_after::{answers, example, look_after, look_before, table, After, Before, AFTER};
use super::checkpoint::{hashes_of, latest};
use super::directory::RunDirectory;
use super::evaluate::Evaluation;
use super::file::{Place, RunFile};
use super::fingerprints::{must_be_the_same, read_hashes, write_hashes, IMAGES};
use super::finish::write_report;
use super::overlay;
use super::prepare::{step_of, Prepared, RunData, TrainOptions};
use super::ready::must_be_ready;
use super::state::Run;
use crate::entry::Entry;
use crate::entry::{AnyRecipe, Trains};
use crate::error::{Error, Result};
use crate::log::{Answers, Table};
use crate::models::LossScale;
use crate::plan::Resolved;
use crate::replay::{Recorded, Replay};
use crate::tensor::{accelerator, Cpu, Device, Precision};
use crate::world::tokenizer::Chat;
use crate::world::{FromFiles, World};

/// What a finished run shows.
pub struct Shown {
    /// Who was how good, before and after.
    pub table: Option<Table>,
    /// One prompt that was wrong before and right after: prompt, before, after.
    pub example: Option<(String, String, String)>,
    /// What the student said to held-out prompts, before and after.
    pub answers: Answers,
    /// Where the run directory is.
    pub directory: Option<PathBuf>,
    /// How long the loop took, in seconds.
    pub seconds: f64,
    /// How many steps.
    pub steps: u64,
    /// Whether the run had made all its steps before, so that nothing was trained now.
    pub finished_before: bool,
}

/// Trains as a run file says.
///
/// # Errors
/// A file that is wrong (exit 2), a run that failed (exit 1).
pub fn train(entry: &Entry, options: &TrainOptions) -> Result<Shown> {
    let prepared = Prepared::read(entry, options)?;
    match prepared.file.device {
        Place::Cpu => train_on(&Cpu::default(), entry, prepared, options),
        Place::Cuda(ordinal) => {
            train_on(&accelerator(ordinal, prepared.file.precision)?, entry, prepared, options)
        }
    }
}

fn train_on<D: Device>(device: &D, entry: &Entry, prepared: Prepared, options: &TrainOptions) -> Result<Shown>
where
    dyn AnyRecipe: Trains<D>,
{
    let world = open_world(&prepared, device)?;
    let data = prepared.data()?;
    let mut world = with_servers(&prepared, &data, world)?;
    // everything is looked at before the run directory is made: what is wrong leaves nothing behind
    must_be_ready(&prepared, &data, &world)?;
    let stem = options
        .file
        .file_stem()
        .map_or_else(|| "run".to_string(), |stem| stem.to_string_lossy().into_owned());
    let stem = if options.other_recipe { format!("{stem}-{}", entry.name) } else { stem };
    let asked = options.out.as_deref().or(prepared.file.out.as_deref());
    let directory = if options.dry_run { None } else { Some(RunDirectory::create(asked, &stem)?) };
    let mut hashes = prepared.hashes()?;
    hashes.extend(data.images_fingerprint());
    hashes.extend(world.served_fingerprint());
    if let Some(directory) = &directory {
        directory.write("run.ron", &prepared.effective).inspect_err(|_| directory.forget())?;
        write_hashes(directory, &hashes)?;
    }
    let run = prepared.run(data, directory, None, hashes, options.quiet);
    if world.servers().next().is_some() {
        run.keep(MARKS, &world.marks())?;
    }
    go(&prepared, &run, &mut world)
}

/// Goes on with a run from its latest checkpoint; one without any starts again.
///
/// # Errors
/// A directory without a run, a plan that changed since, a damaged checkpoint.
pub fn resume(entry: &Entry, root: &Path, quiet: bool) -> Result<Shown> {
    let directory = RunDirectory::existing(root)?;
    let options = TrainOptions { file: directory.path("run.ron"), quiet, ..TrainOptions::default() };
    let prepared = Prepared::read(entry, &options)?;
    let checkpoint = latest(&directory)?;
    let then = match &checkpoint {
        Some(folder) => hashes_of(folder)?,
        None => read_hashes(&directory)?,
    };
    let plan = entry.plan.with_settings(prepared.recipe.settings());
    // images are read with the rows, and who answers from elsewhere is asked last: files are at hand
    let (served, here): (Vec<_>, Vec<_>) = then.into_iter().partition(|(what, _)| what == "servers");
    let (shown, here): (Vec<_>, Vec<_>) = here.into_iter().partition(|(what, _)| what == IMAGES);
    let hashes = prepared.hashes()?;
    must_be_the_same(&here, &hashes, &directory, &plan)?;
    let state = Stopped { directory, checkpoint, plan, hashes, shown, served };
    match prepared.file.device {
        Place::Cpu => go_on(&Cpu::default(), prepared, state, quiet),
        Place::Cuda(ordinal) => {
            go_on(&accelerator(ordinal, prepared.file.precision)?, prepared, state, quiet)
        }
    }
}

/// Where a run stands that is to go on.
struct Stopped {
    directory: RunDirectory,
    checkpoint: Option<PathBuf>,
    plan: Resolved,
    hashes: Vec<(String, String)>,
    shown: Vec<(String, String)>,
    served: Vec<(String, String)>,
}

fn go_on<D: Device>(device: &D, prepared: Prepared, state: Stopped, quiet: bool) -> Result<Shown>
where
    dyn AnyRecipe: Trains<D>,
{
    let Stopped { directory, checkpoint, plan, mut hashes, shown, served } = state;
    let mut world = open_world(&prepared, device)?;
    let data = prepared.data()?;
    hashes.extend(data.images_fingerprint());
    must_be_the_same(&shown, &hashes, &directory, &plan)?;
    let done = checkpoint.as_deref().and_then(step_of).unwrap_or(0);
    if done >= prepared.file.steps {
        must_be_ready(&prepared, &data, &world)?;
        directory.sweep();
        hashes.extend(served);
        let run = prepared.run(data, Some(directory), checkpoint, hashes, quiet);
        return finished(&prepared, &run, &mut world);
    }
    world = with_servers(&prepared, &data, world)?;
    hashes.extend(world.served_fingerprint());
    must_be_the_same(&served, &hashes, &directory, &plan)?;
    must_be_ready(&prepared, &data, &world)?;
    directory.sweep();
    let run = prepared.run(data, Some(directory), checkpoint, hashes, quiet);
    if let Some(marks) = run.recall(MARKS)? {
        world.must_be(&marks)?;
    }
    go(&prepared, &run, &mut world)
}

/// The recipe's decisions on recorded rollouts.
///
/// # Errors
/// A recording that does not hold, a setting that does not exist.
pub fn replay(entry: &Entry, rollouts: &Path, set: &[String], seed: u64) -> Result<Replay> {
    let mut recipe = (entry.default)();
    for word in set {
        if !overlay::set(recipe.as_mut(), &mut RunFile::default(), word)? {
            return Err(Error::call("a replay has no run: only settings of stages can be set")
                .at(format!("--set {word}"))
                .next("write --set stage.field=VALUE, for example --set calibrate.delta=0.2"));
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
pub fn held_out(entry: &Entry, options: &TrainOptions) -> Result<HeldOut> {
    let prepared = Prepared::read(entry, options)?;
    let held_out = prepared.held_out()?;
    let RunFile { student, seed, chat, .. } = prepared.file;
    Ok(HeldOut { student, held_out, seed, chat })
}

/// What `limbeck eval RUN.ron` looks at.
pub struct HeldOut {
    /// The student's model folder.
    pub student: PathBuf,
    /// The held-out prompts, if the run has some.
    pub held_out: Option<Evaluation>,
    /// The seed.
    pub seed: u64,
    /// What its chats are told.
    pub chat: Option<Chat>,
}

/// By what the teachers behind servers are known again.
const MARKS: &str = "servers.json";

/// The same world with the servers of its teachers.
fn with_servers<D: Device>(prepared: &Prepared, data: &RunData, world: FromFiles<D>) -> Result<FromFiles<D>> {
    if prepared.file.servers.is_empty() {
        return Ok(world);
    }
    world.with_servers(&prepared.entry.plan, &prepared.file.servers, &data.rows)
}

pub(crate) fn open_world<D: Device>(prepared: &Prepared, device: &D) -> Result<FromFiles<D>> {
    let file = &prepared.file;
    let world = FromFiles::open(&prepared.entry.plan, &file.student, &file.teachers, device)?;
    settled(prepared, world)
}

/// The world as the run file wants it: how fast teachers follow, what chats are told, how much of the student
/// learns, what its backward pass keeps, and how its losses are scaled.
pub(super) fn settled<D: Device>(prepared: &Prepared, world: FromFiles<D>) -> Result<FromFiles<D>> {
    let RunFile { chat, lora, freeze, seed, activation_checkpointing, .. } = &prepared.file;
    let world = world.tuned(&prepared.recipe.settings()).chatting(chat.as_ref())?;
    let mut world = match lora {
        Some(lora) => world.with_lora(lora, *seed)?,
        None => world,
    };
    world.student_mut().decoder.freeze(freeze)?;
    world.student_mut().decoder.checkpoint_activations(*activation_checkpointing);
    if prepared.file.precision == Precision::F16 {
        world.student_mut().decoder.scale_losses(Some(LossScale::default()));
    }
    Ok(world)
}

fn go<D: Device>(prepared: &Prepared, run: &Run, world: &mut FromFiles<D>) -> Result<Shown>
where
    dyn AnyRecipe: Trains<D>,
{
    let before = look_before(&prepared.entry.plan, run, world)?;
    let report = Trains::<D>::train(&*prepared.recipe, run, world).map_err(|why| run.rescue(why, world))?;
    run.let_go();
    let mut shown = Shown::of(run, report.seconds);
    if let (Some(before), Some(held_out)) = (before, &run.held_out) {
        let after = look_after(run, held_out, world)?;
        run.keep(AFTER, &after)?;
        shown.compare(&before, &after, held_out)?;
    }
    write_report(prepared, run, world, &shown)?;
    Ok(shown)
}

/// What a run shows that has made all its steps before.
fn finished<D: Device>(prepared: &Prepared, run: &Run, world: &mut FromFiles<D>) -> Result<Shown> {
    let reported = run.directory.as_ref().is_some_and(|directory| directory.path("report.html").is_file());
    let mut shown = Shown { finished_before: true, ..Shown::of(run, 0.0) };
    if let (Some(before), Some(held_out)) = (look_before(&prepared.entry.plan, run, world)?, &run.held_out) {
        let known: Option<After> = run.recall(AFTER)?;
        let after = match known.filter(|_| reported) {
            Some(after) => after,
            None => {
                run.take_weights(world)?;
                look_after(run, held_out, world)?
            }
        };
        shown.compare(&before, &after, held_out)?;
    }
    if !reported {
        write_report(prepared, run, world, &shown)?;
    }
    Ok(shown)
}

impl Shown {
    fn of(run: &Run, seconds: f64) -> Self {
        Self {
            table: None,
            example: None,
            answers: Answers::default(),
            directory: run.directory.as_ref().map(|directory| directory.root().to_path_buf()),
            seconds,
            steps: run.steps,
            finished_before: false,
        }
    }

    fn compare(&mut self, before: &Before, after: &After, held_out: &Evaluation) -> Result<()> {
        self.table = Some(table(before, &after.accuracy));
        self.example = example(before, after);
        self.answers = answers(before, after, held_out)?;
        Ok(())
    }
}
