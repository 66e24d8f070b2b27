//! Tests of whole decoders.

use super::*;
use crate::kernels::adamw::{Hyper, Moments};
use crate::kernels::token_loss::TokenLoss;
use crate::rng::{Purpose, Stream};
use crate::tensor::{self, Cpu};
use std::sync::Arc;

mod configs;
mod files;
mod gradients;
mod lora;
mod rollouts;

/// A model small enough for finite differences.
pub(crate) fn tiny() -> ModelConfig {
    ModelConfig {
        family: Family::Llama,
        hidden_size: 12,
        intermediate_size: 10,
        num_hidden_layers: 2,
        num_attention_heads: 4,
        num_key_value_heads: 2,
        head_dim: 4,
        vocab_size: 11,
        max_position_embeddings: 16,
        rope_theta: 100.0,
        rope_scaling: Default::default(),
        rms_norm_eps: 1e-5,
        tie_word_embeddings: false,
        attention_bias: false,
        bos_token_id: Some(1),
        eos_token_id: vec![2],
        pad_token_id: None,
        vision: None,
        generation: None,
        other: Default::default(),
    }
}

/// One of each kind: head norms, biases of either family, tied and untied.
pub(crate) fn variants() -> Vec<ModelConfig> {
    vec![
        tiny(),
        ModelConfig { tie_word_embeddings: true, attention_bias: true, eos_token_id: vec![2, 3], ..tiny() },
        ModelConfig { family: Family::Qwen2, tie_word_embeddings: true, eos_token_id: vec![], ..tiny() },
        ModelConfig {
            family: Family::Qwen3,
            num_key_value_heads: 4,
            pad_token_id: Some(0),
            rope_scaling: RopeScaling::Yarn {
                factor: 4.0,
                original: 8.0,
                beta_fast: 32.0,
                beta_slow: 1.0,
                attention_factor: Some(1.25),
                truncate: true,
            },
            ..tiny()
        },
    ]
}

/// Random weights with everything far from its neutral start, so that every path matters.
pub(crate) fn lively(config: &ModelConfig, seed: u64) -> Decoder<Cpu> {
    let mut decoder = Decoder::random(config, seed, &Cpu::default()).unwrap();
    for (i, parameter) in decoder.parameters_mut().iter_mut().enumerate() {
        let mut stream = Stream::new(seed, Purpose::Task, 1, i as u64);
        let values: Vec<f32> =
            parameter.to_host().iter().map(|v| v + 0.25 * stream.normal() as f32).collect();
        parameter.set(&values).unwrap();
    }
    decoder
}

/// A ragged batch: prompts of 3, 1, 5 and responses of 4, 6, 1.
pub(crate) fn ragged() -> Packed {
    let pairs: [(&[u32], &[u32]); 3] =
        [(&[1, 5, 6], &[7, 8, 9, 2]), (&[1], &[3, 4, 5, 6, 7, 2]), (&[1, 10, 0, 4, 4], &[2])];
    Packed::of(pairs)
}

/// -ln p(target).
pub(crate) struct CrossEntropy(pub Vec<u32>);

impl TokenLoss for CrossEntropy {
    fn row(&self, row: usize, logits: &[f32], grad: Option<&mut [f32]>) -> f64 {
        let (target, whole) = (self.0[row] as usize, crate::kernels::exp::log_sum_exp(logits));
        if let Some(grad) = grad {
            for (g, &x) in grad.iter_mut().zip(logits) {
                *g = (f64::from(x) - whole).exp() as f32;
            }
            grad[target] -= 1.0;
        }
        whole - f64::from(logits[target])
    }
}

pub(crate) const TARGETS: [u32; 11] = [7, 8, 9, 2, 3, 4, 5, 6, 7, 2, 2];

/// A pool of so many threads to run in.
pub(crate) fn threads<R: Send>(count: usize, work: impl FnOnce() -> R + Send) -> R {
    rayon::ThreadPoolBuilder::new().num_threads(count).build().unwrap().install(work)
}
