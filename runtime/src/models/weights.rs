//! The parameters of a decoder: their names and shapes, their order, and random ones to start from.

use super::config::ModelConfig;
use super::lora::Projection;
use super::stored::Stored;
use super::vision::{self, EyePlaces};
use crate::error::{Error, Result};
use crate::kernels::embed::within;
use crate::rng::{Purpose, Stream};
use crate::tensor::{self, Device, Matrix};

/// One parameter: its name and shape in a Hugging Face checkpoint, and its value as a matrix (a vector is
/// one row).
#[derive(Clone, Debug)]
pub struct Parameter<D: Device> {
    name: String,
    shape: Vec<usize>,
    device: D,
    weights: Weights<D>,
}

/// Where a value is.
#[derive(Clone, Debug)]
enum Weights<D: Device> {
    /// On the device.
    Held(Matrix<D>),
    /// In its file: on the device only while it is used.
    Stored(Stored),
}

impl<D: Device> Parameter<D> {
    /// A parameter from row-major values.
    pub(super) fn new(device: &D, spec: Spec, values: Vec<f32>) -> Result<Self> {
        let (rows, columns) = spec.matrix();
        let weights = Weights::Held(tensor::matrix(device, rows, columns, values)?);
        Ok(Self { name: spec.name, shape: spec.shape, device: device.clone(), weights })
    }

    /// A parameter that stays in its file, and never learns.
    pub(super) fn stored(device: &D, spec: Spec, stored: Stored) -> Self {
        Self { name: spec.name, shape: spec.shape, device: device.clone(), weights: Weights::Stored(stored) }
    }

    /// The name, for example `model.layers.0.self_attn.q_proj.weight`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The shape: one or two dimensions; a convolution's has four.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Whether its value is held on the device.
    pub(super) fn is_held(&self) -> bool {
        matches!(self.weights, Weights::Held(_))
    }

    /// The value on the device: the one that is held there, or one read from its file for this use.
    ///
    /// # Errors
    /// When its file has changed, or the device is out of memory.
    pub fn value(&self) -> Result<Matrix<D>> {
        match &self.weights {
            Weights::Held(value) => Ok(value.clone()),
            Weights::Stored(stored) => {
                let (rows, columns) = matrix_of(&self.shape);
                tensor::matrix(&self.device, rows, columns, stored.values()?)
            }
        }
    }

    /// The value, held on the device.
    ///
    /// # Errors
    /// When it stays in its file.
    pub fn held(&self) -> Result<&Matrix<D>> {
        match &self.weights {
            Weights::Held(value) => Ok(value),
            Weights::Stored(_) => Err(frozen(&self.name)),
        }
    }

    /// The value, held on the device, for changing it in place. Its shape must stay.
    ///
    /// # Errors
    /// When it stays in its file.
    pub fn held_mut(&mut self) -> Result<&mut Matrix<D>> {
        match &mut self.weights {
            Weights::Held(value) => Ok(value),
            Weights::Stored(_) => Err(frozen(&self.name)),
        }
    }

    /// Rows `ids` of the matrix, where it stays in its file.
    ///
    /// # Errors
    /// When an id is not below the number of rows, or the file has changed.
    pub(super) fn stored_rows(&self, ids: &[u32]) -> Option<Result<Matrix<D>>> {
        let Weights::Stored(stored) = &self.weights else { return None };
        let (rows, columns) = matrix_of(&self.shape);
        let read = || {
            within(ids, rows)?;
            tensor::matrix(&self.device, ids.len(), columns, stored.rows(ids, columns)?)
        };
        Some(read())
    }

    /// A copy on the host, row-major.
    pub fn to_host(&self) -> Vec<f32> {
        match &self.weights {
            Weights::Held(value) => tensor::to_host(value),
            Weights::Stored(stored) => stored.as_it_is(),
        }
    }

    /// Overwrites the value with row-major `values`.
    ///
    /// # Errors
    /// When there are more or fewer of them: with the name and both numbers. When it stays in its file.
    pub fn set(&mut self, values: &[f32]) -> Result<()> {
        let expected: usize = self.shape.iter().product();
        if values.len() != expected {
            return Err(Error::call(format!("`{}` has {expected} values, not {}", self.name, values.len())));
        }
        tensor::from_host(self.held_mut()?, values)
    }

    /// A copy with its own memory; what stays in its file never changes, and is shared.
    pub(super) fn deep_copy(&self) -> Result<Self> {
        let mut copy = self.clone();
        if let Weights::Held(value) = &self.weights {
            copy.weights = Weights::Held(tensor::deep_copy(value)?);
        }
        Ok(copy)
    }
}

fn frozen(name: &str) -> Error {
    Error::run(format!("`{name}` stays in its file, and cannot learn"))
}

/// Rows and columns: a vector is one row, a convolution has a row for each of its outputs.
fn matrix_of(shape: &[usize]) -> (usize, usize) {
    match shape {
        [rows, columns @ ..] if !columns.is_empty() => (*rows, columns.iter().product()),
        _ => (1, shape.iter().product()),
    }
}

/// How a parameter starts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Start {
    One,
    Zero,
    /// Normal, with this standard deviation.
    Normal(f64),
}

