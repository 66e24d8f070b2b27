//! Verbs on one model folder: eval, generate, score, init.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{json, Value};

use super::args::InitArgs;
use crate::entry::Entry;
use crate::error::{Error, Result};
use crate::log::{Accuracy, Progress, ProgressStyle, Table};
use crate::models::{Decoder, Family, ModelConfig, Packed, Request, Sampling, VisionConfig, WeightType};
use crate::rng::{Purpose, Stream};
use crate::run::{evaluate, Evaluation, HeldOut, MOST_SAMPLES};
use crate::settings::Settings;
use crate::stages::rollout::Sample;
use crate::tensor::Cpu;
use crate::world::rows::{Message, PromptText, MARK};
use crate::world::tasks::{generate as make_tasks, Split, TaskSpec};
use crate::world::tokenizer::Tokenizer;
use crate::world::verifier::Judges;
use crate::world::Policy;

/// What `eval` was asked.
pub(super) struct Asked {
    pub model: Option<PathBuf>,
    pub task: Option<String>,
    pub samples: Option<usize>,
    pub per_level: Option<usize>,
    pub temperature: Option<f64>,
    pub seed: Option<u64>,
}

pub(super) fn eval_run(of: HeldOut, asked: &Asked, quiet: bool) -> Result<Scores> {
    let mut held_out = of.held_out.ok_or_else(|| {
        Error::call("the run has no held-out prompts")
            .at("eval")
            .next("add `eval: (tasks: (…))` or `eval: (data: \"…\")` to the run file")
    })?;
    held_out.sample.group_size = asked.samples.unwrap_or(held_out.sample.group_size);
    held_out.sample.temperature = asked.temperature.unwrap_or(held_out.sample.temperature);
    let model = asked.model.as_deref().unwrap_or(&of.student);
    let mut policy = Policy::load("model", model, &Cpu::default())?;
    if let Some(chat) = of.chat {
        policy.tokenizer = Tokenizer::clone(&policy.tokenizer).told(chat)?.into();
    }
    eval(policy, &held_out, asked.seed.unwrap_or(of.seed), quiet)
}

pub(super) fn eval_model(asked: &Asked, quiet: bool) -> Result<Scores> {
    let model = asked.model.as_deref().ok_or_else(|| {
        Error::call("neither a run file nor a model is given")
            .next("eval RUN.ron, or eval --model DIR --task math")
    })?;
    let task = asked.task.as_deref().ok_or_else(|| {
        Error::call("no task is given").at("--task").next("--task math, --task code, or --task math,code")
    })?;
    let seed = asked.seed.unwrap_or(0);
    let spec = TaskSpec {
        domains: task.split(',').map(|domain| domain.trim().to_string()).collect(),
        per_level: asked.per_level.unwrap_or(160),
        seed,
        split: Split::HeldOut,
        ..TaskSpec::default()
    };
    let rows = make_tasks(&spec).map_err(|why| why.or_at("--task"))?;
    let sample = Sample {
        group_size: asked.samples.unwrap_or(1),
        temperature: asked.temperature.unwrap_or(1.0),
        ..Sample::DEFAULT
    };
    let judges = Judges::default();
    let evaluation = Evaluation { rows, name: "--task".to_string(), every: 0, sample, judges };
    eval(Policy::load("model", model, &Cpu::default())?, &evaluation, seed, quiet)
}

/// Accuracy by domain: over single samples (mean@k) and over prompts (pass@k).
pub(super) struct Scores {
    table: Table,
    k: usize,
}

impl Scores {
    pub fn to_json(&self) -> Value {
        json!({ "k": self.k, "accuracy": self.table.to_json() })
    }
}

impl std::fmt::Display for Scores {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.table.fmt(f)
    }
}

