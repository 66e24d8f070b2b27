//! A run as the loop sees it.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use serde::de::DeserializeOwned;
use serde::Serialize;

use super::checkpoint;
use super::directory::{write_whole, RunDirectory};
use super::left::Left;
use crate::batch::Prompt;
use crate::error::{Error, Result};
use crate::log::{Log, Metrics, Progress, ProgressStyle, Side};
use crate::privileged::{self, Placement, Seen};
use crate::run::evaluate::Evaluation;
use crate::stages::data::Feed;
use crate::stages::step::Optimiser;
use crate::world::rows::Row;
use crate::world::verifier::{Judges, Verifier};
use crate::world::World;

/// A run as the loop sees it: how long, how wide, on what, and where it is written.
pub struct Run {
    /// The seed of everything random.
    pub seed: u64,
    /// How many steps.
    pub steps: u64,
    /// Prompts a step.
    pub batch: usize,
    /// Responses whose gradients are computed at once; 0 takes the whole batch.
    pub micro_batch: usize,
    pub(crate) save_every: u64,
    pub(crate) rows: Vec<Row>,
    /// What messages call the rows.
    pub(crate) rows_name: String,
    /// Where privileged text stands in a teacher's prompt.
    pub(crate) placement: Arc<Placement>,
    /// Who judges responses.
    pub(crate) judges: Judges,
    pub(crate) held_out: Option<Arc<Evaluation>>,
    pub(crate) directory: Option<RunDirectory>,
    pub(crate) checkpoint: Option<PathBuf>,
    pub(crate) progress: Arc<Mutex<Progress>>,
    /// The effective run, as RON.
    pub(crate) effective: String,
    /// What every file of the run carries: the plan's and the run's fingerprints.
    pub(crate) hashes: Vec<(String, String)>,
    /// What the loop left when it ended.
    pub(crate) left: Arc<Mutex<Left>>,
}

/// What a finished run has to say.
#[derive(Clone, Debug)]
pub struct Report {
    /// How many steps were made.
    pub steps: u64,
    /// The numbers of every step of this process.
    pub metrics: Vec<(u64, Metrics)>,
    /// How long the loop took, in seconds.
    pub seconds: f64,
}

impl Run {
    /// A run in code, without a run file: `steps` steps of `batch` prompts drawn from `rows`, with seed
    /// 0, the whole batch at once, no look at held-out prompts, no progress, and nothing written.
    ///
    /// ```
    /// use limbeck::run::Run;
    /// use limbeck::tasks::{generate, TaskSpec};
    /// # fn main() -> limbeck::Result<()> {
    /// let mut run = Run::new(generate(&TaskSpec::default())?, 100, 16);
    /// run.seed = 7;
    /// run.micro_batch = 8;
    /// # Ok(())
    /// # }
    /// ```
    pub fn new(rows: Vec<Row>, steps: u64, batch: usize) -> Self {
        Self {
            seed: 0,
            steps,
            batch,
            micro_batch: 0,
            save_every: 0,
            rows,
            rows_name: "rows".to_string(),
            placement: Arc::default(),
            judges: Judges::default(),
            held_out: None,
            directory: None,
            checkpoint: None,
            progress: Arc::new(Mutex::new(Progress::new(steps, 0, ProgressStyle::Hidden))),
            effective: "// made in code: there is no run file\n".to_string(),
            hashes: Vec::new(),
            left: Arc::default(),
        }
    }

    /// The same run, with what only teachers read put there in their prompts.
    #[must_use]
    pub fn with_privileged(mut self, placement: Placement) -> Self {
        self.placement = Arc::new(placement);
        self
    }

    /// The same run, with `verifier` for the rows of `domain`.
    #[must_use]
    pub fn judged_by(mut self, domain: &str, verifier: impl Verifier + 'static) -> Self {
        self.judges = self.judges.with(domain, Arc::new(verifier));
        self
    }

    /// The same run, written to `directory`: its numbers, and a checkpoint every `every` steps (0: only
    /// at the end).
    #[must_use]
    pub fn saved_in(mut self, directory: RunDirectory, every: u64) -> Self {
        (self.directory, self.save_every) = (Some(directory), every);
        self
    }

    /// The rows as prompts of this world's student.
    ///
    /// # Errors
    /// A row that does not fit, by its place.
    pub fn prompts<W: World>(&self, world: &W) -> Result<Vec<Arc<Prompt>>> {
        prompts(self.rows.iter().enumerate(), &self.rows_name, world.student(), &self.placement, &self.judges)
    }

    /// Whether a checkpoint is due after step `it`.
    pub fn due(&self, it: u64) -> bool {
        self.directory.is_some()
            && (it + 1 == self.steps || (self.save_every > 0 && (it + 1).is_multiple_of(self.save_every)))
    }

    /// The step to start from: 0, or where the checkpoint stands, with everything as it was then.
    ///
    /// # Errors
    /// A checkpoint that is damaged or belongs to another run.
    pub fn resume<W: World>(
        &self,
        data: &mut Feed,
        step: &mut Optimiser<W::Device>,
        world: &mut W,
        log: &mut Log,
    ) -> Result<u64> {
        data.leave_in(&self.left);
        step.leave_in(&self.left);
        match &self.checkpoint {
            None => log.restart_after(0).map(|()| 0),
            Some(folder) => checkpoint::restore(folder, data, step, world, log),
        }
    }

