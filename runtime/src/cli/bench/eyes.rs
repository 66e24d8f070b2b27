//! What looking at images costs: the eyes, beside a decoder of their width that reads as many rows.

use std::sync::Arc;
use std::time::Instant;

use super::decoder::{config, CrossEntropy};
use super::measured::{milliseconds, seconds, Measured};
use crate::error::{Error, Result};
use crate::kernels::token_loss::TokenLoss;
use crate::models::{patches_of, Before, Decoder, ModelConfig, Packed, Picture, Sight, VisionConfig};
use crate::tensor::Cpu;

/// Images of a batch, one a prompt.
const IMAGES: usize = 16;
/// Tokens after an image's, before the answer's one.
const AFTER: usize = 32;
/// The token of an image's places.
const MARK: u32 = 1;

/// A pass over a batch.
type Pass<'a> = &'a dyn Fn(&Packed) -> Result<()>;

pub(super) fn measure(side: usize, repeats: usize) -> Result<Measured> {
    let mut eyes = VisionConfig::new(side, 16, 2, MARK);
    (eyes.hidden_size, eyes.intermediate_size, eyes.num_hidden_layers) = (256, 768, 4);
    let mut whole = config(256, 4, 2048, 768, eyes.patches().max(eyes.tokens() + AFTER) + 1);
    whole.vision = Some(eyes.clone());
    let decoder = Decoder::random(&whole, 0, &Cpu::default())?;
    let pictures: Vec<Arc<Picture>> =
        (0..IMAGES).map(|number| picture(number, side)).collect::<Result<_>>()?;
    let after = (0..AFTER).map(|i| 2 + i as u32);
    let shown: Vec<u32> = std::iter::repeat_n(MARK, eyes.tokens()).chain(after).collect();
    let sights: Vec<[Sight; 1]> =
        pictures.iter().map(|picture| [Sight { picture: Arc::clone(picture), at: 0 }]).collect();
    let seen = Packed::seeing(sights.iter().map(|sights| (Before { tokens: &shown, sights }, &[2u32][..])));
    // the same prompts without their images, and prompts of as many rows as the eyes read
    let (unseen, rows) = (blind(&shown), blind(&vec![MARK; eyes.patches()]));
    let (of_eyes, of_rows) = (flops(&eyes, &whole), flops_of_decoder(&whole, eyes.patches()));
    let mut measured = Measured::of("eyes")
        .on("pixels", side)
        .on("patches_an_image", eyes.patches())
        .on("tokens_an_image", eyes.tokens())
        .on("gflop_of_eyes", IMAGES as f64 * of_eyes / 1e9)
        .on("gflop_of_decoder", IMAGES as f64 * of_rows / 1e9);
    let together: Vec<_> = pictures.iter().collect();
    let pixels = seconds(repeats, || {
        drop(patches_of(&together, &eyes));
        Ok(())
    })?;
    measured.add("pixels into patches", "ms", milliseconds(&pixels));

    let forward = |packed: &Packed| decoder.logits(packed).map(drop);
    let loss: Arc<dyn TokenLoss> = Arc::new(CrossEntropy(vec![2; IMAGES]));
    let weights = vec![1.0 / IMAGES as f32; IMAGES];
    let backward = |packed: &Packed| {
        let mut grads = decoder.zero_grads()?;
        decoder.backward(packed, &weights, &loss, &mut grads).map(drop)
    };
    let forward_names = ["eyes, forward", "decoder, forward", "eyes over what flops say, forward"];
    let backward_names =
        ["eyes, and backward", "decoder, and backward", "eyes over what flops say, and backward"];
    let passes = [(forward_names, &forward as Pass), (backward_names, &backward as Pass)];
    for ([looking, reading, share], pass) in passes {
        let [seen, unseen, rows] = in_turn(repeats, [&seen, &unseen, &rows], pass)?;
        let eyes: Vec<f64> = seen.iter().zip(&unseen).map(|(with, without)| with - without).collect();
        let shares = eyes.iter().zip(&rows).map(|(eyes, rows)| eyes / rows / (of_eyes / of_rows));
        measured.add(share, "of the decoder's time", shares.collect());
        measured.add(looking, "ms", milliseconds(&eyes));
        measured.add(reading, "ms", milliseconds(&rows));
    }
    Ok(measured)
}

