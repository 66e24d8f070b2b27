//! How much memory a run will want, before it starts.

use std::sync::Arc;

use super::look::learning;
use super::prepare::Prepared;
use crate::batch::Prompt;
use crate::kernels::vocabulary_loss::rows_at_once;
use crate::models::{ModelConfig, VisionConfig, CACHED, TOGETHER};
use crate::stages::score::AT_ONCE;
use crate::tensor::Cpu;
use crate::world::{FromFiles, World};

/// What the program holds besides numbers, in bytes: itself, its threads' stacks, tokenizers, rows of data.
const PROGRAM: usize = 15 << 20;

/// A count of the numbers that are there at once: weights, gradients and moments all the time, and what is most of what
/// a rollout needs, what a teacher reads with, and what a micro-batch leaves for its backward pass. Of a teacher whose
/// weights stay in their files one matrix is there at a time.
pub(super) fn estimate(prepared: &Prepared, world: &FromFiles<Cpu>, prompts: &[Arc<Prompt>]) -> String {
    let most = |count: fn(&Prompt) -> usize| prompts.iter().map(|prompt| count(prompt)).max().unwrap_or(0);
    let longest_prompt = most(|prompt| prompt.tokens.len());
    let images = most(|prompt| prompt.before().sights.len());
    let setting = |stage, name| prepared.number(stage, name);
    let decoder = &world.student().decoder;
    let (config, weights, learning) = (decoder.config(), decoder.size(), learning(decoder));
    let teachers = world.teachers().map(|(_, policy)| policy.decoder.held_and_largest_stored());
    let (held, block) = teachers.fold((0, 0), |(held, block), (h, b)| (held + h, block.max(b)));
    let room = config.max_position_embeddings.saturating_sub(longest_prompt);
    // who imitates references speaks as long as these are
    let given = most(|prompt| prompt.reference.as_ref().map_or(0, Vec::len));
    let given = if prepared.recipe.facts().reads_references { given } else { room };
    let response = setting("rollout", "max_response_tokens").unwrap_or(given).min(room);
    let group = setting("rollout", "group_size").unwrap_or(1);
    let responses = prepared.file.batch * group;
    // of what learns also its gradient and two moments
    let own = if decoder.lora().is_some() { weights + 4 * learning } else { 4 * weights };

    // a prompt is read once for all of its group
    let tokens = |responses: usize| responses.div_ceil(group.max(1)) * longest_prompt + responses * response;

    // the weights once more, laid out for products, and keys and values
    let positions = tokens(responses.min(TOGETHER));
    let cached = 2 * config.num_hidden_layers * config.num_key_value_heads * config.head_dim * positions;
    let rollout = weights + cached.min(CACHED);

    let at_once = match prepared.file.micro_batch {
        0 => responses,
        micro => micro.min(responses),
    };
    let (layers, kept) = (config.num_hidden_layers, kept_by_a_layer(config));
    // the way back holds one layer's gradients beside what is left of the trace
    let per_token = match decoder.checkpoints_activations() {
        false => (layers + 1) * kept,
        true => layers * config.hidden_size + 2 * kept,
    };
    let looked = config.vision.as_ref().map_or(0, kept_by_looking);
    let traced = tokens(at_once) * per_token + at_once.div_ceil(group.max(1)) * images * looked;
    let logits = rows_at_once(config.vocab_size).min(at_once * response) * config.vocab_size;
    let whole_rows = usize::from(prepared.recipe.facts().whole_rows);
    let teachers_rows = whole_rows * responses * response * config.vocab_size;
    // what a teacher reads with: one matrix at a time, and logits that are looked at in a copy
    let reading = tokens(responses.min(AT_ONCE)) * kept + block + logits;
    let bytes = PROGRAM + 4 * (own + held + rollout.max(traced.max(reading) + logits + teachers_rows));
    format!(
        "memory: about {:.0} MiB when every response is as long as it may be",
        bytes as f64 / f64::from(1 << 20)
    )
}

/// The numbers that a layer's forward pass keeps of a token: what its two norms and its products read, the rotated
/// queries and keys, the values, and what the gate is made of.
fn kept_by_a_layer(config: &ModelConfig) -> usize {
    let wide = config.num_attention_heads * config.head_dim;
    let narrow = config.num_key_value_heads * config.head_dim;
    let before_head_norms = if config.head_norms() { wide + narrow } else { 0 };
    4 * config.hidden_size + 2 * (wide + narrow) + before_head_norms + 2 * config.intermediate_size
}

/// The same of an image, in all layers of the eyes: what norms, products and GELU read, queries, keys and values.
fn kept_by_looking(eyes: &VisionConfig) -> usize {
    let layer = 8 * eyes.hidden_size + 2 * eyes.intermediate_size;
    eyes.patches() * (eyes.num_hidden_layers + 1) * layer
}