fn eval(policy: Policy<Cpu>, evaluation: &Evaluation, seed: u64, quiet: bool) -> Result<Scores> {
    let k = evaluation.sample.group_size;
    if k == 0 || k > MOST_SAMPLES {
        return Err(Error::call(format!("{k} samples a prompt cannot be taken"))
            .at("--samples")
            .next(format!("take from 1 to {MOST_SAMPLES}")));
    }
    if !(evaluation.sample.temperature >= 0.0 && evaluation.sample.temperature.is_finite()) {
        return Err(Error::call("a temperature is 0 (greedy) or above, and finite").at("--temperature"));
    }
    let style = if quiet { ProgressStyle::Hidden } else { ProgressStyle::Auto };
    let side = Progress::new(0, 0, style).side("evaluating", evaluation.rows.len() as u64);
    let mut mean: BTreeMap<String, Accuracy> = BTreeMap::new();
    let mut pass: BTreeMap<String, Accuracy> = BTreeMap::new();
    let mut group: Vec<Option<bool>> = Vec::with_capacity(k);
    evaluate(
        &policy,
        evaluation,
        |_| true,
        seed,
        |domain, answer| {
            mean.entry(domain.to_string()).or_default().count(answer.correct);
            group.push(answer.correct);
            if group.len() == k {
                let passed = if group.contains(&Some(true)) {
                    Some(true)
                } else {
                    group.iter().flatten().next().copied()
                };
                pass.entry(domain.to_string()).or_default().count(passed);
                group.clear();
            }
        },
        |done| side.inc(done as u64),
    )?;
    let mut table = Table::new(mean.keys().cloned());
    let name = |what: &str| if k == 1 { "accuracy".to_string() } else { format!("{what}@{k}") };
    table.row(name("mean"), &mean.values().cloned().collect::<Vec<_>>());
    if k > 1 {
        table.row(name("pass"), &pass.values().cloned().collect::<Vec<_>>());
    }
    Ok(Scores { table, k })
}

pub(super) fn generate(
    model: &Path,
    prompt: &str,
    chat: bool,
    (temperature, top_p, top_k, max_tokens): (f64, f64, usize, usize),
    seed: u64,
) -> Result<String> {
    let in_range = temperature >= 0.0 && temperature.is_finite() && top_p > 0.0 && top_p <= 1.0;
    if !in_range {
        return Err(Error::call("a temperature is 0 or above, and top-p above 0 and at most 1")
            .at("--temperature, --top-p"));
    }
    if max_tokens == 0 {
        return Err(Error::call("a response of 0 tokens says nothing")
            .at("--max-tokens")
            .next("ask for 1 or more"));
    }
    let policy = Policy::load("model", model, &Cpu::default())?;
    let said = match chat {
        true => PromptText::Chat(vec![Message::new("user", prompt)]),
        false => prompt.into(),
    };
    let text = policy.tokenizer.render(&said).map_err(|why| why.or_at("--chat"))?;
    let prompt = policy.tokenizer.encode(&text).map_err(|why| why.or_at("--prompt"))?;
    let context = policy.decoder.config().max_position_embeddings;
    if prompt.is_empty() || prompt.len() >= context {
        return Err(Error::call(format!("the prompt has {} tokens", prompt.len()))
            .at("--prompt")
            .next(format!("give from 1 to {}: the model's context is {context}", context - 1)));
    }
    let sampling = Sampling { temperature, top_p, top_k, max_tokens, eos: policy.eos() };
    let streams = vec![Stream::new(seed, Purpose::Rollout, 0, 0)];
    let said = policy.decoder.generate(&[Request { prompt, copies: 1, streams }], &sampling, None)?;
    Ok(said.first().map(|one| policy.tokenizer.decode(&one.tokens)).unwrap_or_default())
}

pub(super) fn score(model: &Path, text: Option<&str>, tokens: Option<&str>) -> Result<Value> {
    let policy = Policy::load("model", model, &Cpu::default())?;
    let ids: Vec<u32> = match (text, tokens) {
        (Some(text), _) => policy.tokenizer.encode(text).map_err(|why| why.or_at("--text"))?,
        (None, Some(list)) => list
            .split(',')
            .map(|id| {
                id.trim().parse().map_err(|_| {
                    Error::call(format!("`{id}` is not a token id"))
                        .at("--tokens")
                        .next("write ids as 5,17,3")
                })
            })
            .collect::<Result<_>>()?,
        (None, None) => Vec::new(),
    };
    let place = if text.is_some() { "--text" } else { "--tokens" };
    let context = policy.decoder.config().max_position_embeddings;
    if ids.len() < 2 || ids.len() > context {
        return Err(Error::call(format!("{} tokens cannot be scored", ids.len())).at(place).next(format!(
            "give from 2 to {context}: each token after the first is scored, and the model reads no more"
        )));
    }
    let width = policy.vocabulary();
    if let Some(id) = ids.iter().find(|id| **id as usize >= width) {
        return Err(Error::call(format!("token {id} is not in the vocabulary of {width}"))
            .at(place)
            .next(format!("ids go from 0 to {}", width - 1)));
    }
    let packed = Packed::of([(&ids[..1], &ids[1..])]);
    let log_probs = policy.decoder.log_probs(&packed, &ids[1..])?;
    let mean = log_probs.iter().sum::<f64>() / log_probs.len() as f64;
    Ok(json!({ "tokens": ids, "logprobs": log_probs, "perplexity": (-mean).exp() }))
}