/// What a parameter is before it has a value.
#[derive(Clone, Debug)]
pub(super) struct Spec {
    pub name: String,
    pub shape: Vec<usize>,
    start: Start,
}

impl Spec {
    /// A parameter whose values are given.
    pub fn of(name: String, shape: &[usize]) -> Self {
        Self { name, shape: shape.to_vec(), start: Start::Zero }
    }

    fn matrix(&self) -> (usize, usize) {
        matrix_of(&self.shape)
    }

    /// How many values it has.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Random values for parameter number `index` of a model.
    pub fn random(&self, seed: u64, index: usize) -> Vec<f32> {
        match self.start {
            Start::One => vec![1.0; self.len()],
            Start::Zero => vec![0.0; self.len()],
            Start::Normal(deviation) => {
                let mut stream = Stream::new(seed, Purpose::Weights, 0, index as u64);
                (0..self.len()).map(|_| (stream.normal() * deviation) as f32).collect()
            }
        }
    }
}

/// Where a layer's parameters are in the list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layer {
    pub input_norm: usize,
    pub qkv: [usize; 3],
    pub qkv_bias: Option<[usize; 3]>,
    pub head_norms: Option<[usize; 2]>,
    pub output: usize,
    pub output_bias: Option<usize>,
    pub post_norm: usize,
    pub gate: usize,
    pub up: usize,
    pub down: usize,
}

impl Layer {
    /// Where the weight of a projection is.
    pub fn projection(&self, which: Projection) -> usize {
        match which {
            Projection::Q => self.qkv[0],
            Projection::K => self.qkv[1],
            Projection::V => self.qkv[2],
            Projection::O => self.output,
            Projection::Gate => self.gate,
            Projection::Up => self.up,
            Projection::Down => self.down,
        }
    }
}

/// Where everything is in the list of parameters.
#[derive(Clone, Debug)]
pub(super) struct Places {
    pub layers: Vec<Layer>,
    pub norm: usize,
    /// The output layer; the embedding table (0) when tied.
    pub head: usize,
    /// The eyes, after all else.
    pub eyes: Option<EyePlaces>,
}

/// The embedding table comes first.
pub(super) const EMBEDDING: usize = 0;

/// All parameters of a model, in order, and where each is.
pub(super) fn plan(config: &ModelConfig) -> (Vec<Spec>, Places) {
    let mut specs: Vec<Spec> = Vec::new();
    let mut add = |name: String, shape: &[usize], start: Start| {
        specs.push(Spec { name, shape: shape.to_vec(), start });
        specs.len() - 1
    };
    let (hidden, inner, width) = (config.hidden_size, config.intermediate_size, config.head_dim);
    let (wide, narrow) = (config.num_attention_heads * width, config.num_key_value_heads * width);
    let normal = Start::Normal(0.02);
    // what is added to the residual stream 2 * layers times starts smaller (GPT-2)
    let residual = Start::Normal(0.02 / (2.0 * config.num_hidden_layers as f64).sqrt());
    // beside eyes the decoder is one part of the model
    let stem = if config.vision.is_some() { "model.text_model" } else { "model" };
    add(format!("{stem}.embed_tokens.weight"), &[config.vocab_size, hidden], normal);
    let layer = |i: usize| {
        let mut add =
            |name: &str, shape: &[usize], start| add(format!("{stem}.layers.{i}.{name}"), shape, start);
        let sides = [("q", wide), ("k", narrow), ("v", narrow)];
        Layer {
            input_norm: add("input_layernorm.weight", &[hidden], Start::One),
            qkv: sides
                .map(|(side, out)| add(&format!("self_attn.{side}_proj.weight"), &[out, hidden], normal)),
            qkv_bias: config.qkv_bias().then(|| {
                sides.map(|(side, out)| add(&format!("self_attn.{side}_proj.bias"), &[out], Start::Zero))
            }),
            head_norms: config.head_norms().then(|| {
                ["q", "k"].map(|side| add(&format!("self_attn.{side}_norm.weight"), &[width], Start::One))
            }),
            output: add("self_attn.o_proj.weight", &[hidden, wide], residual),
            output_bias: config.output_bias().then(|| add("self_attn.o_proj.bias", &[hidden], Start::Zero)),
            post_norm: add("post_attention_layernorm.weight", &[hidden], Start::One),
            gate: add("mlp.gate_proj.weight", &[inner, hidden], normal),
            up: add("mlp.up_proj.weight", &[inner, hidden], normal),
            down: add("mlp.down_proj.weight", &[hidden, inner], residual),
        }
    };
    let layers = (0..config.num_hidden_layers).map(layer).collect();
    let norm = add(format!("{stem}.norm.weight"), &[hidden], Start::One);
    let head = match config.tie_word_embeddings {
        true => EMBEDDING,
        false => add("lm_head.weight".into(), &[config.vocab_size, hidden], normal),
    };
    let eyes = config.vision.as_ref().map(|eyes| vision::plan(eyes, hidden, &mut add));
    (specs, Places { layers, norm, head, eyes })
}

/// The names and shapes of all parameters, in order.
#[cfg(feature = "gguf")]
pub(crate) fn parameters_of(config: &ModelConfig) -> Vec<(String, Vec<usize>)> {
    plan(config).0.into_iter().map(|spec| (spec.name, spec.shape)).collect()
}
