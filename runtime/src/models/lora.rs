//! LoRA (arXiv 2106.09685): a linear layer W learns a product of two thin matrices beside it and stays as it
//! is itself: `y = x Wᵀ + (α / r) (x Aᵀ) Bᵀ`.

mod files;

use super::decoder::Decoder;
use super::weights::{Parameter, Spec};
use crate::error::{Error, Result};
use crate::rng::{Purpose, Stream};
use crate::tensor::Device;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// The projections of a layer that can be adapted, as Hugging Face names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Projection {
    /// Queries, `self_attn.q_proj`.
    #[serde(rename = "q_proj")]
    Q,
    /// Keys, `self_attn.k_proj`.
    #[serde(rename = "k_proj")]
    K,
    /// Values, `self_attn.v_proj`.
    #[serde(rename = "v_proj")]
    V,
    /// The output of attention, `self_attn.o_proj`.
    #[serde(rename = "o_proj")]
    O,
    /// The gate of the feed-forward block, `mlp.gate_proj`.
    #[serde(rename = "gate_proj")]
    Gate,
    /// Its other half, `mlp.up_proj`.
    #[serde(rename = "up_proj")]
    Up,
    /// Its output, `mlp.down_proj`.
    #[serde(rename = "down_proj")]
    Down,
}

impl Projection {
    /// Every projection of a layer.
    pub const ALL: [Self; 7] = [Self::Q, Self::K, Self::V, Self::O, Self::Gate, Self::Up, Self::Down];

    /// The name in a checkpoint: `q_proj`, …
    pub fn name(self) -> &'static str {
        ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"][self as usize]
    }
}

/// What of a model learns, where not all of it does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Lora {
    /// r: the width of the two factors.
    pub rank: usize,
    /// α: the product is scaled by α / r.
    pub alpha: f64,
    /// The projections that are adapted, in every layer.
    pub targets: Vec<Projection>,
}

impl Default for Lora {
    /// Every projection, r = 16 and α = 32.
    fn default() -> Self {
        Self { rank: 16, alpha: 32.0, targets: Projection::ALL.to_vec() }
    }
}

impl Lora {
    /// What is wrong with these numbers, and in which field.
    pub fn fault(&self) -> Option<(&'static str, &'static str)> {
        let twice = |(at, target): (usize, &Projection)| self.targets[..at].contains(target);
        if self.rank == 0 {
            return Some(("rank", "factors of rank 0 would teach nothing: set `rank` to at least 1"));
        }
        if !(self.alpha > 0.0 && self.alpha.is_finite()) {
            return Some(("alpha", "the product is scaled by alpha / rank: `alpha` is above 0, and finite"));
        }
        if self.targets.is_empty() {
            return Some(("targets", "no projection is adapted, so nothing would learn: name at least one"));
        }
        if self.targets.iter().enumerate().any(twice) {
            return Some(("targets", "a projection is named twice: remove one of the two"));
        }
        None
    }

    /// α / r.
    fn scale(&self) -> f32 {
        (self.alpha / self.rank as f64) as f32
    }
}

/// The factors of a decoder, beside the weights they adapt.
#[derive(Clone, Debug)]
pub(super) struct Adapters<D: Device> {
    pub lora: Lora,
    /// A `[r, in]` and B `[out, r]` of one weight after the other.
    pub factors: Vec<Parameter<D>>,
    /// Of each parameter of the decoder, where its A stands.
    places: Vec<Option<usize>>,
}

impl<D: Device> Adapters<D> {
    /// Where A and B of parameter `weight` are, and the scale of their product.
    pub fn of(&self, weight: usize) -> Option<(usize, usize, f32)> {
        self.places[weight].map(|at| (at, at + 1, self.lora.scale()))
    }

