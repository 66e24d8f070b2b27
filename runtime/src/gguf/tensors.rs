//! The tensors of a GGUF file under the names and in the order of rows of Hugging Face.

use super::{blocks, metadata, File};
use crate::error::{Error, Result};
use crate::kernels::exp::all_finite;
use crate::models::{replace, Family, ModelConfig, WeightType};
use gguf_rs_lib::tensor::TensorInfo;
use half::bf16;
use safetensors::tensor::{serialize_to_file, View};
use safetensors::Dtype;
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::path::Path;

impl File {
    pub fn has(&self, tensor: &str) -> bool {
        self.reader.get_tensor_info(tensor).is_some()
    }

    fn info(&self, tensor: &str) -> Result<&TensorInfo> {
        self.reader.get_tensor_info(tensor).ok_or_else(|| {
            Error::call(format!("tensor `{tensor}` is missing"))
                .at(self.path.display())
                .next("the file is not a whole model of its kind")
        })
    }

    /// A tensor's shape, rows first.
    pub fn shape(&self, tensor: &str) -> Result<Vec<usize>> {
        let dims = self.info(tensor)?.shape().dims();
        Ok(dims.iter().rev().map(|&dim| usize::try_from(dim).unwrap_or(usize::MAX)).collect())
    }

    /// A tensor's values.
    pub fn values(&self, tensor: &str) -> Result<Vec<f32>> {
        let info = self.info(tensor)?;
        let wrong = |what: String| Error::call(format!("tensor `{tensor}` {what}")).at(self.path.display());
        let kind = info.tensor_type();
        let from = self.reader.tensor_data_offset().checked_add(info.data_offset());
        let end = from.and_then(|from| from.checked_add(info.checked_expected_data_size().ok()?));
        let range = from
            .zip(end)
            .and_then(|(from, end)| Some(usize::try_from(from).ok()?..usize::try_from(end).ok()?));
        let bytes =
            range.and_then(|range| self.bytes.get(range)).ok_or_else(|| wrong("is cut off".into()))?;
        let values = blocks::dequantise(kind, bytes)
            .ok_or_else(|| wrong(format!("is of type {}; {} can be read", kind.name(), blocks::READABLE)))?;
        match all_finite(&values) {
            true => Ok(values),
            false => Err(wrong("holds numbers that are not finite".into())),
        }
    }
}

/// GGUF's name of a parameter.
fn name_in_gguf(name: &str) -> Option<String> {
    let (stem, kind) = name.rsplit_once('.')?;
    let (layer, stem) = match stem.strip_prefix("model.layers.").and_then(|rest| rest.split_once('.')) {
        Some((layer, stem)) => (Some(layer), stem),
        None => (None, stem),
    };
    let short = match stem {
        "model.embed_tokens" => "token_embd",
        "model.norm" => "output_norm",
        "lm_head" => "output",
        "input_layernorm" => "attn_norm",
        "post_attention_layernorm" => "ffn_norm",
        "self_attn.q_proj" => "attn_q",
        "self_attn.k_proj" => "attn_k",
        "self_attn.v_proj" => "attn_v",
        "self_attn.o_proj" => "attn_output",
        "self_attn.q_norm" => "attn_q_norm",
        "self_attn.k_norm" => "attn_k_norm",
        "mlp.gate_proj" => "ffn_gate",
        "mlp.up_proj" => "ffn_up",
        "mlp.down_proj" => "ffn_down",
        _ => return None,
    };
    Some(layer.map_or_else(|| format!("{short}.{kind}"), |layer| format!("blk.{layer}.{short}.{kind}")))
}

/// One parameter: its name and shape there, its name here, and the heads whose pairs are to be taken apart.
struct Source {
    name: String,
    shape: Vec<usize>,
    tensor: String,
    paired: Option<usize>,
}

/// The parameters of a model, converted when they are written.
pub(super) struct Tensors<'a> {
    file: &'a File,
    sources: Vec<Source>,
    dtype: Dtype,
    /// What went wrong with one of them.
    fault: RefCell<Option<Error>>,
}

