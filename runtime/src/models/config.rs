//! `config.json` as Hugging Face writes it, for the models we can run; what we cannot run is refused by name.

use super::fields::{tokens_to_json, Fields};
use super::generation_config::GenerationConfig;
use super::rope::RopeScaling;
use super::vision::{self, VisionConfig};
use crate::error::{Error, Result};
use crate::kernels::attention::Rates;
use serde_json::{json, Map, Value};
use std::path::Path;

/// The families of decoders we know, by their `model_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// `llama`: biases everywhere in attention, or nowhere.
    Llama,
    /// `qwen2`: biases on queries, keys and values.
    Qwen2,
    /// `qwen3`: each head's queries and keys are normalised.
    Qwen3,
}

impl Family {
    const ALL: [(Self, &'static str, &'static str); 3] = [
        (Self::Llama, "llama", "LlamaForCausalLM"),
        (Self::Qwen2, "qwen2", "Qwen2ForCausalLM"),
        (Self::Qwen3, "qwen3", "Qwen3ForCausalLM"),
    ];

    /// The `model_type` of this family.
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    /// The class that loads this family in `transformers`.
    pub fn architecture(self) -> &'static str {
        Self::ALL[self as usize].2
    }
}

/// The shape of a decoder and its special tokens. Field names are those of `config.json`.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelConfig {
    /// Which family (`model_type`).
    pub family: Family,
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Width of the feed-forward block.
    pub intermediate_size: usize,
    /// Number of layers.
    pub num_hidden_layers: usize,
    /// Query heads.
    pub num_attention_heads: usize,
    /// Key and value heads.
    pub num_key_value_heads: usize,
    /// Width of a head.
    pub head_dim: usize,
    /// Tokens in the vocabulary.
    pub vocab_size: usize,
    /// Positions a sequence can have.
    pub max_position_embeddings: usize,
    /// Base of the rotary angles.
    pub rope_theta: f64,
    /// How the angles are stretched.
    pub rope_scaling: RopeScaling,
    /// Added to the mean of squares in RMSNorm.
    pub rms_norm_eps: f64,
    /// Whether the output layer is the embedding table.
    pub tie_word_embeddings: bool,
    /// `attention_bias`: biases on queries, keys, values and output (llama and qwen3).
    pub attention_bias: bool,
    /// The token that begins a text.
    pub bos_token_id: Option<u32>,
    /// The tokens that end one; see [`ModelConfig::ends`].
    pub eos_token_id: Vec<u32>,
    /// The token that fills up.
    pub pad_token_id: Option<u32>,
    /// Its eyes, where it has some: then everything above is of `text_config`.
    pub vision: Option<VisionConfig>,
    /// `generation_config.json`, where the folder has one.
    pub generation: Option<GenerationConfig>,
    /// What else the file says, which changes nothing here and is written back.
    pub other: Map<String, Value>,
}

impl ModelConfig {
    /// Whether queries, keys and values have biases.
    pub fn qkv_bias(&self) -> bool {
        self.attention_bias || self.family == Family::Qwen2
    }

    /// Whether the output of attention has a bias.
    pub fn output_bias(&self) -> bool {
        self.attention_bias && self.family != Family::Qwen2
    }

    /// Whether each head's queries and keys are normalised.
    pub fn head_norms(&self) -> bool {
        self.family == Family::Qwen3
    }

    /// The rates at which the pairs of a head turn.
    pub fn rates(&self) -> Rates {
        self.rope_scaling.rates(self.head_dim, self.rope_theta)
    }

    /// The tokens at which a response ends: those of `generation_config.json`, or else of `config.json`.
    pub fn ends(&self) -> &[u32] {
        let generation = self.generation.as_ref().map(GenerationConfig::eos_token_id);
        generation.filter(|ends| !ends.is_empty()).unwrap_or(&self.eos_token_id)
    }

    /// Reads `config.json` in folder `dir`, and `generation_config.json` if it is there.
    ///
    /// # Errors
    /// When one cannot be read, is no JSON, lacks a field, or asks for something we do not support: with
    /// file and field.
    pub fn load(dir: &Path) -> Result<Self> {
        let fields = Fields::load(&dir.join("config.json"))?;
        let generation = GenerationConfig::load(dir)?;
        let mut config = Self::read(&fields)?;
        if let Some(generation) = &generation {
            generation.check(config.vocab_size, &dir.join(GenerationConfig::FILE))?;
        }
        config.generation = generation;
        config.vision.as_mut().map_or(Ok(()), |eyes| eyes.prepare(dir))?;
        Ok(config)
    }

    /// Reads the text of a `config.json`; errors name it as `file`.
    ///
    /// # Errors
    /// As [`ModelConfig::load`].
    pub fn parse(text: &str, file: &str) -> Result<Self> {
        Self::read(&Fields::parse(text, file)?)
    }

