//! `config.json` as Hugging Face writes it, for the models we can run; what we cannot run is refused by name.

use crate::error::{Error, Result};
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
    /// Added to the mean of squares in RMSNorm.
    pub rms_norm_eps: f64,
    /// Whether the output layer is the embedding table.
    pub tie_word_embeddings: bool,
    /// `attention_bias`: biases on queries, keys, values and output (llama and qwen3).
    pub attention_bias: bool,
    /// The token that begins a text.
    pub bos_token_id: Option<u32>,
    /// The tokens that end one.
    pub eos_token_id: Vec<u32>,
    /// The token that fills up.
    pub pad_token_id: Option<u32>,
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

    /// Reads `config.json` in folder `dir`.
    ///
    /// # Errors
    /// When it cannot be read, is no JSON, lacks a field, or asks for something we do not support: with
    /// file and field.
    pub fn load(dir: &Path) -> Result<Self> {
        let path = dir.join("config.json");
        let text = std::fs::read_to_string(&path).map_err(|why| Error::reading(&path, why))?;
        Self::parse(&text, &path.display().to_string())
    }

    /// Reads the text of a `config.json`; errors name it as `file`.
    ///
    /// # Errors
    /// As [`ModelConfig::load`].
    pub fn parse(text: &str, file: &str) -> Result<Self> {
        let value = serde_json::from_str(text)
            .map_err(|why| Error::call(format!("is not valid JSON: {why}")).at(file))?;
        let Value::Object(values) = value else {
            return Err(Error::call("is not a JSON object").at(file));
        };
        let fields = Fields { values, file: format!("{file}: ") };
        let family = fields.family()?;
        fields.refuse_unsupported()?;
        let (hidden, heads) = (fields.size("hidden_size")?, fields.size("num_attention_heads")?);
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
            max_position_embeddings: fields.size("max_position_embeddings")?,
            rope_theta: fields.rope_theta()?,
            rms_norm_eps: fields.number("rms_norm_eps", 1e-6)?,
            tie_word_embeddings: fields.flag("tie_word_embeddings")?,
            attention_bias: fields.flag("attention_bias")?,
            bos_token_id: fields.tokens("bos_token_id")?.first().copied(),
            eos_token_id: fields.tokens("eos_token_id")?,
            pad_token_id: fields.tokens("pad_token_id")?.first().copied(),
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
        let specials = [("bos_token_id", self.bos_token_id), ("pad_token_id", self.pad_token_id)];
        let ends = self.eos_token_id.iter().map(|&id| ("eos_token_id", Some(id)));
        for (field, id) in specials.into_iter().chain(ends) {
            if let Some(id) = id.filter(|&id| id as usize >= self.vocab_size) {
                return wrong(field, format!("{id} is outside the vocabulary of {}", self.vocab_size));
            }
        }
        Ok(())
    }

    /// The text of a `config.json` for weights stored as `torch_dtype`, which `transformers` reads.
    pub fn to_json(&self, torch_dtype: &str) -> String {
        let eos = match self.eos_token_id.as_slice() {
            [] => Value::Null,
            [one] => json!(one),
            many => json!(many),
        };
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
            "rms_norm_eps": self.rms_norm_eps,
            "tie_word_embeddings": self.tie_word_embeddings,
            "attention_bias": self.attention_bias,
            "hidden_act": "silu",
            "bos_token_id": self.bos_token_id,
            "eos_token_id": eos,
            "pad_token_id": self.pad_token_id,
            "torch_dtype": torch_dtype,
            "use_cache": true,
        });
        if self.family == Family::Llama {
            fields["mlp_bias"] = json!(false);
        }
        format!("{fields:#}\n")
    }
}

/// The fields of a `config.json`.
struct Fields {
    values: Map<String, Value>,
    /// What stands before a field where an error says where it is.
    file: String,
}

impl Fields {
    /// A field that is there and not null.
    fn get(&self, field: &str) -> Option<&Value> {
        self.values.get(field).filter(|value| !value.is_null())
    }

    fn wrong<T>(&self, field: &str, what: impl Into<String>) -> Result<T> {
        Err(Error::call(what).at(format!("{}field `{field}`", self.file)))
    }