    /// The student as the checkpoint has it, and nothing else of the checkpoint.
    pub(super) fn take_weights<W: World>(&self, world: &mut W) -> Result<()> {
        match &self.checkpoint {
            None => Ok(()),
            Some(folder) => checkpoint::take_weights(folder, world),
        }
    }

    /// Writes a checkpoint after step `it`, whole or not at all.
    ///
    /// # Errors
    /// A full disk, say; earlier checkpoints are intact.
    pub fn save<W: World>(
        &self,
        it: u64,
        data: &Feed,
        step: &Optimiser<W::Device>,
        world: &W,
        log: &mut Log,
    ) -> Result<()> {
        match &self.directory {
            None => Ok(()),
            Some(directory) => {
                let start = std::time::Instant::now();
                checkpoint::save(directory, it, data.state(), &step.moments, world, &self.hashes)?;
                log.time("checkpoint", start);
                Ok(())
            }
        }
    }

    /// Removes all but the latest `keep` checkpoints.
    pub(crate) fn forget_all_but(&self, keep: usize) -> Result<()> {
        match &self.directory {
            None => Ok(()),
            Some(directory) => checkpoint::forget_all_but(directory, keep),
        }
    }

    /// Tells the user something.
    pub fn say(&self, text: &str) {
        if let Ok(progress) = self.progress.lock() {
            progress.println(text);
        }
    }

    /// Progress of work beside the steps.
    pub fn side(&self, title: &str, total: usize) -> Side {
        side(&self.progress, title, total)
    }

    /// Keeps something in the run directory.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn keep<T: Serialize>(&self, name: &str, value: &T) -> Result<()> {
        let Some(directory) = &self.directory else { return Ok(()) };
        let text = serde_json::to_string(value)
            .map_err(|why| Error::run(format!("`{name}` cannot be written: {why}")))?;
        write_whole(&directory.path(name), text.as_bytes())
    }

    /// What was kept in the run directory under this name.
    ///
    /// # Errors
    /// A file that is damaged.
    pub fn recall<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        self.directory.as_ref().map_or(Ok(None), |directory| directory.recall(name))
    }
}

/// Progress of work beside the steps.
pub(crate) fn side(progress: &Mutex<Progress>, title: &str, total: usize) -> Side {
    let progress = progress.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    progress.side(title, total as u64)
}

/// Rows as prompts under the tokenizer of `student`.
///
/// # Errors
/// A row that does not fit: unknown characters, longer than the model's context.
pub(crate) fn prompts<'a, D: crate::tensor::Device>(
    rows: impl Iterator<Item = (usize, &'a Row)>,
    name: &str,
    student: &crate::world::Policy<D>,
    placement: &Arc<Placement>,
    judges: &Judges,
) -> Result<Vec<Arc<Prompt>>> {
    let placed = |(index, row)| {
        let prompt = prompt_of(index, row, name, student, judges)?;
        Ok(Arc::new(Prompt { placement: Arc::clone(placement), ..prompt }))
    };
    rows.map(placed).collect()
}

/// What the student reads for a row, where it can.
pub(crate) fn read_plainly<D: crate::tensor::Device>(
    row: &Row,
    student: &crate::world::Policy<D>,
) -> Option<Vec<u32>> {
    let read = privileged::context(student, row, None, &Placement::default());
    read.ok().map(|seen| seen.tokens).filter(|tokens| !tokens.is_empty())
}

/// One row as a prompt; `name` is what messages call its source.
pub(super) fn prompt_of<D: crate::tensor::Device>(
    index: usize,
    row: &Row,
    name: &str,
    student: &crate::world::Policy<D>,
    judges: &Judges,
) -> Result<Prompt> {
    let context = student.decoder.config().max_position_embeddings;
    let place = || format!("{name}, row {}", index + 1);
    let Seen { text, tokens, sights } =
        privileged::context(student, row, None, &Placement::default()).map_err(|why| why.or_at(place()))?;
    if tokens.is_empty() {
        return Err(Error::call("the prompt has no tokens").at(place()).next("remove the row"));
    }
    if tokens.len() >= context {
        return Err(Error::call(format!(
            "the prompt has {} tokens and the model's context is {context}",
            tokens.len()
        ))
        .at(place())
        .next("shorten or remove the row: a response needs room too"));
    }
    let reference = match &row.reference {
        None => None,
        Some(text) => {
            let mut ids = student.tokenizer.encode(text).map_err(|why| why.or_at(place()))?;
            ids.extend(student.eos().first());
            if tokens.len() + ids.len() > context {
                return Err(Error::call(format!(
                    "prompt and reference have {} tokens together and the model's context is {context}",
                    tokens.len() + ids.len()
                ))
                .at(place())
                .next("shorten or remove the row"));
            }
            Some(ids)
        }
    };
    let verifier = judges.of(&row.domain);
    let (row, placement) = (row.clone(), Arc::default());
    Ok(Prompt { index, tokens, text, reference, sights, row, verifier, placement })
}