    fn read(fields: &Fields) -> Result<Self> {
        let Some((text, eyes)) = vision::split(fields)? else { return Self::read_decoder(fields, None) };
        Self::read_decoder(&text, Some(eyes))
    }

    fn read_decoder(fields: &Fields, vision: Option<VisionConfig>) -> Result<Self> {
        let family = family(fields)?;
        refuse_unsupported(fields, family)?;
        let (hidden, heads) = (fields.size("hidden_size")?, fields.size("num_attention_heads")?);
        let positions = fields.size("max_position_embeddings")?;
        let config = Self {
            family,
            hidden_size: hidden,
            intermediate_size: fields.size("intermediate_size")?,
            num_hidden_layers: fields.size("num_hidden_layers")?,
            num_attention_heads: heads,
            num_key_value_heads: fields.size_or("num_key_value_heads", heads)?,
            // qwen3 has heads that are not hidden / heads wide, and transformers' default for it is 128
            head_dim: fields
                .size_or("head_dim", if family == Family::Qwen3 { 128 } else { hidden / heads })?,
            vocab_size: fields.size("vocab_size")?,
            max_position_embeddings: positions,
            rope_theta: rope_theta(fields)?,
            rope_scaling: RopeScaling::read(fields, positions)?,
            rms_norm_eps: fields.number("rms_norm_eps", 1e-6)?,
            tie_word_embeddings: fields.flag("tie_word_embeddings")?,
            attention_bias: fields.flag("attention_bias")?,
            bos_token_id: fields.tokens("bos_token_id")?.first().copied(),
            eos_token_id: fields.tokens("eos_token_id")?,
            pad_token_id: fields.tokens("pad_token_id")?.first().copied(),
            vision,
            generation: None,
            other: others(fields, &READ),
        };
        config.check_in(&fields.file)?;
        Ok(config)
    }

    /// Checks that the sizes go together.
    ///
    /// # Errors
    /// When they do not: with the field and both numbers.
    pub fn check(&self) -> Result<()> {
        self.check_in("")
    }

    fn check_in(&self, file: &str) -> Result<()> {
        let wrong = |field: &str, what: String| Err(Error::call(what).at(format!("{file}field `{field}`")));
        let (query, shared) = (self.num_attention_heads, self.num_key_value_heads);
        if query == 0 || shared == 0 || query % shared != 0 {
            return wrong(
                "num_key_value_heads",
                format!("{query} heads cannot share {shared} keys and values"),
            );
        }
        if self.head_dim == 0 || !self.head_dim.is_multiple_of(2) {
            return wrong("head_dim", format!("{} is not a positive even number", self.head_dim));
        }
        let sizes = [
            ("hidden_size", self.hidden_size),
            ("intermediate_size", self.intermediate_size),
            ("num_hidden_layers", self.num_hidden_layers),
            ("vocab_size", self.vocab_size),
            ("max_position_embeddings", self.max_position_embeddings),
            ("num_attention_heads", query),
            ("head_dim", self.head_dim),
        ];
        for (field, size) in sizes {
            let most = if field == "num_hidden_layers" { 1 << 16 } else { 1 << 28 };
            if size == 0 || size > most {
                return wrong(field, format!("{size} is not a size a model can have"));
            }
        }
        for (field, value) in [("rope_theta", self.rope_theta), ("rms_norm_eps", self.rms_norm_eps)] {
            if !value.is_finite() || value <= 0.0 {
                return wrong(field, format!("{value} is not a positive number"));
            }
        }
        if let Some((field, what)) = self.rope_scaling.fault() {
            return wrong(&format!("rope_scaling.{field}"), what.into());
        }
        let specials = [("bos_token_id", self.bos_token_id), ("pad_token_id", self.pad_token_id)];
        let ends = self.eos_token_id.iter().map(|&id| ("eos_token_id", Some(id)));
        let image = self.vision.iter().map(|eyes| ("image_token_id", Some(eyes.image_token_id)));
        for (field, id) in specials.into_iter().chain(ends).chain(image) {
            if let Some(id) = id.filter(|&id| id as usize >= self.vocab_size) {
                return wrong(field, format!("{id} is outside the vocabulary of {}", self.vocab_size));
            }
        }
        self.vision.as_ref().map_or(Ok(()), |eyes| eyes.check_in(file))
    }

