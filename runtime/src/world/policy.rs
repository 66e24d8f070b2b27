//! A policy: a decoder with the tokenizer it speaks through.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::models::{Decoder, WeightType};
use crate::tensor::{Device, Grads};
use crate::world::tokenizer::Tokenizer;

/// A decoder with its tokenizer: a student or a teacher.
pub struct Policy<D: Device> {
    /// What messages call it: `student`, or the teacher's name.
    pub name: String,
    /// The weights.
    pub decoder: Decoder<D>,
    /// How text becomes tokens.
    pub tokenizer: Arc<Tokenizer>,
}

impl<D: Device> Policy<D> {
    /// Reads a model folder in Hugging Face layout.
    ///
    /// # Errors
    /// A file that is missing, truncated or does not fit, by name.
    pub fn load(name: &str, folder: &Path, device: &D) -> Result<Self> {
        Self::with(Decoder::load, name, folder, device)
    }

    /// The same, for a teacher that never learns: its weights stay in their files, as [`Decoder::map`] leaves them.
    ///
    /// # Errors
    /// As [`Policy::load`].
    pub fn map(name: &str, folder: &Path, device: &D) -> Result<Self> {
        Self::with(Decoder::map, name, folder, device)
    }

    fn with(
        open: impl FnOnce(&Path, &D) -> Result<Decoder<D>>,
        name: &str,
        folder: &Path,
        device: &D,
    ) -> Result<Self> {
        if !folder.is_dir() {
            return Err(Error::call(format!("there is no model folder for `{name}`"))
                .at(folder.display())
                .next("give the folder that holds config.json, model.safetensors and tokenizer.json"));
        }
        let tokenizer = Tokenizer::load(folder)?;
        let decoder = open(folder, device)?;
        let (tokens, width) = (tokenizer.vocab_size(), decoder.config().vocab_size);
        if tokens > width {
            return Err(Error::call(format!(
                "the tokenizer of `{name}` has {tokens} tokens and its model only {width}"
            ))
            .at(folder.display())
            .next("put the tokenizer.json that belongs to these weights into the folder"));
        }
        Ok(Self { name: name.to_string(), decoder, tokenizer: Arc::new(tokenizer) })
    }

    /// Writes a model folder in Hugging Face layout.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn save(&self, folder: &Path, weights: WeightType) -> Result<()> {
        std::fs::create_dir_all(folder).map_err(|why| Error::writing(folder, why))?;
        self.decoder.save(folder, weights)?;
        self.tokenizer.save(folder)
    }

    /// Writes all that a run needs to go on with this policy: a model folder, and the adapters beside it.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub(crate) fn keep(&self, folder: &Path) -> Result<()> {
        self.save(folder, WeightType::F32)?;
        self.decoder.save_adapters(&beside(folder), &self.name)
    }

    /// Puts back what [`keep`](Self::keep) wrote: the weights, or the adapters where these alone learn.
    ///
    /// # Errors
    /// A file that is missing or damaged.
    pub(crate) fn recall(&mut self, folder: &Path) -> Result<()> {
        match self.decoder.lora() {
            Some(_) => self.decoder.load_adapters(&beside(folder)),
            None => {
                let mut loaded = Decoder::load(folder, self.decoder.device())?;
                loaded.learn_as(&self.decoder);
                self.decoder = loaded;
                Ok(())
            }
        }
    }

    /// A policy with its own copy of the weights.
    ///
    /// # Errors
    /// When the device is out of memory.
    pub fn copy(&self, name: &str) -> Result<Self> {
        let decoder = self.decoder.deep_copy()?;
        Ok(Self { name: name.to_string(), decoder, tokenizer: Arc::clone(&self.tokenizer) })
    }

    /// Moves every weight that learns towards `other`'s by `rate`: `w ← w + rate (w' − w)`.
    ///
    /// # Errors
    /// When the two are not of one shape, or the device fails.
    pub fn move_towards(&mut self, other: &Self, rate: f64) -> Result<()> {
        for (mine, theirs) in self.decoder.learning_mut().iter_mut().zip(other.decoder.learning()) {
            let (mut here, there) = (mine.to_host(), theirs.to_host());
            for (w, &to) in here.iter_mut().zip(&there) {
                *w += (rate * (f64::from(to) - f64::from(*w))) as f32;
            }
            mine.set(&here)?;
        }
        Ok(())
    }

    /// Gradients of every parameter, all zero.
    ///
    /// # Errors
    /// When the device is out of memory.
    pub fn zero_grads(&self) -> Result<Grads<D>> {
        self.decoder.zero_grads()
    }

    /// The width of the logits.
    pub fn vocabulary(&self) -> usize {
        self.decoder.config().vocab_size
    }

    /// The tokens at which a response ends.
    pub fn eos(&self) -> Vec<u32> {
        match self.decoder.config().ends() {
            [] => self.tokenizer.eos().into_iter().collect(),
            ends => ends.to_vec(),
        }
    }

    /// What an image takes in this policy's prompts: the token of its places, and how many; nothing without eyes.
    fn sees(&self) -> Option<(u32, usize)> {
        self.decoder.config().vision.as_ref().map(|eyes| (eyes.image_token_id, eyes.tokens()))
    }

    /// Whether it has eyes.
    pub fn has_eyes(&self) -> bool {
        self.sees().is_some()
    }

    /// Checks that an image takes the same tokens in prompts of `teacher`, where both have eyes.
    fn must_see_alike(&self, teacher: &Self) -> Result<()> {
        let (Some(here), Some(there)) = (self.sees(), teacher.sees()) else { return Ok(()) };
        if here == there {
            return Ok(());
        }
        let tokens = |(id, count): (u32, usize)| format!("{count} tokens of id {id}");
        Err(Error::call(format!(
            "`{}` reads an image as {}, and the student as {}",
            teacher.name,
            tokens(there),
            tokens(here)
        ))
        .at(format!("teachers.{}", teacher.name))
        .next("use a teacher whose image size, patch size and scale factor make as many tokens as the student's"))
    }

    /// Checks that `teacher` speaks this policy's vocabulary, token for token.
    ///
    /// # Errors
    /// Who they are by the names that people know, and the first thing in which they differ.
    pub fn must_share_vocabulary(&self, teacher: &Self) -> Result<()> {
        let (here, there) = (self.vocabulary(), teacher.vocabulary());
        let how = match self.tokenizer.difference(&teacher.tokenizer) {
            None if here == there => return self.must_see_alike(teacher),
            None => {
                format!("the tokenizer is the same, and its logits are {there} wide there and {here} here")
            }
            Some(how) => how,
        };
        let who = |policy: &Self| {
            let (tokenizer, family) = (&policy.tokenizer, policy.decoder.config().family.name());
            let (tokens, width) = (tokenizer.vocab_size(), policy.vocabulary());
            format!("{}, {tokens} tokens, a {family} model with {width} logits", tokenizer.name())
        };
        Err(Error::call(format!(
            "`{}` speaks another vocabulary than the student: {how}\n  there: {}\n  here: {}",
            teacher.name,
            who(teacher),
            who(self),
        ))
        .at(format!("teachers.{}", teacher.name))
        .next("a teacher must score exactly the student's token ids: use a teacher with the student's own tokenizer"))
    }
}

/// Where the adapters of a model folder are kept: not in it, or else `transformers` would put them on
/// weights that have them already.
fn beside(folder: &Path) -> PathBuf {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    folder.with_file_name(format!("{name}-lora"))
}
