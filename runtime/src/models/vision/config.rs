//! The part of `config.json` that is about eyes, and `preprocessor_config.json`.

use crate::error::{Error, Result};
use crate::models::config::others;
use crate::models::fields::Fields;
use serde_json::{json, Map, Value};
use std::path::Path;

/// Which of the two names a folder goes by; the models are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Eyes {
    /// `idefics3`.
    Idefics3,
    /// `smolvlm`.
    SmolVlm,
}

impl Eyes {
    const ALL: [(Self, &'static str, &'static str); 2] = [
        (Self::Idefics3, "idefics3", "Idefics3ForConditionalGeneration"),
        (Self::SmolVlm, "smolvlm", "SmolVLMForConditionalGeneration"),
    ];
}

/// The shape of a model's eyes. Names are those of `config.json` and its `vision_config`.
#[derive(Clone, Debug, PartialEq)]
pub struct VisionConfig {
    /// The `model_type` of the whole.
    pub eyes: Eyes,
    /// Width of the tower's residual stream.
    pub hidden_size: usize,
    /// Width of its feed-forward block.
    pub intermediate_size: usize,
    /// Its layers.
    pub num_hidden_layers: usize,
    /// Its heads.
    pub num_attention_heads: usize,
    /// Pixels to a side: an image of another size is scaled to it.
    pub image_size: usize,
    /// Pixels to a side of a patch.
    pub patch_size: usize,
    /// Added to the variance in LayerNorm.
    pub layer_norm_eps: f64,
    /// So many patches to a side are folded into one token.
    pub scale_factor: usize,
    /// The token that stands where an image's rows go.
    pub image_token_id: u32,
    /// Subtracted from each channel, of which 1 is full.
    pub image_mean: [f32; 3],
    /// What each channel is divided by then.
    pub image_std: [f32; 3],
    /// What else `config.json` says beside `text_config`, and `vision_config` in it; written back.
    pub other: [Map<String, Value>; 2],
}

impl VisionConfig {
    /// The file with means and deviations.
    const PREPROCESSOR: &'static str = "preprocessor_config.json";

    /// Eyes of these sizes, in everything else like SmolVLM's.
    pub fn new(image_size: usize, patch_size: usize, scale_factor: usize, image_token_id: u32) -> Self {
        Self {
            eyes: Eyes::Idefics3,
            hidden_size: 64,
            intermediate_size: 128,
            num_hidden_layers: 2,
            num_attention_heads: 4,
            image_size,
            patch_size,
            layer_norm_eps: 1e-6,
            scale_factor,
            image_token_id,
            image_mean: [0.5; 3],
            image_std: [0.5; 3],
            other: Default::default(),
        }
    }

    /// Patches to a side.
    pub fn side(&self) -> usize {
        self.image_size / self.patch_size
    }

    /// Patches of an image.
    pub fn patches(&self) -> usize {
        self.side() * self.side()
    }

    /// The tokens that an image takes.
    pub fn tokens(&self) -> usize {
        self.patches() / (self.scale_factor * self.scale_factor)
    }

    /// Numbers of a patch: its pixels' channels.
    pub(super) fn patch_width(&self) -> usize {
        3 * self.patch_size * self.patch_size
    }

    fn read(fields: &Fields, eyes: Eyes) -> Result<Self> {
        let vision = fields.nested("vision_config")?;
        let refuse = |field: &str, what: String| vision.wrong(field, format!("{what} is not supported"));
        if let Some(act) = vision.get("hidden_act").filter(|act| act.as_str() != Some("gelu_pytorch_tanh")) {
            return refuse("hidden_act", format!("the activation {act}"));
        }
        if vision.size_or("num_channels", 3)? != 3 {
            return refuse("num_channels", "an image of other than 3 channels".into());
        }
        // what a file leaves out is what the class has by itself
        let config = Self {
            eyes,
            hidden_size: vision.size_or("hidden_size", 1152)?,
            intermediate_size: vision.size_or("intermediate_size", 3072)?,
            num_hidden_layers: vision.size_or("num_hidden_layers", 12)?,
            num_attention_heads: vision.size_or("num_attention_heads", 16)?,
            image_size: vision.size_or("image_size", 224)?,
            patch_size: vision.size_or("patch_size", 32)?,
            layer_norm_eps: vision.number("layer_norm_eps", 1e-6)?,
            scale_factor: fields.size_or("scale_factor", 2)?,
            image_token_id: match fields.tokens("image_token_id")?[..] {
                [] => 128_257,
                [id, ..] => id,
            },
            image_mean: [0.5; 3],
            image_std: [0.5; 3],
            other: [others(fields, &TOP), others(&vision, &VISION)],
        };
        config.check_in(&fields.file)?;
        Ok(config)
    }

    /// Takes means and deviations from `preprocessor_config.json` in folder `dir`, where there is one.
    ///
    /// # Errors
    /// A file that cannot be read, or that asks for something we do not do.
    pub(in crate::models) fn prepare(&mut self, dir: &Path) -> Result<()> {
        let path = dir.join(Self::PREPROCESSOR);
        if !path.is_file() {
            return Ok(());
        }
        let fields = Fields::load(&path)?;
        for (field, into) in [("image_mean", &mut self.image_mean), ("image_std", &mut self.image_std)] {
            let Some(value) = fields.get(field) else { continue };
            let numbers = value.as_array().into_iter().flatten().filter_map(Value::as_f64);
            match numbers.map(|number| number as f32).collect::<Vec<_>>()[..] {
                [r, g, b] if r.is_finite() && g.is_finite() && b.is_finite() => *into = [r, g, b],
                _ => return fields.wrong(field, format!("{value} is not a number for each of 3 channels")),
            }
        }
        if self.image_std.iter().any(|&deviation| deviation <= 0.0) {
            return fields.wrong("image_std", "a channel cannot be divided by this: it must be above 0");
        }
        Ok(())
    }