    /// The text of a `config.json` for weights stored as `torch_dtype`, which `transformers` reads.
    pub fn to_json(&self, torch_dtype: &str) -> String {
        let mut fields = json!({
            "architectures": [self.family.architecture()],
            "model_type": self.family.name(),
            "hidden_size": self.hidden_size,
            "intermediate_size": self.intermediate_size,
            "num_hidden_layers": self.num_hidden_layers,
            "num_attention_heads": self.num_attention_heads,
            "num_key_value_heads": self.num_key_value_heads,
            "head_dim": self.head_dim,
            "vocab_size": self.vocab_size,
            "max_position_embeddings": self.max_position_embeddings,
            "rope_theta": self.rope_theta,
            "rope_scaling": self.rope_scaling.to_json(),
            "rms_norm_eps": self.rms_norm_eps,
            "tie_word_embeddings": self.tie_word_embeddings,
            "attention_bias": self.attention_bias,
            "hidden_act": "silu",
            "bos_token_id": self.bos_token_id,
            "eos_token_id": tokens_to_json(&self.eos_token_id),
            "pad_token_id": self.pad_token_id,
            "torch_dtype": torch_dtype,
        });
        if self.family == Family::Llama {
            fields["mlp_bias"] = json!(false);
        }
        if let Value::Object(fields) = &mut fields {
            for (field, value) in &self.other {
                fields.entry(field).or_insert_with(|| value.clone());
            }
        }
        if let Some(eyes) = &self.vision {
            fields = eyes.around(fields, torch_dtype);
        }
        format!("{fields:#}\n")
    }
}

/// Fields that are read, and written from what was read.
const READ: [&str; 23] = [
    "architectures",
    "model_type",
    "hidden_size",
    "intermediate_size",
    "num_hidden_layers",
    "num_attention_heads",
    "num_key_value_heads",
    "head_dim",
    "vocab_size",
    "max_position_embeddings",
    "rope_theta",
    "rope_scaling",
    "rope_parameters",
    "rms_norm_eps",
    "tie_word_embeddings",
    "attention_bias",
    "mlp_bias",
    "hidden_act",
    "bos_token_id",
    "eos_token_id",
    "pad_token_id",
    "torch_dtype",
    // the newer name of the line above
    "dtype",
];

/// Fields that would be wrong in another folder: where this one was, and code that is not copied.
const DROPPED: [&str; 2] = ["_name_or_path", "auto_map"];

/// The fields that are not among those `read`.
pub(super) fn others(fields: &Fields, read: &[&str]) -> Map<String, Value> {
    let other = |field: &str| !read.contains(&field) && !DROPPED.contains(&field);
    fields.values.iter().filter(|(field, _)| other(field)).map(|(f, v)| (f.clone(), v.clone())).collect()
}

fn family(fields: &Fields) -> Result<Family> {
    let Some(name) = fields.get("model_type").and_then(Value::as_str) else {
        return fields.wrong("model_type", "is missing: it says which kind of model this is");
    };
    match Family::ALL.iter().find(|(_, known, _)| *known == name) {
        Some((family, _, _)) => Ok(*family),
        None => Err(Error::call(format!("`{name}` models are not supported"))
            .at(format!("{}field `model_type`", fields.file))
            .next("supported are llama, qwen2 and qwen3, and idefics3 and smolvlm around llama")),
    }
}

/// The base, in the field of its own or in `rope_parameters`, where newer versions of transformers put it.
fn rope_theta(fields: &Fields) -> Result<f64> {
    let own = fields.number("rope_theta", 10_000.0)?;
    match fields.get("rope_parameters") {
        Some(_) => fields.nested("rope_parameters")?.number("rope_theta", own),
        None => Ok(own),
    }
}

fn refuse_unsupported(fields: &Fields, family: Family) -> Result<()> {
    let refuse = |field: &str, what: String| fields.wrong(field, format!("{what} is not supported"));
    // Qwen's files name a window even where it is not used; Llama's name none
    let slides = fields.flag("use_sliding_window")?
        || (family == Family::Llama && fields.get("sliding_window").is_some());
    if slides {
        return refuse("sliding_window", "a sliding window".into());
    }
    let layers = fields.get("layer_types").and_then(Value::as_array);
    if layers.is_some_and(|layers| layers.iter().any(|layer| layer.as_str() != Some("full_attention"))) {
        return refuse("layer_types", "attention other than `full_attention`".into());
    }
    if fields.flag("mlp_bias")? {
        return refuse("mlp_bias", "a bias in the feed-forward block".into());
    }
    if let Some(act) = fields.get("hidden_act").filter(|act| act.as_str() != Some("silu")) {
        return refuse("hidden_act", format!("the activation {act}"));
    }
    if fields.get("quantization_config").is_some() {
        return refuse("quantization_config", "a quantised model".into());
    }
    match fields.number("partial_rotary_factor", 1.0)? {
        1.0 => Ok(()),
        share => refuse("partial_rotary_factor", format!("rotating {share} of each head")),
    }
}
