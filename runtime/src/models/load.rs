//! Weights from a Hugging Face folder: `model.safetensors`, or shards listed in
//! `model.safetensors.index.json`.

use super::config::ModelConfig;
use super::decoder::Decoder;
use super::stored::{MappedFile, Stored};
use super::weights::{plan, Parameter, Spec, EMBEDDING};
use crate::error::{Error, Result};
use crate::tensor::Device;
use safetensors::{tensor::TensorView, SafeTensors};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

const WHOLE: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";

impl<D: Device> Decoder<D> {
    /// Reads `config.json` and the weights in folder `dir`; f32, f16 and bf16 are read as f32.
    ///
    /// # Errors
    /// When a file cannot be read or is cut short, or a tensor is missing, surplus, of another shape or
    /// type, or not finite: with file, tensor and both shapes.
    pub fn load(dir: &Path, device: &D) -> Result<Self> {
        Self::from_folder(dir, device, |spec, _, values| Parameter::new(device, spec, values))
    }

    /// A model that never learns: its weights stay in the files of folder `dir`, mapped into memory as they are stored,
    /// and each becomes f32 while it is used. Somebody else's change to such a file is an error at the next use.
    ///
    /// # Errors
    /// As [`Decoder::load`].
    pub fn map(dir: &Path, device: &D) -> Result<Self> {
        Self::from_folder(dir, device, |spec, stored, _| Ok(Parameter::stored(device, spec, stored)))
    }

    fn from_folder(
        dir: &Path,
        device: &D,
        parameter: impl Fn(Spec, Stored, Vec<f32>) -> Result<Parameter<D>>,
    ) -> Result<Self> {
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
            let (stored, values) = found.read(&spec)?;
            parameter(spec, stored, values)
        };
        let parameters = specs.into_iter().map(parameter).collect::<Result<_>>()?;
        let device = device.clone();
        Ok(Self {
            config,
            device,
            parameters,
            places,
            adapters: None,
            checkpointing: false,
            loss_scale: None,
            still: Vec::new(),
        })
    }
}

/// A tensor and the file it is in.
struct Found<'a> {
    file: &'a Arc<MappedFile>,
    view: TensorView<'a>,
}

fn open(dir: &Path) -> Result<Vec<Arc<MappedFile>>> {
    let index = dir.join(INDEX);
    let names = match dir.join(WHOLE).is_file() || !index.is_file() {
        true => vec![WHOLE.to_owned()],
        false => shards(&index)?,
    };
    names.into_iter().map(|name| MappedFile::open(dir.join(name)).map(Arc::new)).collect()
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

fn index(files: &[Arc<MappedFile>]) -> Result<BTreeMap<String, Found<'_>>> {
    let mut tensors = BTreeMap::new();
    for file in files {
        let (path, bytes) = (file.path(), file.bytes());
        let parsed = SafeTensors::deserialize(bytes).map_err(|why| {
            Error::call(format!("is not a whole safetensors file of {} bytes: {why}", bytes.len()))
                .at(path.display())
                .next("fetch or save it again")
        })?;
        for (name, view) in parsed.tensors() {
            if let Some(before) = tensors.insert(name.clone(), Found { file, view }) {
                let what = format!("tensor `{name}` is in {} as well", before.file.path().display());
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
                .at(found.file.path().display())
                .next("the weights do not belong to this config.json"));
        }
    }
    Ok(())
}

impl Found<'_> {
    fn read(&self, spec: &Spec) -> Result<(Stored, Vec<f32>)> {
        if self.view.shape() != spec.shape {
            let what = format!("has shape {:?}, but config.json says {:?}", self.view.shape(), spec.shape);
            return Err(Error::call(format!("tensor `{}` {what}", spec.name)).at(self.file.path().display()));
        }
        let (whole, bytes) = (self.file.bytes(), self.view.data());
        let start = bytes.as_ptr() as usize - whole.as_ptr() as usize;
        Stored::new(self.file, start..start + bytes.len(), self.view.dtype(), spec)
    }
}