pub(super) fn must_be_free(folder: &Path) -> Result<()> {
    let taken = std::fs::read_dir(folder).map_or(folder.exists(), |mut entries| entries.next().is_some());
    if taken {
        return Err(Error::call("holds something already").at(folder.display()).next("choose another --to"));
    }
    Ok(())
}

pub(super) fn export(recipes: &[Entry], directory: &Path, to: &Path, bf16: bool) -> Result<()> {
    must_be_free(to)?;
    crate::run::export(recipes, directory, to, if bf16 { WeightType::Bf16 } else { WeightType::F32 })
}

#[cfg(feature = "gguf")]
pub(super) fn import_gguf(file: &Path, to: &Path, bf16: bool) -> Result<()> {
    crate::gguf::import(file, to, if bf16 { WeightType::Bf16 } else { WeightType::F32 })
}

#[cfg(not(feature = "gguf"))]
pub(super) fn import_gguf(_: &Path, _: &Path, _: bool) -> Result<()> {
    Err(Error::call("this `limbeck` was built without GGUF")
        .next("build it with: cargo build --release --features gguf"))
}

pub(super) fn init(args: &InitArgs) -> Result<()> {
    must_be_free(&args.to)?;
    let tokenizer = match (&args.tokenizer, args.image) {
        (Some(path), _) => Tokenizer::load(path)?,
        (None, Some(_)) => Tokenizer::scenes()?,
        (None, None) => Tokenizer::tasks()?,
    };
    let heads = args.heads.max(1);
    let eos = tokenizer.eos();
    let config = ModelConfig {
        family: Family::Llama,
        hidden_size: args.hidden,
        intermediate_size: args.ffn,
        num_hidden_layers: args.layers,
        num_attention_heads: heads,
        num_key_value_heads: args.kv_heads.unwrap_or(heads),
        head_dim: args.hidden / heads,
        vocab_size: tokenizer.vocab_size(),
        max_position_embeddings: args.context,
        rope_theta: 10_000.0,
        rope_scaling: Default::default(),
        rms_norm_eps: 1e-5,
        tie_word_embeddings: args.tied,
        attention_bias: false,
        bos_token_id: None,
        eos_token_id: eos.into_iter().collect(),
        pad_token_id: tokenizer.pad(),
        vision: eyes(args, &tokenizer),
        generation: None,
        other: Default::default(),
    };
    config.check().map_err(|why| {
        why.next("choose --hidden, --layers, --heads and the others so that they go together")
    })?;
    if size_of(&config) > MOST_RANDOM {
        return Err(Error::call(format!(
            "a model of {:.1e} parameters is too large to begin at random",
            size_of(&config)
        ))
        .at("--hidden, --layers, --ffn")
        .next("begin with a smaller one, or with weights that somebody has trained"));
    }
    let decoder = Decoder::random(&config, args.seed, &Cpu::default())?;
    Policy { name: "model".to_string(), decoder, tokenizer: std::sync::Arc::new(tokenizer) }
        .save(&args.to, WeightType::F32)
}

/// The eyes that were asked for.
fn eyes(args: &InitArgs, tokenizer: &Tokenizer) -> Option<VisionConfig> {
    let (image, patch, mark) = (args.image?, args.patch?, tokenizer.token_id(MARK)?);
    Some(VisionConfig {
        hidden_size: args.eye_hidden,
        intermediate_size: 2 * args.eye_hidden,
        num_hidden_layers: args.eye_layers,
        // the light ground of scenes is nothing, so that what stands on it is all there is
        image_mean: [0.9; 3],
        image_std: [0.3; 3],
        ..VisionConfig::new(image, patch, args.fold, mark)
    })
}

/// Random parameters at most: 8 GB of them.
const MOST_RANDOM: f64 = 2e9;

/// About how many parameters a model has; sizes that no memory holds must not overflow here.
fn size_of(config: &ModelConfig) -> f64 {
    let [d, f, v, n, q, kv] = [
        config.hidden_size,
        config.intermediate_size,
        config.vocab_size,
        config.num_hidden_layers,
        config.num_attention_heads * config.head_dim,
        config.num_key_value_heads * config.head_dim,
    ]
    .map(|size| size as f64);
    2.0 * v * d + n * (d * 2.0 * (q + kv) + 3.0 * d * f)
}
