//! A small student and a small teacher, and tasks with hints.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use limbeck::models::{Decoder, Family, ModelConfig, WeightType};
use limbeck::privileged::Placement;
use limbeck::run::Run;
use limbeck::tasks::{generate, TaskSpec};
use limbeck::tensor::Cpu;
use limbeck::world::tokenizer::Tokenizer;
use limbeck::world::{FromFiles, Policy};
use limbeck::Plan;

/// A small model whose logits are of some size.
fn make(folder: &Path, seed: u64) {
    let tokenizer = Tokenizer::tasks().unwrap();
    let config = ModelConfig {
        family: Family::Llama,
        hidden_size: 16,
        intermediate_size: 32,
        num_hidden_layers: 1,
        num_attention_heads: 2,
        num_key_value_heads: 1,
        head_dim: 8,
        vocab_size: tokenizer.vocab_size(),
        max_position_embeddings: 256,
        rope_theta: 10_000.0,
        rope_scaling: Default::default(),
        rms_norm_eps: 1e-5,
        tie_word_embeddings: true,
        attention_bias: false,
        bos_token_id: None,
        eos_token_id: tokenizer.eos().into_iter().collect(),
        pad_token_id: tokenizer.pad(),
        vision: None,
        generation: None,
        other: Default::default(),
    };
    let mut decoder = Decoder::random(&config, seed, &Cpu::default()).unwrap();
    for parameter in decoder.parameters_mut() {
        if !parameter.name().contains("norm") {
            let livelier: Vec<f32> = parameter.to_host().iter().map(|w| 12.0 * w).collect();
            parameter.set(&livelier).unwrap();
        }
    }
    let policy = Policy { name: "model".to_string(), decoder, tokenizer: Arc::new(tokenizer) };
    policy.save(folder, WeightType::F32).unwrap();
}

/// A student, and a `teacher` with other weights.
pub fn hinted_world(plan: &Plan) -> FromFiles<Cpu> {
    let folder = tempfile::tempdir().unwrap();
    make(&folder.path().join("student"), 1);
    make(&folder.path().join("teacher"), 2);
    let teachers = BTreeMap::from([("teacher".to_string(), folder.path().join("teacher"))]);
    FromFiles::open(plan, &folder.path().join("student"), &teachers, &Cpu::default()).unwrap()
}

/// Two steps on four math problems each.
pub fn hinted_run() -> Run {
    let domains = vec!["math".to_string()];
    let spec = TaskSpec { domains, levels: (2, 3), per_level: 4, ..TaskSpec::default() };
    let place = Placement::Before { mark: ">".to_string(), lead: "?".to_string() };
    Run::new(generate(&spec).unwrap(), 2, 4).with_privileged(place)
}

pub fn weights(policy: &Policy<Cpu>) -> Vec<Vec<f32>> {
    policy.decoder.parameters().iter().map(|parameter| parameter.to_host()).collect()
}
