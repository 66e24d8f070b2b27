//! Decoders of the Llama and Qwen families, with eyes or without: their configuration, weights, forward passes and
//! sampling.

mod backward;
mod config;
mod decoder;
mod endless;
mod fields;
mod forward;
mod generate;
mod generation_config;
mod load;
mod lora;
mod loss_scale;
mod packed;
mod rope;
mod sample;
mod save;
mod stored;
mod vision;
mod weights;

pub use config::{Family, ModelConfig};
pub use decoder::Decoder;
pub use generate::{Generation, Request};
pub use generation_config::GenerationConfig;
pub use lora::{Lora, Projection};
pub use loss_scale::LossScale;
pub use packed::{Before, Packed};
pub use rope::RopeScaling;
pub(crate) use sample::sample_in as draw;
pub use sample::{sample, Sampling};
pub use save::WeightType;
pub(crate) use vision::patches_of;
pub use vision::{Eyes, Part, Picture, Sight, VisionConfig};
pub use weights::Parameter;

pub(crate) use generate::{CACHED, TOGETHER};

pub(crate) use save::replace;
#[cfg(feature = "gguf")]
pub(crate) use weights::parameters_of;

#[cfg(test)]
pub(crate) mod tests;
