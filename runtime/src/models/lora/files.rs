//! Adapters on disk, in the layout of Hugging Face's `peft`.

use super::super::decoder::Decoder;
use super::super::save::replace;
use crate::error::{Error, Result};
use crate::tensor::Device;
use safetensors::{tensor::TensorView, Dtype, SafeTensors};
use serde_json::json;
use std::path::Path;

/// What `peft` puts before the name of a parameter.
const WRAPPED: &str = "base_model.model.";
const WEIGHTS: &str = "adapter_model.safetensors";
const CONFIG: &str = "adapter_config.json";

impl<D: Device> Decoder<D> {
    /// Writes the factors into folder `dir` as `adapter_config.json` and `adapter_model.safetensors`, in f32;
    /// `base` is the model they stand beside. A model without adapters writes nothing.
    ///
    /// # Errors
    /// When the folder cannot be made or a file cannot be written.
    pub fn save_adapters(&self, dir: &Path, base: &str) -> Result<()> {
        let Some(adapters) = &self.adapters else { return Ok(()) };
        std::fs::create_dir_all(dir).map_err(|why| Error::writing(dir, why))?;
        let bytes = |values: Vec<f32>| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
        let stored: Vec<_> =
            adapters.factors.iter().map(|factor| (factor, bytes(factor.to_host()))).collect();
        let file = dir.join(WEIGHTS);
        let tensors = stored.iter().map(|(factor, bytes)| {
            let view = TensorView::new(Dtype::F32, factor.shape().to_vec(), bytes);
            Ok((format!("{WRAPPED}{}", factor.name()), view.map_err(|why| Error::writing(&file, why))?))
        });
        // which framework it is for, as peft writes it
        let metadata = [("format".to_owned(), "pt".to_owned())].into();
        let whole = safetensors::serialize(tensors.collect::<Result<Vec<_>>>()?, Some(metadata));
        let whole = whole.map_err(|why| Error::writing(&file, why))?;
        let write = |path: &Path, bytes: &[u8]| {
            replace(path, |path| std::fs::write(path, bytes).map_err(|why| Error::writing(path, why)))
        };
        write(&file, &whole)?;
        let lora = &adapters.lora;
        let config = json!({
            "peft_type": "LORA",
            "task_type": "CAUSAL_LM",
            "base_model_name_or_path": base,
            "r": lora.rank,
            "lora_alpha": lora.alpha,
            "target_modules": lora.targets,
            "lora_dropout": 0.0,
            "bias": "none",
            "fan_in_fan_out": false,
            "inference_mode": true,
        });
        write(&dir.join(CONFIG), format!("{config:#}\n").as_bytes())
    }

    /// Takes over the factors that were saved in folder `dir`. A model without adapters takes nothing.
    ///
    /// # Errors
    /// A file that cannot be read or is damaged, a factor that is missing or of another shape.
    pub fn load_adapters(&mut self, dir: &Path) -> Result<()> {
        let Some(adapters) = &mut self.adapters else { return Ok(()) };
        let file = dir.join(WEIGHTS);
        let damaged = |why: String| Error::call(format!("is damaged: {why}")).at(file.display());
        let bytes = std::fs::read(&file).map_err(|why| Error::reading(&file, why))?;
        let tensors = SafeTensors::deserialize(&bytes).map_err(|why| damaged(why.to_string()))?;
        for factor in &mut adapters.factors {
            let name = format!("{WRAPPED}{}", factor.name());
            let found = tensors.tensor(&name).map_err(|why| damaged(why.to_string()))?;
            if found.dtype() != Dtype::F32 || found.shape() != factor.shape() {
                let (shape, dtype) = (found.shape(), found.dtype());
                return Err(damaged(format!(
                    "`{name}` is {shape:?} of {dtype:?}, not {:?} of F32",
                    factor.shape()
                )));
            }
            let values = found.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
            factor.set(&values.collect::<Vec<_>>())?;
        }
        Ok(())
    }
}
