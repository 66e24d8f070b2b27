//! What a run writes while it trains.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use serde_json::{json, Value};

use super::describe::describe;
use super::shown::shown;
use super::{EventFile, JsonLines, Metrics, Progress};
use crate::batch::Routed;
use crate::capability::Signal;
use crate::dist;
use crate::error::{Error, Result};
use crate::plan::Resolved;
use crate::recipe::Recipe;
use crate::run::{side, Evaluation, Report, Run};
use crate::stages::calibrate::margin::trajectory_return;
use crate::world::World;

/// A masked share above this is worth a warning: the gap mask then removes what is to be learnt.
const MASKED_WARNING: f64 = 0.03;

/// The log of a run: numbers, samples, progress, and the batch to save should a number not be finite.
pub struct Log {
    files: Option<Files>,
    folder: Option<PathBuf>,
    progress: Arc<Mutex<Progress>>,
    now: Metrics,
    since: Instant,
    started: Instant,
    losses: BTreeMap<usize, Losses>,
    batch: Option<Box<dyn Recordable>>,
    history: Vec<(u64, Metrics)>,
    per_step: usize,
    steps: u64,
    seed: u64,
    held_out: Option<Arc<Evaluation>>,
    warned: bool,
}

struct Files {
    metrics: JsonLines,
    samples: JsonLines,
    events: EventFile,
}

/// What every file of a run carries, so that none is taken for another run's.
struct Stamp {
    /// Every fingerprint by name.
    all: String,
    /// One fingerprint of them all, for lines; none for a run made in code.
    hash: Option<String>,
}

impl Stamp {
    fn of(hashes: &[(String, String)]) -> Self {
        let named: Vec<String> = hashes.iter().map(|(what, hash)| format!("{what} {hash}")).collect();
        let all = named.join(", ");
        let hash = (!all.is_empty()).then(|| crate::plan::fingerprint(all.as_bytes()));
        Self { all, hash }
    }

    /// `text` under a comment that names the run.
    fn over(&self, text: &str) -> String {
        match &self.hash {
            Some(hash) => format!("// {hash}: {}\n{text}", self.all),
            None => text.to_string(),
        }
    }
}

/// The weights and the losses of a response's tokens.
type Losses = (Vec<f64>, Vec<f64>);

/// A batch that can be written down.
trait Recordable: Send {
    fn lines(&self) -> Vec<Value>;
}

impl<S: Signal> Recordable for Routed<S> {
    fn lines(&self) -> Vec<Value> {
        (0..self.rollouts().responses_N.len()).map(|i| record(self, i, None)).collect()
    }
}

