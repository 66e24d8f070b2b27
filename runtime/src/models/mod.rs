//! Decoders of the Llama and Qwen families: their configuration, weights, forward passes and sampling.

mod config;
mod decoder;
mod forward;
mod generate;
mod load;
mod lora;
mod packed;
mod sample;
mod save;
mod weights;

pub use config::{Family, ModelConfig};
pub use decoder::Decoder;
pub use generate::{Generation, Request};
pub use lora::{Lora, Projection};
pub use packed::Packed;
pub use sample::{sample, Sampling};
pub use save::WeightType;
pub use weights::Parameter;

#[cfg(test)]
pub(crate) mod tests;