/// Prompts of these tokens that show nothing. Prompts of the same tokens follow each other as one, so the first of
/// each differs.
fn blind(tokens: &[u32]) -> Packed {
    let prompt = |i| std::iter::once(2 + i).chain(tokens[1..].iter().copied()).collect();
    let prompts: Vec<Vec<u32>> = (0..IMAGES as u32).map(prompt).collect();
    Packed::of(prompts.iter().map(|tokens| (&tokens[..], &[2u32][..])))
}

/// The seconds of a pass over each, in turn, so that a machine's moods are those of all; the first are not counted.
fn in_turn<const N: usize>(repeats: usize, of: [&Packed; N], pass: Pass) -> Result<[Vec<f64>; N]> {
    let mut all = [(); N].map(|()| Vec::with_capacity(repeats + 1));
    for _ in 0..=repeats {
        for (packed, all) in of.iter().zip(&mut all) {
            let start = Instant::now();
            pass(packed)?;
            all.push(start.elapsed().as_secs_f64());
        }
    }
    Ok(all.map(|all| all[1..].to_vec()))
}

/// Floating-point operations of an exponential (`kernels/exp.rs`).
const EXPONENTIAL: f64 = 23.0;
/// Of a softmax, for each score: the largest, the distance to it, the exponential, the sum, the share.
const SOFTMAX: f64 = EXPONENTIAL + 4.0;

/// Floating-point operations for one image: patches, layers, projection.
fn flops(eyes: &VisionConfig, whole: &ModelConfig) -> f64 {
    let [patches, width, inner, heads] =
        [eyes.patches(), eyes.hidden_size, eyes.intermediate_size, eyes.num_attention_heads]
            .map(|n| n as f64);
    let [layers, tokens, out] = [eyes.num_hidden_layers, eyes.tokens(), whole.hidden_size].map(|n| n as f64);
    let (pixels, fold) = (3.0 * (eyes.patch_size as f64).powi(2), (eyes.scale_factor as f64).powi(2));
    let products = 2.0 * (4.0 * width * width + 2.0 * width * inner + 2.0 * patches * width);
    let gelu = (EXPONENTIAL + 7.0) * inner;
    let (norm, positions) = (8.0 * width, width);
    // queries are scaled, and two results are added to what there was
    let layer = products + SOFTMAX * heads * patches + gelu + 2.0 * norm + width + 2.0 * width;
    let ends = 2.0 * pixels * width + positions + norm;
    patches * (layers * layer + ends) + 2.0 * tokens * fold * width * out
}

/// Those of a prompt of so many tokens, but for the output layer, which speaks once.
fn flops_of_decoder(config: &ModelConfig, tokens: usize) -> f64 {
    let [width, inner, layers, heads, tokens] = [
        config.hidden_size,
        config.intermediate_size,
        config.num_hidden_layers,
        config.num_attention_heads,
        tokens,
    ]
    .map(|n| n as f64);
    let products = 2.0 * (4.0 * width * width + 3.0 * width * inner + tokens * width);
    let swiglu = (EXPONENTIAL + 3.0) * inner;
    let norm = 4.0 * width;
    // queries and keys are turned, queries scaled as well, and two results are added to what there was
    let layer = products + SOFTMAX * heads * tokens / 2.0 + swiglu + 2.0 * norm + 7.0 * width + 2.0 * width;
    tokens * (layers * layer + norm)
}

fn picture(number: usize, side: usize) -> Result<Arc<Picture>> {
    let bytes = (0..side * side * 3).map(|i| (i * (7 + number) % 251) as u8).collect();
    let picture = Picture::new(side as u32, side as u32, bytes);
    picture.map(Arc::new).ok_or_else(|| {
        Error::call("an image needs at least a pixel").at("--side").next("give a multiple of 32")
    })
}