impl Log {
    /// Opens the log of a run: the run directory's files, the plan and the loop; `samples` rollouts of a
    /// step are written down.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn with_samples<R: Recipe>(run: &Run, recipe: &R, samples: usize) -> Result<Self> {
        let plan = R::PLAN.with_settings(recipe.settings());
        Self::begin(run, R::NAME, R::LOOP, &plan, samples)
    }

    fn begin(run: &Run, name: &str, loop_text: &str, plan: &Resolved, samples: usize) -> Result<Self> {
        let mut files = None;
        if let Some(directory) = &run.directory {
            let stamp = Stamp::of(&run.hashes);
            directory.write("run.ron", &stamp.over(&run.effective))?;
            directory.write("plan.ron", &stamp.over(&plan.to_ron()))?;
            directory.write("loop.rs", &stamp.over(&format!("{loop_text}\n")))?;
            let mut events = EventFile::create(&directory.path("tb"), name, 0)?;
            events.text(0, "hashes", &stamp.all)?;
            let lines = |name: &str| Ok(JsonLines::open(&directory.path(name))?.stamped(stamp.hash.clone()));
            files =
                Some(Files { metrics: lines("metrics.jsonl")?, samples: lines("samples.jsonl")?, events });
        }
        Ok(Self {
            files,
            folder: run.directory.as_ref().map(|directory| directory.root().to_path_buf()),
            progress: Arc::clone(&run.progress),
            now: Metrics::default(),
            since: Instant::now(),
            started: Instant::now(),
            losses: BTreeMap::new(),
            batch: None,
            history: Vec::new(),
            per_step: samples,
            steps: run.steps,
            seed: run.seed,
            held_out: run.held_out.clone(),
            warned: false,
        })
    }

    /// Drops what was written after the first `done` steps: a run that was killed may have gone on
    /// after its last checkpoint.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub(crate) fn restart_after(&mut self, done: u64) -> Result<()> {
        if let Some(files) = &mut self.files {
            files.metrics.truncate_after(done)?;
            files.samples.truncate_after(done)?;
            files.events.restart_at(done + 1)?;
        }
        Ok(())
    }

    /// Sets a number of this step.
    pub fn set(&mut self, name: &str, value: f64) {
        self.now.set(name, value);
    }

    /// Adds to a number of this step.
    pub fn add(&mut self, name: &str, value: f64) {
        self.now.add(name, value);
    }

    /// Adds to a weighted mean of this step.
    pub fn mean(&mut self, name: &str, value: f64, weight: f64) {
        self.now.mean(name, value, weight);
    }

    /// Adds the seconds since `start` to a stage's time.
    pub fn time(&mut self, stage: &str, start: Instant) {
        self.now.add(&format!("{stage}_time"), start.elapsed().as_secs_f64());
    }

    /// Keeps the batch at hand, to be saved should a number not be finite.
    pub(crate) fn remember<S: Signal>(&mut self, batch: &Routed<S>) {
        self.batch = Some(Box::new(batch.clone()));
    }

    /// Keeps the whole weight of one token, and its loss with that weight, for this step's samples.
    pub(crate) fn token_loss(&mut self, response: usize, weight: f64, loss: f64) {
        let (weights, losses) = self.losses.entry(response).or_default();
        weights.push(weight);
        losses.push(loss);
    }

    /// Saves the batch and says what is not finite, at which token.
    pub(crate) fn stop(&self, what: &str, response: usize, token: usize) -> Error {
        self.stop_batch(&format!("{what} at response {response}, token {token}"))
    }

    /// Saves the batch and says what is not finite.
    pub(crate) fn stop_batch(&self, what: &str) -> Error {
        let error = Error::run(what);
        let (Some(folder), Some(batch)) = (&self.folder, &self.batch) else {
            return error.next("lower `step.lr`, or look for damaged weights");
        };
        let path = folder.join("failed-batch.jsonl");
        let text: String = batch.lines().iter().map(|line| format!("{line}\n")).collect();
        match crate::run::write_whole(&path, text.as_bytes()) {
            Ok(()) => error.next(format!(
                "the batch is saved as {}; lower `step.lr`, or look for damaged weights; earlier checkpoints are intact",
                path.display()
            )),
            Err(why) => error.next(format!("the batch could not be saved: {why}")),
        }
    }

    /// Writes one line of numbers, some samples, and, when it is due, a held-out look. What the writing takes is
    /// `log_time` of the line after it, and of no step's time.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn step<S: Signal, W: World>(&mut self, it: u64, routed: &Routed<S>, world: &mut W) -> Result<()> {
        let mut metrics = routed.rollouts().ledger.clone();
        describe(routed, &mut metrics);
        metrics.merge(&self.now);
        let mut metrics = dist::metrics(metrics);
        let seconds = self.since.elapsed().as_secs_f64();
        let tokens = metrics.get("tokens").unwrap_or(0.0);
        metrics.set("step_time", seconds);
        metrics.set("tokens_per_second", tokens / seconds.max(1e-9));
        if let Some(look) = self.look(it, world)? {
            metrics.merge(&look);
        }
        let start = Instant::now();
        self.warn(&metrics);
        let shown = self.show(routed);
        if let Some(files) = &mut self.files {
            files.metrics.write(it + 1, &metrics)?;
            for sample in &shown {
                files.samples.write(it + 1, sample)?;
            }
            files.events.scalars(it + 1, &metrics)?;
        }
        if let Ok(mut progress) = self.progress.lock() {
            progress.step(it, &metrics);
        }
        self.history.push((it + 1, metrics));
        self.now = Metrics::default();
        self.losses.clear();
        self.time("log", start);
        self.since = Instant::now();
        Ok(())
    }

    /// Accuracy on held-out prompts, when it is due.
    fn look<W: World>(&self, it: u64, world: &W) -> Result<Option<Metrics>> {
        let Some(held_out) = &self.held_out else { return Ok(None) };
        let due = held_out.every > 0 && (it + 1).is_multiple_of(held_out.every) && it + 1 < self.steps;
        if !due {
            return Ok(None);
        }
        let found =
            held_out.look(world.student(), self.seed, |title, total| side(&self.progress, title, total))?;
        let mut metrics = Metrics::default();
        for (domain, accuracy) in &found {
            metrics.set(&format!("eval/accuracy/{domain}"), accuracy.rate().unwrap_or(0.0));
        }
        Ok(Some(metrics))
    }

    fn warn(&mut self, metrics: &Metrics) {
        let masked = metrics.get("masked_share").unwrap_or(0.0);
        if masked > MASKED_WARNING && !self.warned {
            self.warned = true;
            self.say(&format!(
                "warning: the gap mask leaves out {:.1} % of the tokens; a teacher this sure needs a wider `loss.gap_mask`",
                100.0 * masked
            ));
        }
        let failures = metrics.get("verify_failures").unwrap_or(0.0);
        if failures > 0.0 {
            self.say(&format!(
                "{failures} responses could not be judged (the verifier failed); they count as not judged"
            ));
        }
    }

    fn say(&self, text: &str) {
        if let Ok(progress) = self.progress.lock() {
            progress.println(text);
        }
    }

    /// Some rollouts of this step as JSON.
    fn show<S: Signal>(&self, routed: &Routed<S>) -> Vec<Value> {
        let count = routed.rollouts().responses_N.len();
        let shown = self.per_step.min(count);
        (0..shown).map(|k| k * count / shown).map(|i| record(routed, i, self.losses.get(&i))).collect()
    }

    /// Closes the log.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn finish<W: World>(self, _: &W) -> Result<Report> {
        Ok(Report { steps: self.steps, metrics: self.history, seconds: self.started.elapsed().as_secs_f64() })
    }
}

