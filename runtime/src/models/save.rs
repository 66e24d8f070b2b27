//! Weights into a Hugging Face folder, so that `transformers` can load it.

use super::config::ModelConfig;
use super::decoder::Decoder;
use super::generation_config::GenerationConfig;
use super::vision::VisionConfig;
use crate::error::{Error, Result};
use crate::tensor::Device;
use half::bf16;
use safetensors::tensor::{serialize_to_file, View};
use safetensors::Dtype;
use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

/// The number type of saved weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WeightType {
    /// 32 bits: loading gives the same bits back.
    F32,
    /// 16 bits, rounded to nearest, ties to even: half the size.
    Bf16,
}

impl<D: Device> Decoder<D> {
    /// Writes `config.json`, `model.safetensors` and, if one was read, `generation_config.json` into folder
    /// `dir`, which is made if it is not there; adapters are merged into the weights.
    /// Each file is replaced whole or not at all.
    ///
    /// # Errors
    /// When the folder cannot be made or a file cannot be written.
    pub fn save(&self, dir: &Path, as_: WeightType) -> Result<()> {
        std::fs::create_dir_all(dir).map_err(|why| Error::writing(dir, why))?;
        let dtype = if as_ == WeightType::Bf16 { Dtype::BF16 } else { Dtype::F32 };
        let stored = |index: usize| Stored { decoder: self, index, dtype };
        let tensors = (0..self.parameters.len()).map(|index| (self.parameters[index].name(), stored(index)));
        // transformers refuses files that do not say which framework wrote them
        let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
        replace(&dir.join("model.safetensors"), |path| {
            serialize_to_file(tensors, Some(metadata), path).map_err(|why| Error::writing(path, why))
        })?;
        self.config.save(dir, as_)
    }
}

impl ModelConfig {
    /// Writes `config.json` and, if there is one, `generation_config.json`, for weights of this type.
    pub(crate) fn save(&self, dir: &Path, as_: WeightType) -> Result<()> {
        let text = |name: &str, text: String| {
            replace(&dir.join(name), |path| {
                std::fs::write(path, text).map_err(|why| Error::writing(path, why))
            })
        };
        if let Some(generation) = &self.generation {
            text(GenerationConfig::FILE, generation.to_json())?;
        }
        if let Some((name, of_images)) = self.vision.as_ref().map(VisionConfig::preprocessor) {
            text(name, of_images)?;
        }
        text("config.json", self.to_json(if as_ == WeightType::Bf16 { "bfloat16" } else { "float32" }))
    }
}

/// Writes a file beside `path`, makes sure it is on the disk, and puts it in place.
pub(crate) fn replace(path: &Path, write: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.{}", std::process::id()));
    let settle = || {
        std::fs::File::open(&beside)?.sync_all()?;
        readable(&beside)?;
        std::fs::rename(&beside, path)
    };
    let done = write(&beside).and_then(|()| settle().map_err(|why| Error::writing(path, why)));
    if done.is_err() {
        // what is left of it is of no use; that it cannot be removed would not be news
        let _ = std::fs::remove_file(&beside);
    }
    done
}

/// Lets everybody read a file: the library makes it for its owner alone.
#[cfg(unix)]
fn readable(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644))
}

/// Nothing to do where files have no modes.
#[cfg(not(unix))]
fn readable(_: &Path) -> std::io::Result<()> {
    Ok(())
}

/// A parameter as it is stored, merged and converted when it is asked for.
struct Stored<'a, D: Device> {
    decoder: &'a Decoder<D>,
    index: usize,
    dtype: Dtype,
}

impl<D: Device> View for Stored<'_, D> {
    fn dtype(&self) -> Dtype {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        self.decoder.parameters[self.index].shape()
    }

    fn data(&self) -> Cow<'_, [u8]> {
        let values = self.decoder.merged(self.index);
        Cow::Owned(match self.dtype {
            Dtype::BF16 => values.iter().flat_map(|&v| bf16::from_f32(v).to_le_bytes()).collect(),
            _ => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
        })
    }

    fn data_len(&self) -> usize {
        let width = if self.dtype == Dtype::BF16 { 2 } else { 4 };
        width * self.shape().iter().product::<usize>()
    }
}
