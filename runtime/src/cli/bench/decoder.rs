//! A small decoder with random weights, over every position of 8 sequences of 128 tokens.

use std::sync::Arc;

use super::measured::{milliseconds, seconds, Measured};
use crate::error::Result;
use crate::kernels::adamw::{Hyper, Moments};
use crate::kernels::token_loss::{Described, Own, TokenLoss};
use crate::models::{Decoder, Family, ModelConfig, Packed, Request, Sampling};
use crate::rng::{Purpose, Stream};
use crate::stages::loss::described::own;
use crate::stages::loss::row::StudentRow;
use crate::tensor::{Cpu, Grads};

/// Sequences.
const BATCH: usize = 8;
/// Tokens of a sequence.
const LENGTH: usize = 128;
/// Rows that speak together in the rollout, and how long.
const ROLLOUT: (usize, usize) = (64, 64);

pub(super) fn measure(vocabulary: usize, repeats: usize) -> Result<Measured> {
    let config = config(256, 4, vocabulary, 768, 2 * LENGTH);
    let mut decoder = Decoder::random(&config, 0, &Cpu::default())?;
    let ids = tokens(BATCH * (LENGTH + 1), vocabulary);
    let sequences = ids.chunks_exact(LENGTH + 1);
    // the model reads 128 tokens of each, and speaks after every one
    let packed = Packed::of(sequences.clone().map(|ids| ids.split_at(1)));
    let targets: Vec<u32> = sequences.flat_map(|ids| &ids[1..]).copied().collect();
    let weights = vec![1.0 / targets.len() as f32; targets.len()];
    let loss: Arc<dyn TokenLoss> = Arc::new(CrossEntropy(targets));
    let mut measured = Measured::of("decoder").on("vocabulary", vocabulary).on("parameters", decoder.size());

    let forward = seconds(repeats, || decoder.logits(&packed).map(drop))?;
    measured.add("forward", "ms", milliseconds(&forward));
    let both = |decoder: &Decoder<Cpu>| -> Result<Grads<Cpu>> {
        let mut grads = decoder.zero_grads()?;
        decoder.backward(&packed, &weights, &loss, &mut grads)?;
        Ok(grads)
    };
    let backward = seconds(repeats, || both(&decoder).map(drop))?;
    measured.add("forward and backward", "ms", milliseconds(&backward));
    let mut moments = Moments::new(&decoder)?;
    let hyper = Hyper { lr: 1e-4, beta1: 0.9, beta2: 0.95, weight_decay: 0.1, ..Hyper::default() };
    let step = seconds(repeats, || {
        let grads = both(&decoder)?;
        moments.update(&mut decoder, &grads, &hyper, |_| true)
    })?;
    measured.add("training step", "ms", milliseconds(&step));

    let decode = seconds(repeats, || speak(&decoder, 1, 1, LENGTH, 0.0))?;
    let per_token: Vec<f64> = milliseconds(&decode).iter().map(|ms| ms / LENGTH as f64).collect();
    measured.add("decoding, one row", "ms/token", per_token);
    let (rows, new) = ROLLOUT;
    let rollout = seconds(repeats, || speak(&decoder, 16, rows, new, 1.0))?;
    measured.add("rollout, 64 rows", "tokens/s", rollout.iter().map(|s| (rows * new) as f64 / s).collect());
    Ok(measured)
}

/// A decoder of the Llama family with heads of 64 numbers and an output layer of its own.
pub(super) fn config(
    width: usize,
    layers: usize,
    vocabulary: usize,
    ffn: usize,
    context: usize,
) -> ModelConfig {
    let heads = (width / 64).max(1);
    ModelConfig {
        family: Family::Llama,
        hidden_size: width,
        intermediate_size: ffn,
        num_hidden_layers: layers,
        num_attention_heads: heads,
        num_key_value_heads: heads,
        head_dim: width / heads,
        vocab_size: vocabulary,
        max_position_embeddings: context,
        rope_theta: 10_000.0,
        rope_scaling: Default::default(),
        rms_norm_eps: 1e-5,
        tie_word_embeddings: false,
        attention_bias: false,
        bos_token_id: None,
        eos_token_id: Vec::new(),
        pad_token_id: None,
        vision: None,
        generation: None,
        other: Default::default(),
    }
}

/// Tokens at random.
fn tokens(count: usize, vocabulary: usize) -> Vec<u32> {
    let mut stream = Stream::new(0, Purpose::Task, 0, 0);
    (0..count).map(|_| stream.below(vocabulary) as u32).collect()
}

/// `rows` answers of `new` tokens to a prompt of `prompt` tokens.
fn speak(decoder: &Decoder<Cpu>, prompt: usize, rows: usize, new: usize, temperature: f64) -> Result<()> {
    let streams = (0..rows).map(|row| Stream::new(0, Purpose::Rollout, 0, row as u64)).collect();
    let prompt = tokens(prompt, decoder.config().vocab_size);
    let sampling = Sampling { temperature, max_tokens: new, ..Sampling::default() };
    decoder.generate(&[Request { prompt, copies: rows, streams }], &sampling, None).map(drop)
}

/// `−log p` of a token for each row, by the functions that a recipe's `CrossEntropy` calls.
pub(super) struct CrossEntropy(pub Vec<u32>);

impl TokenLoss for CrossEntropy {
    fn row(&self, row: usize, logits: &[f32], grad: Option<&mut [f32]>) -> f64 {
        let target = self.0[row] as usize;
        let mut student = match grad {
            Some(grad) => StudentRow::traced(logits, target, grad),
            None => StudentRow::whole(logits, target),
        };
        student.push_log_prob(-1.0);
        -f64::from(student.log_prob())
    }

    fn described(&self, row: usize) -> Option<Described<'_>> {
        Some(Described { sampled: self.0[row], ..own(Own::CrossEntropy) })
    }
}
