//! The parameters of a model's eyes, and the parts of a model that can be kept as they are.

use super::config::VisionConfig;
use crate::error::{Error, Result};
use crate::models::decoder::Decoder;
use crate::models::weights::Start;
use crate::tensor::{Device, Grads};
use serde::{Deserialize, Serialize};

/// A part of a model with eyes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Part {
    /// What reads patches.
    Tower,
    /// What makes of its rows what the decoder reads.
    Projector,
    /// What reads and says tokens.
    Decoder,
}

/// Where the eyes' parameters are in the list of a model's.
#[derive(Clone, Debug)]
pub(in crate::models) struct EyePlaces {
    /// The first of them; all before it are the decoder's.
    pub first: usize,
    pub patch: [usize; 2],
    pub position: usize,
    pub(super) layers: Vec<EyeLayer>,
    pub last_norm: [usize; 2],
    /// The last of them.
    pub projector: usize,
}

impl EyePlaces {
    /// The part that parameter `index` belongs to.
    pub fn part(&self, index: usize) -> Part {
        match index {
            _ if index < self.first => Part::Decoder,
            _ if index == self.projector => Part::Projector,
            _ => Part::Tower,
        }
    }
}

/// Where those of a layer are; of each pair the second is the bias.
#[derive(Clone, Copy, Debug)]
pub(super) struct EyeLayer {
    pub norms: [[usize; 2]; 2],
    /// Queries, keys, values and output.
    pub attention: [[usize; 2]; 4],
    pub feed_forward: [[usize; 2]; 2],
}

/// Names all parameters of eyes in order, with `add`, which says where each stands.
pub(in crate::models) fn plan(
    config: &VisionConfig,
    decoder_width: usize,
    mut add: impl FnMut(String, &[usize], Start) -> usize,
) -> EyePlaces {
    let (width, inner, patch) = (config.hidden_size, config.intermediate_size, config.patch_size);
    let normal = Start::Normal(0.02);
    let mut pair = |name: String, shape: &[usize], start: Start| {
        let weight = add(format!("model.vision_model.{name}.weight"), shape, start);
        [weight, add(format!("model.vision_model.{name}.bias"), &shape[..1], Start::Zero)]
    };
    // what is seen and where both count from the first step on (SigLIP)
    let of = |inputs: usize| Start::Normal(1.0 / (inputs as f64).sqrt());
    let first = pair("embeddings.patch_embedding".into(), &[width, 3, patch, patch], of(3 * patch * patch));
    let layer = |i: usize| {
        let mut pair =
            |name: &str, shape: &[usize], start| pair(format!("encoder.layers.{i}.{name}"), shape, start);
        EyeLayer {
            norms: ["layer_norm1", "layer_norm2"].map(|name| pair(name, &[width], Start::One)),
            attention: ["q", "k", "v", "out"]
                .map(|side| pair(&format!("self_attn.{side}_proj"), &[width, width], normal)),
            feed_forward: [
                pair("mlp.fc1", &[inner, width], normal),
                pair("mlp.fc2", &[width, inner], normal),
            ],
        }
    };
    let layers = (0..config.num_hidden_layers).map(layer).collect();
    let last_norm = pair("post_layernorm".into(), &[width], Start::One);
    let position = add(
        "model.vision_model.embeddings.position_embedding.weight".into(),
        &[config.patches(), width],
        of(width),
    );
    let folded = width * config.scale_factor * config.scale_factor;
    let name = "model.connector.modality_projection.proj.weight".into();
    let projector = add(name, &[decoder_width, folded], normal);
    EyePlaces { first: first[0], patch: first, position, layers, last_norm, projector }
}

impl<D: Device> Decoder<D> {
    /// Keeps these parts as they are from now on: they get no gradient, and no optimiser moves them.
    ///
    /// # Errors
    /// A part that is named twice, all of them, parts of a model without eyes, or a model with adapters.
    pub fn freeze(&mut self, parts: &[Part]) -> Result<()> {
        let wrong = |what: &str, next: &str| Err(Error::call(what).at("`freeze`").next(next));
        let has = |part| parts.contains(&part);
        if parts.is_empty() {
            return Ok(());
        }
        if self.places.eyes.is_none() {
            return wrong("the student has no eyes, and so no parts", "take `freeze` out of the run file");
        }
        if self.adapters.is_some() {
            return wrong(
                "low-rank factors learn beside a decoder that stays as it is anyway, and so do its eyes",
                "take out `freeze` or `lora`",
            );
        }
        if parts.iter().enumerate().any(|(at, part)| parts[..at].contains(part)) {
            return wrong("a part is named twice", "name it once");
        }
        if has(Part::Tower) && has(Part::Projector) && has(Part::Decoder) {
            return wrong("nothing of the student would learn", "leave one of its parts out of `freeze`");
        }
        self.still = parts.to_vec();
        Ok(())
    }

    /// Learns what `other` learns, and keeps as little of its forward passes.
    pub(crate) fn learn_as(&mut self, other: &Self) {
        self.still.clone_from(&other.still);
        self.checkpointing = other.checkpointing;
        self.loss_scale = other.loss_scale;
    }

    /// The parts that do not learn.
    pub fn frozen(&self) -> &[Part] {
        &self.still
    }

    /// Whether parameter `index` of those that learn is of a part that does not.
    pub(crate) fn stays(&self, index: usize) -> bool {
        let part = || self.places.eyes.as_ref().map(|eyes| eyes.part(index));
        !self.still.is_empty() && part().is_some_and(|part| self.still.contains(&part))
    }

    /// Clears what a backward pass found for parts that do not learn, on its way to those that do.
    pub(in crate::models) fn still_the_rest(&self, grads: &mut Grads<D>) -> Result<()> {
        (0..self.parameters.len()).filter(|&index| self.stays(index)).try_for_each(|index| grads.clear(index))
    }
}
