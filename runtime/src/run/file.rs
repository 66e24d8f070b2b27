//! The run file: which recipe, on what, for how long, and which settings differ from the recipe's.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::overlay::explain;
use crate::error::{Error, Result};
use crate::models::{Lora, Part};
use crate::patch::ron_options;
use crate::privileged::Placement;
use crate::tensor::Precision;
use crate::world::remote::ServerFile;
use crate::world::rows::Columns;
use crate::world::scenes::SceneSpec;
use crate::world::tasks::TaskSpec;
use crate::world::tokenizer::Chat;
use crate::world::verifier::Judge;

/// What a run looks at on prompts it never trains on.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename = "Eval", deny_unknown_fields)]
pub struct EvalFile {
    /// A file of rows: JSON Lines or Parquet.
    #[serde(default)]
    pub data: Option<PathBuf>,
    /// What that file calls its columns; as in training when absent.
    #[serde(default)]
    pub columns: Option<Columns>,
    /// Rows of the built-in tasks.
    #[serde(default)]
    pub tasks: Option<TaskSpec>,
    /// Rows of built-in scenes, after those of tasks.
    #[serde(default)]
    pub scenes: Option<SceneSpec>,
    /// Look every so many steps; 0 looks only before and after.
    #[serde(default)]
    pub every: u64,
    /// Samples per prompt.
    #[serde(default = "one")]
    pub samples: usize,
    /// Sampling temperature; 0 is greedy.
    #[serde(default = "one_point")]
    pub temperature: f64,
    /// The longest response, in tokens; when absent as in training, or as the longest of these rows' references where the
    /// student imitates references.
    #[serde(default)]
    pub max_response_tokens: Option<usize>,
}

fn one() -> usize {
    1
}

fn one_point() -> f64 {
    1.0
}

/// What a template must do.
const TEMPLATE: &str = "a template names {prompt} and {privileged} exactly once each, for example Template(\"{prompt}\\nHint: {privileged}\\n\")";

/// What a run runs on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Place {
    /// The processor.
    #[default]
    Cpu,
    /// A GPU, by its number.
    Cuda(usize),
}

/// A run file, but for the settings of its recipe: what they are the recipe knows.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename = "Run", deny_unknown_fields)]
pub struct RunFile {
    /// The recipe's name.
    pub recipe: String,
    /// The seed of everything random.
    #[serde(default)]
    pub seed: u64,
    /// How many steps.
    pub steps: u64,
    /// Prompts a step.
    pub batch: usize,
    /// Responses whose gradients are computed at once; 0 takes the whole batch.
    #[serde(default)]
    pub micro_batch: usize,
    /// Activations are computed again, layer by layer, instead of kept: less memory, more time, the same bits.
    #[serde(default)]
    pub activation_checkpointing: bool,
    /// What it runs on: `Cpu`, or `Cuda(0)` for the first GPU.
    #[serde(default)]
    pub device: Place,
    /// What a GPU's matrix products round what they multiply to: `F32`, `Tf32` or `F16`.
    #[serde(default)]
    pub precision: Precision,
    /// The student's model folder.
    pub student: PathBuf,
    /// What of the student learns; all of it when absent.
    #[serde(default)]
    pub lora: Option<Lora>,
    /// Parts of a student with eyes that stay as they are: `[Tower]`, `[Tower, Decoder]`.
    #[serde(default)]
    pub freeze: Vec<Part>,
    /// The teachers' model folders, by name.
    #[serde(default)]
    pub teachers: BTreeMap<String, PathBuf>,
    /// The servers of teachers that are behind some, by name.
    #[serde(default)]
    pub servers: BTreeMap<String, ServerFile>,
    /// A file of rows to train on: JSON Lines or Parquet.
    #[serde(default)]
    pub data: Option<PathBuf>,
    /// What that file calls its columns, where they are not called as rows call them.
    #[serde(default)]
    pub columns: Columns,
    /// The words around every plain prompt of `data`, which stands where it says `{prompt}`.
    #[serde(default)]
    pub prompt_template: Option<String>,
    /// The built-in tasks to train on.
    #[serde(default)]
    pub tasks: Option<TaskSpec>,
    /// The built-in scenes to train on, alone or beside tasks.
    #[serde(default)]
    pub scenes: Option<SceneSpec>,
    /// Held-out prompts.
    #[serde(default)]
    pub eval: Option<EvalFile>,
    /// Prompts of `data` are chats: what every chat is told. Rows that are chats need no word of it.
    #[serde(default)]
    pub chat: Option<Chat>,
    /// Who judges a domain, where it is not the verifier that the domain has by itself.
    #[serde(default)]
    pub verifiers: BTreeMap<String, Judge>,
    /// Where what only teachers read stands in their prompts.
    #[serde(default)]
    pub privileged: Placement,
    /// Save every so many steps; 0 saves only at the end.
    #[serde(default)]
    pub save_every: u64,
    /// The run directory.
    #[serde(default)]
    pub out: Option<PathBuf>,
    /// Settings that differ from the recipe's, which takes them over itself.
    #[serde(default, rename = "set")]
    _set: IgnoredAny,
}

/// The one thing that must be known before the rest of a run file can be read.
#[derive(Deserialize)]
#[serde(rename = "Run")]
struct Head {
    recipe: String,
}

/// The name of the recipe that a run file is for.
///
/// # Errors
/// Text that is not a run file.
pub fn recipe_of(text: &str, name: &str) -> Result<String> {
    let head: Head = ron_options().from_str(text).map_err(|why| explain(&why, text, name))?;
    Ok(head.recipe)
}