    /// The text of a `preprocessor_config.json` that makes of an image what we do, but for how it is scaled.
    pub(in crate::models) fn preprocessor(&self) -> (&'static str, String) {
        let size = json!({"longest_edge": self.image_size});
        let fields = json!({
            "image_processor_type": "Idefics3ImageProcessor",
            "do_convert_rgb": true, "do_resize": true, "do_image_splitting": false,
            "do_rescale": true, "rescale_factor": 1.0 / 255.0, "do_normalize": true, "do_pad": true,
            "image_mean": self.image_mean, "image_std": self.image_std,
            "size": size, "max_image_size": size,
        });
        (Self::PREPROCESSOR, format!("{fields:#}\n"))
    }

    /// Checks that the sizes go together.
    ///
    /// # Errors
    /// When they do not: with the field and both numbers.
    pub(in crate::models) fn check_in(&self, file: &str) -> Result<()> {
        let wrong = |field: &str, what: String| Err(Error::call(what).at(format!("{file}field `{field}`")));
        let (size, patch, heads) = (self.image_size, self.patch_size, self.num_attention_heads);
        let sizes = [size, patch, heads, self.hidden_size, self.intermediate_size, self.num_hidden_layers];
        if sizes.iter().any(|&size| size == 0 || size > 1 << 16) {
            return wrong("vision_config", format!("{sizes:?} are not sizes that eyes can have"));
        }
        if !size.is_multiple_of(patch) {
            let what = format!("patches of {patch} pixels do not divide an image of {size}");
            return wrong("vision_config.patch_size", what);
        }
        if self.scale_factor == 0 || !self.side().is_multiple_of(self.scale_factor) {
            let what = format!("{} patches to a side are not made of {}s", self.side(), self.scale_factor);
            return wrong("scale_factor", what);
        }
        if !self.hidden_size.is_multiple_of(heads) || !(self.hidden_size / heads).is_multiple_of(2) {
            let what = format!("{} values are not {heads} heads of an even width", self.hidden_size);
            return wrong("vision_config.num_attention_heads", what);
        }
        if !(self.layer_norm_eps.is_finite() && self.layer_norm_eps > 0.0) {
            let what = format!("{} is not a positive number", self.layer_norm_eps);
            return wrong("vision_config.layer_norm_eps", what);
        }
        Ok(())
    }

    /// The text of a `config.json` around that of the decoder.
    pub(in crate::models) fn around(&self, text: Value, torch_dtype: &str) -> Value {
        let (_, name, architecture) = Eyes::ALL[self.eyes as usize];
        let vision = json!({
            "model_type": format!("{name}_vision"),
            "hidden_size": self.hidden_size,
            "intermediate_size": self.intermediate_size,
            "num_hidden_layers": self.num_hidden_layers,
            "num_attention_heads": self.num_attention_heads,
            "image_size": self.image_size,
            "patch_size": self.patch_size,
            "layer_norm_eps": self.layer_norm_eps,
            "num_channels": 3,
            "hidden_act": "gelu_pytorch_tanh",
        });
        let mut whole = json!({
            "architectures": [architecture],
            "model_type": name,
            "image_token_id": self.image_token_id,
            "scale_factor": self.scale_factor,
            "tie_word_embeddings": text["tie_word_embeddings"],
            "pad_token_id": text["pad_token_id"],
            "torch_dtype": torch_dtype,
            "text_config": text,
            "vision_config": vision,
        });
        let add = |into: &mut Value, other: &Map<String, Value>| {
            for (field, value) in other {
                if into.get(field).is_none() {
                    into[field] = value.clone();
                }
            }
        };
        let [top, vision] = &self.other;
        add(&mut whole, top);
        add(&mut whole["vision_config"], vision);
        whole
    }
}

/// Fields of the whole that are read, and written from what was read.
const TOP: [&str; 12] = [
    "architectures",
    "model_type",
    "image_token_id",
    "scale_factor",
    "text_config",
    "vision_config",
    "tie_word_embeddings",
    "bos_token_id",
    "eos_token_id",
    "pad_token_id",
    "torch_dtype",
    "dtype",
];

/// Those of its `vision_config`.
const VISION: [&str; 10] = [
    "model_type",
    "hidden_size",
    "intermediate_size",
    "num_hidden_layers",
    "num_attention_heads",
    "image_size",
    "patch_size",
    "layer_norm_eps",
    "num_channels",
    "hidden_act",
];

/// The fields of the decoder and those of the eyes, if a `config.json` is of a model with eyes.
pub(in crate::models) fn split(fields: &Fields) -> Result<Option<(Fields, VisionConfig)>> {
    let name = fields.get("model_type").and_then(Value::as_str);
    let Some(&(eyes, ..)) = Eyes::ALL.iter().find(|(_, known, _)| Some(*known) == name) else {
        return Ok(None);
    };
    let mut text = fields.nested("text_config")?;
    text.values.entry("model_type").or_insert_with(|| json!("llama"));
    // the whole says some things for its decoder
    for field in ["tie_word_embeddings", "bos_token_id", "eos_token_id", "pad_token_id"] {
        if let (None, Some(value)) = (text.get(field), fields.get(field)) {
            text.values.insert(field.to_owned(), value.clone());
        }
    }
    if let Some(tied) = fields.get("tie_word_embeddings") {
        text.values.insert("tie_word_embeddings".to_owned(), tied.clone());
    }
    Ok(Some((text, VisionConfig::read(fields, eyes)?)))
}