    fn size(&self, field: &str) -> Result<usize> {
        match self.get(field) {
            None => self.wrong(field, "is missing"),
            Some(value) => match value.as_u64() {
                Some(size) if size > 0 && size <= 1 << 40 => Ok(size as usize),
                _ => self.wrong(field, format!("{value} is not a positive whole number")),
            },
        }
    }

    fn size_or(&self, field: &str, default: usize) -> Result<usize> {
        self.get(field).map_or(Ok(default), |_| self.size(field))
    }

    fn number(&self, field: &str, default: f64) -> Result<f64> {
        match self.get(field) {
            None => Ok(default),
            Some(value) => {
                value.as_f64().map_or_else(|| self.wrong(field, format!("{value} is not a number")), Ok)
            }
        }
    }

    fn flag(&self, field: &str) -> Result<bool> {
        match self.get(field) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(value) => self.wrong(field, format!("{value} is neither true nor false")),
        }
    }

    /// No token, one, or a list of them.
    fn tokens(&self, field: &str) -> Result<Vec<u32>> {
        let one = |value: &Value| match value.as_u64().map(u32::try_from) {
            Some(Ok(id)) => Ok(id),
            _ => self.wrong(field, format!("{value} is not a token id")),
        };
        match self.get(field) {
            None => Ok(Vec::new()),
            Some(Value::Array(values)) => values.iter().map(one).collect(),
            Some(value) => Ok(vec![one(value)?]),
        }
    }

    fn family(&self) -> Result<Family> {
        let Some(name) = self.get("model_type").and_then(Value::as_str) else {
            return self.wrong("model_type", "is missing: it says which kind of model this is");
        };
        match Family::ALL.iter().find(|(_, known, _)| *known == name) {
            Some((family, _, _)) => Ok(*family),
            None => Err(Error::call(format!("`{name}` models are not supported"))
                .at(format!("{}field `model_type`", self.file))
                .next("supported are llama, qwen2 and qwen3")),
        }
    }

    /// The base, in the field of its own or in `rope_parameters`, where newer versions of transformers put
    /// it.
    fn rope_theta(&self) -> Result<f64> {
        match self.get("rope_parameters").and_then(|nested| nested.get("rope_theta")) {
            Some(theta) => theta.as_f64().map_or_else(
                || self.wrong("rope_parameters.rope_theta", format!("{theta} is not a number")),
                Ok,
            ),
            None => self.number("rope_theta", 10_000.0),
        }
    }

    fn refuse_unsupported(&self) -> Result<()> {
        let refuse = |field: &str, what: String| self.wrong(field, format!("{what} is not supported"));
        for field in ["rope_scaling", "rope_parameters"] {
            let kind = self.get(field).map(|nested| {
                let kind = nested.get("rope_type").or_else(|| nested.get("type"));
                kind.and_then(Value::as_str).unwrap_or("default").to_owned()
            });
            if let Some(kind) = kind.filter(|kind| kind != "default") {
                return refuse(field, format!("rotary scaling of type `{kind}`"));
            }
        }
        let llama = self.get("model_type").and_then(Value::as_str) == Some("llama");
        let slides = self.flag("use_sliding_window")? || (llama && self.get("sliding_window").is_some());
        let listed = self
            .get("layer_types")
            .and_then(Value::as_array)
            .is_some_and(|layers| layers.iter().any(|layer| layer.as_str() != Some("full_attention")));
        if slides {
            return refuse("sliding_window", "a sliding window".into());
        }
        if listed {
            return refuse("layer_types", "attention other than `full_attention`".into());
        }
        if self.flag("mlp_bias")? {
            return refuse("mlp_bias", "a bias in the feed-forward block".into());
        }
        if let Some(act) = self.get("hidden_act").filter(|act| act.as_str() != Some("silu")) {
            return refuse("hidden_act", format!("the activation {act}"));
        }
        if self.get("quantization_config").is_some() {
            return refuse("quantization_config", "a quantised model".into());
        }
        match self.get("partial_rotary_factor").and_then(Value::as_f64) {
            Some(share) if share != 1.0 => {
                refuse("partial_rotary_factor", format!("rotating {share} of each head"))
            }
            _ => Ok(()),
        }
    }
}