impl EvalFile {
    /// Whether its rows are made here.
    pub fn has_built_in(&self) -> bool {
        self.tasks.is_some() || self.scenes.is_some()
    }
}

impl RunFile {
    /// Whether its rows are made here.
    pub fn has_built_in(&self) -> bool {
        self.tasks.is_some() || self.scenes.is_some()
    }

    /// Reads a run file; `name` is what messages call it.
    ///
    /// # Errors
    /// The first thing that does not hold, at its line and column.
    pub fn read(text: &str, name: &str) -> Result<Self> {
        let file: Self = ron_options().from_str(text).map_err(|why| explain(&why, text, name))?;
        Ok(file)
    }

    /// Everything that is wrong with the run's own numbers.
    pub fn faults(&self, name: &str) -> Vec<Error> {
        let mut wrong = Vec::new();
        let mut must = |holds: bool, field: &str, what: &str| {
            if !holds {
                wrong.push(Error::call(what).at(format!("{name}, `{field}`")));
            }
        };
        must(self.steps > 0, "steps", "a run of 0 steps would change nothing: set `steps` to at least 1");
        must(self.batch > 0, "batch", "a batch of 0 prompts would teach nothing: set `batch` to at least 1");
        must(self.batch <= MOST, "batch", "a batch has at most 1048576 prompts");
        must(
            self.precision == Precision::F32 || self.device != Place::Cpu,
            "precision",
            "on the CPU all numbers are f32: remove `precision` (or say `F32`), or run on a GPU with `device: Cuda(0)`",
        );
        must(
            self.data.is_some() || self.has_built_in(),
            "data",
            "the run has no prompts: name a file as `data`, or the built-in tasks as `tasks` or scenes as `scenes`",
        );
        must(
            self.data.is_none() || !self.has_built_in(),
            "data",
            "`data` is given, and so are built-in `tasks` or `scenes`: choose one",
        );
        let from_file = self.data.is_some() || self.eval.as_ref().is_some_and(|eval| eval.data.is_some());
        must(
            self.columns.is_empty() || self.data.is_some(),
            "columns",
            "the built-in tasks have columns of their own: `columns` is for `data` (in `eval`, `eval.columns`)",
        );
        must(
            self.eval.as_ref().is_none_or(|eval| eval.columns.is_none() || eval.data.is_some()),
            "eval.columns",
            "the built-in tasks have columns of their own: `eval.columns` is for `eval.data`",
        );
        must(
            self.prompt_template.is_none() || from_file,
            "prompt_template",
            "the prompts of the built-in tasks stay as they are: `prompt_template` is for rows of `data`",
        );
        must(
            self.prompt_template.as_ref().is_none_or(|text| text.matches("{prompt}").count() == 1),
            "prompt_template",
            "it names {prompt} exactly once, for example \"Question: {prompt}\\nAnswer:\"",
        );
        must(
            self.chat.is_none() || from_file,
            "chat",
            "the prompts of the built-in tasks are plain text: `chat` is for rows of `data`",
        );
        must(self.privileged.must_hold().is_ok(), "privileged", TEMPLATE);
        for (seat, server) in &self.servers {
            wrong.extend(server.faults(&format!("{name}, servers.{seat}")));
        }
        let mut must = |holds: bool, field: &str, what: &str| {
            if !holds {
                wrong.push(Error::call(what).at(format!("{name}, `{field}`")));
            }
        };
        if let Some((field, says)) = self.lora.as_ref().and_then(Lora::fault) {
            must(false, &format!("lora.{field}"), says);
        }
        if let Some(eval) = &self.eval {
            must(
                eval.data.is_some() != eval.has_built_in(),
                "eval",
                "held-out prompts come from `data`, or from built-in `tasks` or `scenes`: give one",
            );
            must(eval.samples > 0, "eval.samples", "an evaluation needs at least 1 sample a prompt");
            must(
                eval.samples <= MOST_SAMPLES,
                "eval.samples",
                "an evaluation takes at most 65536 samples of a prompt",
            );
            must(
                eval.temperature >= 0.0 && eval.temperature.is_finite(),
                "eval.temperature",
                "a temperature is 0 (greedy) or above, and finite",
            );
            must(
                eval.max_response_tokens != Some(0),
                "eval.max_response_tokens",
                "a response needs room for its end: at least 1 token",
            );
        }
        wrong
    }
}

/// Prompts of a batch at most: beyond, the memory for a step could not even be asked for.
const MOST: usize = 1 << 20;
/// Samples of one prompt at most.
pub(crate) const MOST_SAMPLES: usize = 1 << 16;

/// Finds `path` beside the run file, or from the present folder.
///
/// # Errors
/// A path that is in neither place; both are named.
pub fn find(path: &Path, beside: Option<&Path>, field: &str) -> Result<PathBuf> {
    let mut tried = Vec::new();
    for folder in [beside, Some(Path::new(""))].into_iter().flatten() {
        let candidate = folder.join(path);
        if candidate.exists() {
            return std::path::absolute(&candidate).map_err(|why| Error::reading(&candidate, why));
        }
        tried.push(candidate.display().to_string());
        if path.is_absolute() {
            break;
        }
    }
    tried.dedup();
    Err(Error::call(format!("there is nothing at {}", tried.join(" or at ")))
        .at(format!("`{field}`"))
        .next("paths in a run file are looked for beside the run file, then from the present folder"))
}
