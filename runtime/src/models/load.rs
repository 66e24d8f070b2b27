//! Weights from a Hugging Face folder: `model.safetensors`, or shards listed in
//! `model.safetensors.index.json`.

use super::config::ModelConfig;
use super::decoder::Decoder;
use super::weights::{plan, Parameter, Spec, EMBEDDING};
use crate::error::{Error, Result};
use crate::kernels::exp::all_finite;
use crate::tensor::Device;
use half::{bf16, f16};
use memmap2::Mmap;
use safetensors::{tensor::TensorView, Dtype, SafeTensors};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const WHOLE: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";

impl<D: Device> Decoder<D> {
    /// Reads `config.json` and the weights in folder `dir`; f32, f16 and bf16 are read as f32.
    ///
    /// # Errors
    /// When a file cannot be read or is cut short, or a tensor is missing, surplus, of another shape or
    /// type, or not finite: with file, tensor and both shapes.
    pub fn load(dir: &Path, device: &D) -> Result<Self> {
        let config = ModelConfig::load(dir)?;
        let files = open(dir)?;
        let tensors = index(&files)?;
        let (specs, places) = plan(&config);
        surplus(&config, &specs, &tensors)?;
        let parameter = |spec: Spec| {
            let Some(found) = tensors.get(spec.name.as_str()) else {
                return Err(Error::call(format!(
                    "tensor `{}` of shape {:?} is missing",
                    spec.name, spec.shape
                ))
                .at(dir.display())
                .next("the weights do not belong to this config.json, or a shard is missing"));
            };
            let values = found.read(&spec)?;
            Parameter::new(device, spec, values)
        };
        let parameters = specs.into_iter().map(parameter).collect::<Result<_>>()?;
        Ok(Self { config, device: device.clone(), parameters, places, adapters: None, checkpointing: false })
    }
}

/// A file in memory.
struct File {
    path: PathBuf,
    bytes: Mmap,
}

/// A tensor and the file it is in.
struct Found<'a> {
    path: &'a Path,
    view: TensorView<'a>,
}

fn open(dir: &Path) -> Result<Vec<File>> {
    let index = dir.join(INDEX);
    let names = match dir.join(WHOLE).is_file() || !index.is_file() {
        true => vec![WHOLE.to_owned()],
        false => shards(&index)?,
    };
    names.into_iter().map(|name| map(dir.join(name))).collect()
}

fn shards(index: &Path) -> Result<Vec<String>> {
    #[derive(serde::Deserialize)]
    struct Index {
        weight_map: BTreeMap<String, String>,
    }
    let text = std::fs::read_to_string(index).map_err(|why| Error::reading(index, why))?;
    let parsed: Index = serde_json::from_str(&text)
        .map_err(|why| Error::call(format!("is not an index of shards: {why}")).at(index.display()))?;
    let mut names: Vec<String> = parsed.weight_map.into_values().collect();
    names.sort();
    names.dedup();
    match names.iter().find(|name| Path::new(name).components().count() != 1 || name.contains("..")) {
        Some(name) => Err(Error::call(format!("shard `{name}` is not a file beside it")).at(index.display())),
        None => Ok(names),
    }
}

fn map(path: PathBuf) -> Result<File> {
    let file = std::fs::File::open(&path).map_err(|why| Error::reading(&path, why))?;
    // SAFETY: the mapping is read-only and lives while we read; a file that another program shortens
    // meanwhile would stop this one, as with every memory-mapped checkpoint reader.
    let bytes = unsafe { Mmap::map(&file) }.map_err(|why| Error::reading(&path, why))?;
    Ok(File { path, bytes })
}

fn index(files: &[File]) -> Result<BTreeMap<String, Found<'_>>> {
    let mut tensors = BTreeMap::new();
    for File { path, bytes } in files {
        let parsed = SafeTensors::deserialize(bytes).map_err(|why| {
            Error::call(format!("is not a whole safetensors file of {} bytes: {why}", bytes.len()))
                .at(path.display())
                .next("fetch or save it again")
        })?;
        for (name, view) in parsed.tensors() {
            if let Some(before) = tensors.insert(name.clone(), Found { path, view }) {
                let what = format!("tensor `{name}` is in {} as well", before.path.display());
                return Err(Error::call(what).at(path.display()));
            }
        }
    }
    Ok(tensors)
}

/// Refuses tensors that the model does not have, except copies of what it has.
fn surplus(config: &ModelConfig, specs: &[Spec], tensors: &BTreeMap<String, Found<'_>>) -> Result<()> {
    for (name, found) in tensors {
        let known = specs.iter().any(|spec| spec.name == *name);
        // old Llama checkpoints keep the rotary frequencies, tied ones sometimes the table twice
        let frequencies = name.ends_with("rotary_emb.inv_freq");
        let twin = || {
            tensors.get(&specs[EMBEDDING].name).is_some_and(|table| table.view.data() == found.view.data())
        };
        let tied = config.tie_word_embeddings && name == "lm_head.weight" && twin();
        if !known && !frequencies && !tied {
            let shape = found.view.shape();
            return Err(Error::call(format!("tensor `{name}` of shape {shape:?} is not part of the model"))
                .at(found.path.display())
                .next("the weights do not belong to this config.json"));
        }
    }
    Ok(())
}

impl Found<'_> {
    fn read(&self, spec: &Spec) -> Result<Vec<f32>> {
        let wrong =
            |what: String| Err(Error::call(format!("tensor `{}` {what}", spec.name)).at(self.path.display()));
        if self.view.shape() != spec.shape {
            return wrong(format!(
                "has shape {:?}, but config.json says {:?}",
                self.view.shape(),
                spec.shape
            ));
        }
        let bytes = self.view.data();
        let values: Vec<f32> = match self.view.dtype() {
            Dtype::F32 => {
                bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
            }
            Dtype::BF16 => {
                bytes.chunks_exact(2).map(|b| bf16::from_le_bytes([b[0], b[1]]).to_f32()).collect()
            }
            Dtype::F16 => bytes.chunks_exact(2).map(|b| f16::from_le_bytes([b[0], b[1]]).to_f32()).collect(),
            other => return wrong(format!("is of type {other:?}; F32, BF16 and F16 can be read")),
        };
        if values.len() != spec.len() {
            return wrong(format!("has {} values instead of {}", values.len(), spec.len()));
        }
        if !all_finite(&values) {
            return wrong("holds numbers that are not finite".into());
        }
        Ok(values)
    }
}