    /// Adds what parameter `weight` has learnt to `values`, its own: `W + (α / r) B A`, summed in `f64`.
    pub fn merge(&self, weight: usize, values: &mut [f32]) {
        let Some((a, b, scale)) = self.of(weight) else { return };
        let (rank, width) = (self.lora.rank, self.factors[a].shape()[1]);
        let (a, b) = (self.factors[a].to_host(), self.factors[b].to_host());
        values.par_chunks_exact_mut(width).zip(b.par_chunks_exact(rank)).for_each(|(row, b)| {
            for (column, value) in row.iter_mut().enumerate() {
                let product: f64 =
                    (0..rank).map(|k| f64::from(b[k]) * f64::from(a[k * width + column])).sum();
                *value = (f64::from(*value) + f64::from(scale) * product) as f32;
            }
        });
    }
}

impl<D: Device> Decoder<D> {
    /// Lets only low-rank factors learn from now on. A is uniform in ±1/√in, B is zero, so that the model
    /// says what it said before; the same seed gives the same factors.
    ///
    /// # Errors
    /// Settings that make no sense, a rank wider than a weight, a model that is adapted already, or a
    /// device that is out of memory.
    pub fn adapt(&mut self, lora: &Lora, seed: u64) -> Result<()> {
        if let Some((field, says)) = lora.fault() {
            return Err(Error::call(says).at(format!("`lora.{field}`")));
        }
        if self.adapters.is_some() {
            return Err(Error::call("the model is adapted already").at("`lora`"));
        }
        let (mut factors, mut places) = (Vec::new(), vec![None; self.parameters.len()]);
        for layer in 0..self.places.layers.len() {
            for target in Projection::ALL.into_iter().filter(|target| lora.targets.contains(target)) {
                let weight = self.places.layers[layer].projection(target);
                let parameter = &self.parameters[weight];
                let [outer, inner] = parameter.shape() else { continue };
                if lora.rank > *outer.min(inner) {
                    let what = format!(
                        "rank {} is no saving: `{}` is {outer} x {inner}",
                        lora.rank,
                        parameter.name()
                    );
                    return Err(Error::call(what).at("`lora.rank`").next("choose a smaller rank"));
                }
                places[weight] = Some(factors.len());
                let stem = parameter.name().trim_end_matches(".weight");
                let mut stream = Stream::new(seed, Purpose::Adapters, 0, weight as u64);
                let bound = 1.0 / (*inner as f64).sqrt();
                let first =
                    (0..lora.rank * inner).map(|_| ((2.0 * stream.uniform() - 1.0) * bound) as f32).collect();
                let spec =
                    |which: &str, shape: [usize; 2]| Spec::of(format!("{stem}.{which}.weight"), &shape);
                let (a, b) = (spec("lora_A", [lora.rank, *inner]), spec("lora_B", [*outer, lora.rank]));
                let zeros = vec![0.0; outer * lora.rank];
                factors.push(Parameter::new(&self.device, a, first)?);
                factors.push(Parameter::new(&self.device, b, zeros)?);
            }
        }
        self.adapters = Some(Adapters { lora: lora.clone(), factors, places });
        Ok(())
    }

    /// What of the model learns, where not all of it does.
    pub fn lora(&self) -> Option<&Lora> {
        self.adapters.as_ref().map(|adapters| &adapters.lora)
    }

    /// The parameters that learn, in a fixed order: all of them, or the factors beside them.
    pub fn learning(&self) -> &[Parameter<D>] {
        self.adapters.as_ref().map_or(&self.parameters, |adapters| &adapters.factors)
    }

    /// The parameters that learn, for changing their values in place.
    pub fn learning_mut(&mut self) -> &mut [Parameter<D>] {
        match &mut self.adapters {
            Some(adapters) => &mut adapters.factors,
            None => &mut self.parameters,
        }
    }

    /// Parameter `index` as a model without adapters has it, row-major.
    pub(super) fn merged(&self, index: usize) -> Vec<f32> {
        let mut values = self.parameters[index].to_host();
        if let Some(adapters) = &self.adapters {
            adapters.merge(index, &mut values);
        }
        values
    }
}
