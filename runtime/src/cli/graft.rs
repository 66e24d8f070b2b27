//! Eyes for a decoder that has none (LLaVA, arXiv 2304.08485), or more words for it.

use std::sync::Arc;

use super::args::GraftArgs;
use super::model::must_be_free;
use crate::error::{Error, Result};
use crate::models::{Decoder, VisionConfig, WeightType};
use crate::tensor::Cpu;
use crate::world::rows::MARK;
use crate::world::tokenizer::Tokenizer;
use crate::world::Policy;

/// Puts the decoder of one folder behind fresh eyes, or those of another folder, and writes the whole. The projection
/// between them is new, and so are the rows of tokens that the decoder did not have.
pub(super) fn graft(args: &GraftArgs) -> Result<()> {
    must_be_free(&args.to)?;
    let device = Cpu::default();
    let from = Policy::load("decoder", &args.decoder, &device)?;
    let tokenizer = match &args.tokenizer {
        Some(path) => Tokenizer::load(path)?,
        None if args.image.is_none() && args.eyes.is_none() => {
            return Err(Error::call("there is nothing to add").next(
                "give --image and --patch for fresh eyes, --eyes for those of another model, or --tokenizer",
            ))
        }
        None => match from.tokenizer.token_id(&args.mark) {
            Some(_) => Tokenizer::clone(&from.tokenizer),
            None => from.tokenizer.with_mark(&args.mark)?,
        },
    };
    extends(&from.tokenizer, &tokenizer)?;
    let mark = || {
        tokenizer.token_id(&args.mark).ok_or_else(|| {
            Error::call(format!("the tokenizer has no token {:?} for the place of an image", args.mark))
                .at("--tokenizer")
                .next("name one of its unused tokens with --mark")
        })
    };
    let mut config = from.decoder.config().clone();
    config.vocab_size = config.vocab_size.max(tokenizer.vocab_size());
    let other = args.eyes.as_ref().map(|folder| Decoder::load(folder, &device)).transpose()?;
    config.vision = match (&other, args.image, args.patch) {
        (Some(other), ..) => {
            let Some(eyes) = &other.config().vision else {
                return Err(Error::call("this model has no eyes").at("--eyes"));
            };
            Some(VisionConfig { image_token_id: mark()?, ..eyes.clone() })
        }
        (None, Some(image), Some(patch)) => Some(VisionConfig {
            hidden_size: args.eye_hidden,
            intermediate_size: 2 * args.eye_hidden,
            num_hidden_layers: args.eye_layers,
            ..VisionConfig::new(image, patch, args.fold, mark()?)
        }),
        _ => None,
    };
    let mut whole = Decoder::random(&config, args.seed, &device)?;
    for parameter in whole.parameters_mut() {
        let name = parameter.name().to_owned();
        let plain = name.replace("model.text_model.", "model.");
        let source =
            from.decoder.parameters().iter().find(|known| known.name() == plain || known.name() == name);
        let eyes = || other.iter().flat_map(Decoder::parameters).find(|known| known.name() == name);
        let given = match source {
            Some(source) => Some(source),
            None if name.starts_with("model.vision_model.") => eyes(),
            None => None,
        };
        if let Some(given) = given {
            // new tokens come after those that are known
            let mut values = parameter.to_host();
            let known = given.to_host();
            values[..known.len()].copy_from_slice(&known);
            parameter.set(&values)?;
        }
    }
    Policy { name: "model".to_string(), decoder: whole, tokenizer: Arc::new(tokenizer) }
        .save(&args.to, if args.bf16 { WeightType::Bf16 } else { WeightType::F32 })
}

/// Every token of `old` is the same in `new`.
fn extends(old: &Tokenizer, new: &Tokenizer) -> Result<()> {
    let width = old.vocab_size() as u32;
    match (0..width).find(|&id| old.show(id) != new.show(id)) {
        None => Ok(()),
        Some(id) => Err(Error::call(format!(
            "token {id} is {:?} to the decoder, and {:?} to the new tokenizer",
            old.show(id),
            new.show(id)
        ))
        .at("--tokenizer")
        .next("use a tokenizer that begins with the decoder's own tokens")),
    }
}

/// What stands for an image where nothing else is said.
pub(super) const IMAGE: &str = MARK;
