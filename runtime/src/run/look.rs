//! `limbeck check`: opens every file a run names and says all that is wrong at once.

use std::sync::Arc;

use super::drive::open_world;
use super::prepare::{must_be_taught, Prepared, TrainOptions};
use super::state::prompts;
use crate::error::{Error, Result};
use crate::models::ModelConfig;
use crate::recipe::Recipe;
use crate::tensor::Cpu;
use crate::world::{FromFiles, World};

/// What was found: lines to print, and everything that is wrong.
#[derive(Debug, Default)]
pub struct Findings {
    /// What is as it should be.
    pub good: Vec<String>,
    /// What is not.
    pub wrong: Vec<Error>,
}

impl Findings {
    fn take<T>(&mut self, found: Result<T>) -> Option<T> {
        found.map_err(|why| self.wrong.push(why)).ok()
    }
}

/// Looks at everything a run file names, without training.
pub fn check<R: Recipe>(options: &TrainOptions) -> Findings {
    let mut findings = Findings::default();
    let Some(prepared) = findings.take(Prepared::<R>::read(options)) else { return findings };
    findings.good.push(format!(
        "{}: recipe {}, {} steps of {} prompts",
        prepared.name,
        R::NAME,
        prepared.file.steps,
        prepared.file.batch
    ));
    let world = findings.take(open_world(&prepared));
    if let Some(world) = &world {
        findings.good.extend(describe_world(world));
    }
    if let Some((rows, name)) = findings.take(prepared.rows()) {
        findings.take(must_be_taught::<R>(&rows, &name));
        findings.good.push(format!("{name}: {} rows", rows.len()));
        if let Some(world) = &world {
            if let Some(all) = findings.take(prompts(
                &rows,
                &name,
                world.student(),
                &Arc::new(prepared.file.privileged.clone()),
            )) {
                findings.good.extend(all.first().map(|prompt| first_scored(world, prompt)));
                let longest = all.iter().map(|p| p.tokens.len()).max().unwrap_or(0);
                findings.good.push(estimate::<R>(&prepared, world, longest));
            }
        }
    }
    if let Some(Some(held_out)) = findings.take(prepared.held_out()) {
        findings.good.push(format!("{}: {} held-out rows", held_out.name, held_out.rows.len()));
        if let Some(world) = &world {
            findings.take(prompts(&held_out.rows, &held_out.name, world.student(), &Default::default()));
        }
    }
    findings
}

fn describe_world(world: &FromFiles<Cpu>) -> Vec<String> {
    let student = world.student();
    let print = student.tokenizer.fingerprint();
    let mut lines = vec![format!(
        "student: {} parameters, vocabulary {}, tokenizer {}",
        parameters(student.decoder.config()),
        student.vocabulary(),
        &print[..print.len().min(12)]
    )];
    for (name, policy) in world.teachers() {
        lines.push(format!(
            "teacher {name}: {} parameters, the same tokenizer",
            parameters(policy.decoder.config())
        ));
    }
    lines
}

/// The first prompt as the student reads it, with the place of the first scored token.
fn first_scored(world: &FromFiles<Cpu>, prompt: &crate::batch::Prompt) -> String {
    let tokenizer = &world.student().tokenizer;
    let reference = prompt.reference.as_ref().map_or("…".to_string(), |ids| tokenizer.show(ids[0]));
    format!(
        "first prompt ({} tokens; the first scored token is marked):\n    {}⟦{reference}⟧",
        prompt.tokens.len(),
        prompt.text
    )
}

fn parameters(config: &ModelConfig) -> usize {
    let d = config.hidden_size;
    let kv = config.num_key_value_heads * config.head_dim;
    let q = config.num_attention_heads * config.head_dim;
    let layer = d * (2 * q + 2 * kv) + 3 * d * config.intermediate_size + 2 * d;
    let tables = if config.tie_word_embeddings { 1 } else { 2 };
    tables * config.vocab_size * d + config.num_hidden_layers * layer + d
}

/// A rough count of the memory a step takes: weights, gradients, moments, and one micro-batch.
fn estimate<R: Recipe>(prepared: &Prepared<R>, world: &FromFiles<Cpu>, longest_prompt: usize) -> String {
    let setting = |stage: &str, name: &str| -> Option<usize> {
        let settings = prepared.recipe.settings();
        let (_, list) = settings.into_iter().find(|(s, _)| *s == stage)?;
        list.iter().find(|s| s.name == name)?.value.parse().ok()
    };
    let config = world.student().decoder.config();
    let weights = parameters(config);
    let teachers: usize = world.teachers().map(|(_, policy)| parameters(policy.decoder.config())).sum();
    let room = config.max_position_embeddings.saturating_sub(longest_prompt);
    let response = setting("rollout", "max_response_tokens").unwrap_or(room).min(room);
    let responses = prepared.file.batch * setting("rollout", "group_size").unwrap_or(1);
    let at_once =
        if prepared.file.micro_batch == 0 { responses } else { prepared.file.micro_batch.min(responses) };
    let tokens = at_once * (longest_prompt + response);
    let per_token = config.num_hidden_layers * (10 * config.hidden_size + 4 * config.intermediate_size);
    let activations = 2 * tokens * per_token + 3 * at_once * response * config.vocab_size;
    let bytes = 4 * (4 * weights + teachers + activations);
    format!(
        "memory: about {:.0} MiB when every response is as long as it may be",
        bytes as f64 / f64::from(1 << 20)
    )
}