/// One response with what was decided of it: the line `replay` prints, plus its text.
fn record<S: Signal>(routed: &Routed<S>, i: usize, found: Option<&Losses>) -> Value {
    let (rollouts, signal) = (routed.rollouts(), routed.signal());
    let response = &rollouts.responses_N[i];
    let before = signal.return_before(i);
    let routed_T = || (0..response.tokens_T.len()).map(|t| routed.weight(i, t)).collect();
    let weights = found.map_or_else(routed_T, |(weights, _)| weights.clone());
    let mut line = json!({
        "prompt": rollouts.prompt_of(i).text,
        "domain": rollouts.prompt_of(i).domain(),
        "text": response.text,
        "tokens": response.tokens_T,
        "correct": routed.outcome(i),
        "kept": rollouts.kept_N[i],
        "return": before,
        "calibrated_return": before.map(|g| signal.rewards(i).map_or(g, trajectory_return)),
        "advantage": signal.rewards(i),
        "regime": regimes(routed, i),
        "weight": weights,
        "loss": found.map(|(_, losses)| losses),
    });
    let prompt = rollouts.prompt_of(i);
    let images = shown(&prompt.row, prompt.sights.iter().map(|sight| &*sight.picture));
    if !images.is_empty() {
        line["images"] = json!(images);
    }
    line
}

/// The regime of every token of response `i`, for recipes that route by regime.
fn regimes<S: Signal>(routed: &Routed<S>, i: usize) -> Option<Vec<String>> {
    let length = routed.rollouts().responses_N[i].tokens_T.len();
    (0..length).map(|t| routed.signal().regime(i, t).map(|regime| regime.to_string())).collect()
}