impl<'a> Tensors<'a> {
    /// The tensors of `file`, if they are those of `config`, no more and no fewer.
    pub fn of(
        file: &'a File,
        config: &ModelConfig,
        parameters: Vec<(String, Vec<usize>)>,
        as_: WeightType,
    ) -> Result<Self> {
        let dtype = if as_ == WeightType::Bf16 { Dtype::BF16 } else { Dtype::F32 };
        let mut known = BTreeSet::from([metadata::DIVISORS.to_string()]);
        let mut sources = Vec::with_capacity(parameters.len());
        for (name, shape) in parameters {
            let Some(tensor) = name_in_gguf(&name) else { continue };
            let found = file.shape(&tensor)?;
            if found != shape {
                return Err(Error::call(format!(
                    "tensor `{tensor}` has shape {found:?}, but the metadata say {shape:?}"
                ))
                .at(file.path.display()));
            }
            // llama.cpp's converter puts the two values of a rotary pair side by side in llama's models
            let heads = [("q_proj", config.num_attention_heads), ("k_proj", config.num_key_value_heads)];
            let paired = heads.iter().find(|(side, _)| name.contains(side)).map(|(_, heads)| *heads);
            let paired = paired.filter(|_| config.family == Family::Llama);
            known.insert(tensor.clone());
            sources.push(Source { name, shape, tensor, paired });
        }
        match file.reader.tensor_infos().iter().find(|info| !known.contains(info.name())) {
            Some(info) => Err(Error::call(format!("tensor `{}` is not part of the model", info.name()))
                .at(file.path.display())
                .next("models with other parts are not supported")),
            None => Ok(Self { file, sources, dtype, fault: RefCell::new(None) }),
        }
    }

    /// Writes them as a safetensors file.
    pub fn write(self, path: &Path) -> Result<()> {
        // transformers refuses files that do not say which framework wrote them
        let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
        let views = self.sources.iter().map(|source| (&source.name, Stored { all: &self, source }));
        replace(path, |path| {
            serialize_to_file(views, Some(metadata), path).map_err(|why| Error::writing(path, why))?;
            self.fault.take().map_or(Ok(()), Err)
        })
    }
}

/// A parameter as it is written.
struct Stored<'a> {
    all: &'a Tensors<'a>,
    source: &'a Source,
}

impl View for Stored<'_> {
    fn dtype(&self) -> Dtype {
        self.all.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.source.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        let values = self.all.file.values(&self.source.tensor).unwrap_or_else(|why| {
            // the writer cannot be told; the file it writes is thrown away
            self.all.fault.borrow_mut().get_or_insert(why);
            vec![0.0; self.source.shape.iter().product()]
        });
        let values = match self.source.paired {
            Some(heads) => apart(&values, &self.source.shape, heads),
            None => values,
        };
        Cow::Owned(match self.all.dtype {
            Dtype::BF16 => values.iter().flat_map(|&v| bf16::from_f32(v).to_le_bytes()).collect(),
            _ => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
        })
    }

    fn data_len(&self) -> usize {
        let width = if self.all.dtype == Dtype::BF16 { 2 } else { 4 };
        width * self.source.shape.iter().product::<usize>()
    }
}

/// Rows in which each head's rotary pairs stand side by side, as rows in which they stand half a head apart:
/// row 2 i + s of a head becomes row s half + i.
fn apart(values: &[f32], shape: &[usize], heads: usize) -> Vec<f32> {
    let rows = shape.first().copied().unwrap_or(0);
    let (columns, head) = (values.len() / rows.max(1), rows / heads.max(1));
    let half = head / 2;
    let from = |row: usize| {
        let (head_at, within) = (row / head * head, row % head);
        head_at + 2 * (within % half) + within / half
    };
    (0..rows).flat_map(|row| &values[from(row) * columns..][..columns]).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_side_by_side_come_half_a_head_apart() {
        // two heads of four rows, one column
        let values: Vec<f32> = (0..8).map(|v| v as f32).collect();
        assert_eq!(apart(&values, &[8], 2), [0.0, 2.0, 1.0, 3.0, 4.0, 6.0, 5.0, 7.0]);
        let wide: Vec<f32> = (0..8).map(|v| v as f32).collect();
        assert_eq!(apart(&wide, &[4, 2], 1), [0.0, 1.0, 4.0, 5.0, 2.0, 3.0, 6.0, 7.0]);
    }

    #[test]
    fn names_go_over() {
        let known = |name| name_in_gguf(name).unwrap();
        assert_eq!(known("model.layers.12.self_attn.k_proj.bias"), "blk.12.attn_k.bias");
        assert_eq!(known("model.embed_tokens.weight"), "token_embd.weight");
        assert_eq!(name_in_gguf("model.layers.0.mixer.weight"), None);
    }
}
