//! What looking at images costs: a decoder with eyes over prompts that show some, and over as many tokens that show none.

use std::sync::Arc;

use super::decoder::{config, CrossEntropy};
use super::measured::{milliseconds, seconds, Measured};
use crate::error::{Error, Result};
use crate::kernels::token_loss::TokenLoss;
use crate::models::{Before, Decoder, ModelConfig, Packed, Picture, Sight, VisionConfig};
use crate::tensor::Cpu;

/// Images of a batch, one a prompt.
const IMAGES: usize = 16;
/// Tokens after an image's, before the answer's one.
const AFTER: usize = 32;
/// The token of an image's places.
const MARK: u32 = 1;

pub(super) fn measure(side: usize, repeats: usize) -> Result<Measured> {
    let mut eyes = VisionConfig::new(side, 16, 2, MARK);
    (eyes.hidden_size, eyes.intermediate_size, eyes.num_hidden_layers) = (256, 768, 4);
    let mut whole = config(256, 4, 2048, 768, 1024);
    whole.vision = Some(eyes.clone());
    let decoder = Decoder::random(&whole, 0, &Cpu::default())?;
    let pictures: Vec<Arc<Picture>> =
        (0..IMAGES).map(|number| picture(number, side)).collect::<Result<_>>()?;
    let prompt: Vec<u32> =
        std::iter::repeat_n(MARK, eyes.tokens()).chain((0..AFTER).map(|i| 2 + i as u32)).collect();
    let sights: Vec<[Sight; 1]> =
        pictures.iter().map(|picture| [Sight { picture: Arc::clone(picture), at: 0 }]).collect();
    let shown = |sights| (Before { tokens: &prompt, sights }, &[2u32][..]);
    let seen = Packed::seeing(sights.iter().map(|sights| shown(&sights[..])));
    // prompts of the same tokens follow each other as one: the first of each differs
    let blind: Vec<Vec<u32>> = (0..IMAGES as u32)
        .map(|i| std::iter::once(2 + i).chain(prompt[1..].iter().copied()).collect())
        .collect();
    let unseen = Packed::of(blind.iter().map(|tokens| (&tokens[..], &[2u32][..])));
    let (of_eyes, of_decoder) = (flops(&eyes, &whole), flops_of_decoder(&whole, prompt.len()));
    let mut measured = Measured::of("eyes")
        .on("pixels", side)
        .on("tokens_an_image", eyes.tokens())
        .on("gflop_of_eyes", IMAGES as f64 * of_eyes / 1e9)
        .on("gflop_of_decoder", IMAGES as f64 * of_decoder / 1e9);

    let prepare = seconds(repeats, || {
        pictures.iter().for_each(|picture| drop(picture.patches(&eyes)));
        Ok(())
    })?;
    measured.add("pixels into patches", "ms", milliseconds(&prepare));
    let (with, without) = (
        seconds(repeats, || decoder.logits(&seen).map(drop))?,
        seconds(repeats, || decoder.logits(&unseen).map(drop))?,
    );
    measured.add("forward, no images", "ms", milliseconds(&without));
    measured.add("forward, images", "ms", milliseconds(&with));
    let (middle, other) = (median(&with), median(&without));
    let share = |with: f64, without: f64| vec![(with - without) / without / (of_eyes / of_decoder)];
    measured.add("eyes' time over what their flops say", "of decoder's", share(middle, other));
    let loss: Arc<dyn TokenLoss> = Arc::new(CrossEntropy(vec![2; IMAGES]));
    let weights = vec![1.0 / IMAGES as f32; IMAGES];
    let back = |packed: &Packed| {
        seconds(repeats, || {
            let mut grads = decoder.zero_grads()?;
            decoder.backward(packed, &weights, &loss, &mut grads).map(drop)
        })
    };
    let (with, without) = (back(&seen)?, back(&unseen)?);
    measured.add("forward and backward, no images", "ms", milliseconds(&without));
    measured.add("forward and backward, images", "ms", milliseconds(&with));
    measured.add("the same, over what flops say", "of decoder's", share(median(&with), median(&without)));
    Ok(measured)
}

fn median(seconds: &[f64]) -> f64 {
    let mut sorted = seconds.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Multiplications and additions for one image: patches, layers, projection.
fn flops(eyes: &VisionConfig, whole: &ModelConfig) -> f64 {
    let [patches, width, inner] =
        [eyes.patches(), eyes.hidden_size, eyes.intermediate_size].map(|n| n as f64);
    let [layers, tokens, out] = [eyes.num_hidden_layers, eyes.tokens(), whole.hidden_size].map(|n| n as f64);
    let (pixels, fold) = (3.0 * (eyes.patch_size as f64).powi(2), (eyes.scale_factor as f64).powi(2));
    let layer = 4.0 * width * width + 2.0 * width * inner + 2.0 * patches * width;
    2.0 * (patches * pixels * width + layers * patches * layer + tokens * fold * width * out)
}

/// Those of a prompt of so many tokens, but for the output layer, which speaks once.
fn flops_of_decoder(config: &ModelConfig, tokens: usize) -> f64 {
    let [width, inner, layers, tokens] =
        [config.hidden_size, config.intermediate_size, config.num_hidden_layers, tokens].map(|n| n as f64);
    2.0 * layers * tokens * (4.0 * width * width + 3.0 * width * inner + tokens * width)
}

fn picture(number: usize, side: usize) -> Result<Arc<Picture>> {
    let bytes = (0..side * side * 3).map(|i| (i * (7 + number) % 251) as u8).collect();
    let picture = Picture::new(side as u32, side as u32, bytes);
    picture.map(Arc::new).ok_or_else(|| {
        Error::call("an image needs at least a pixel").at("--side").next("give a multiple of 32")
    })
}
