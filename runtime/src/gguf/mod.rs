//! Models as llama.cpp stores them, GGUF, into folders in Hugging Face layout.

mod blocks;
mod metadata;
mod tensors;
mod tokens;

use crate::error::{Error, Result};
use crate::models::{parameters_of, replace, GenerationConfig, ModelConfig, WeightType};
use crate::world::tokenizer::Tokenizer;
use gguf_rs_lib::reader::file_reader::{open_gguf_file, GGUFFileReader};
use memmap2::Mmap;
use serde_json::json;
use std::io::BufReader;
use std::path::{Path, PathBuf};

/// An opened GGUF file.
struct File {
    path: PathBuf,
    reader: GGUFFileReader<BufReader<std::fs::File>>,
    bytes: Mmap,
}

impl File {
    fn open(path: &Path) -> Result<Self> {
        let opened = std::fs::File::open(path).map_err(|why| Error::reading(path, why))?;
        // SAFETY: the mapping is read-only and lives while we read; a file that another program shortens
        // meanwhile would stop this one, as with every memory-mapped reader.
        let bytes = unsafe { Mmap::map(&opened) }.map_err(|why| Error::reading(path, why))?;
        let reader = open_gguf_file(path).map_err(|why| {
            Error::call(format!("is not a whole GGUF file of {} bytes: {why}", bytes.len()))
                .at(path.display())
                .next("fetch it again")
        })?;
        Ok(Self { path: path.to_owned(), reader, bytes })
    }

    /// The family, by the name that GGUF and `config.json` share.
    fn architecture(&self) -> Result<&str> {
        let key = "general.architecture";
        match self.needed(key, self.text(key)?)? {
            family @ ("llama" | "qwen2" | "qwen3") => Ok(family),
            other => Err(self
                .wrong(key, format!("`{other}` models are not supported"))
                .next("supported are llama, qwen2 and qwen3")),
        }
    }
}

/// Writes the model in a GGUF file as folder `to` in Hugging Face layout: weights, `config.json`,
/// tokenizer with chat template, `generation_config.json`. The folder is there whole or not at all.
///
/// Blocks are dequantised: 32 bits keep every number of the file, `Bf16` rounds to 8 bits of them.
///
/// # Errors
/// When the file is damaged, or holds a model, a tokenizer or a block type that is not supported: by name.
/// When the folder holds something already, or cannot be written.
pub fn import(file: &Path, to: &Path, as_: WeightType) -> Result<()> {
    let taken = std::fs::read_dir(to).map_or(to.exists(), |mut entries| entries.next().is_some());
    if taken {
        return Err(Error::call("holds something already").at(to.display()).next("choose another --to"));
    }
    let opened = File::open(file)?;
    let mut fields = metadata::config(&opened)?;
    let tokens = tokens::read(&opened)?;
    for (field, id) in &tokens.special {
        fields.insert((*field).to_string(), json!(id));
    }
    let name = file.display().to_string();
    let mut config = ModelConfig::parse(&serde_json::Value::Object(fields).to_string(), &name)?;
    config.generation = Some(GenerationConfig::parse(&tokens.generation.to_string(), &name)?);
    let tensors = tensors::Tensors::of(&opened, &config, parameters_of(&config), as_)?;

    let beside = beside(to);
    let written = (|| {
        std::fs::create_dir_all(&beside).map_err(|why| Error::writing(&beside, why))?;
        tensors.write(&beside.join("model.safetensors"))?;
        config.save(&beside, as_)?;
        for (name, value) in
            [("tokenizer.json", &tokens.tokenizer), ("tokenizer_config.json", &tokens.config)]
        {
            replace(&beside.join(name), |path| {
                let text = format!("{value:#}\n");
                std::fs::write(path, text).map_err(|why| Error::writing(path, why))
            })?;
        }
        // a tokenizer that cannot be read again is the file's, not the folder's
        Tokenizer::load(&beside).map_err(|why| {
            Error::call(format!("its tokenizer does not hold together: {why}")).at(file.display())
        })?;
        std::fs::rename(&beside, to).map_err(|why| Error::writing(to, why))
    })();
    if written.is_err() {
        // what is left of it is of no use; that it cannot be removed would not be news
        let _ = std::fs::remove_dir_all(&beside);
    }
    written
}

/// A folder beside `to`, to be renamed to it.
fn beside(to: &Path) -> PathBuf {
    let name = to.file_name().unwrap_or_default().to_string_lossy();
    to.with_file_name(format!(".{name}.{}", std::process::id()))
}
