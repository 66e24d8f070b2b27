//! What a policy reads before a response.

use std::sync::Arc;

use super::{saying, Found, Placement};
use crate::error::{Error, Result};
use crate::models::{Picture, Sight, VisionConfig};
use crate::tensor::Device;
use crate::world::rows::{Row, MARK};
use crate::world::tokenizer::Tokenizer;
use crate::world::Policy;

/// What a policy reads before a response.
pub(crate) struct Seen {
    /// As text, a mark where an image goes.
    pub text: String,
    /// As tokens, so many for an image as its rows are.
    pub tokens: Vec<u32>,
    /// The images, each where its tokens begin.
    pub sights: Vec<Sight>,
}

/// The tokens and images of a context: the one place where a prompt becomes what a policy reads, with or without what
/// is privileged. The response follows in both, so plain and privileged contexts are aligned by response index whatever
/// their lengths. Everybody reads what `student` makes of it.
///
/// # Errors
/// A prompt without the place for it, unknown characters, images for a policy without eyes, another number of images
/// than of places for them.
pub(crate) fn context<D: Device>(
    student: &Policy<D>,
    row: &Row,
    found: Option<&Found>,
    place: &Placement,
) -> Result<Seen> {
    let (tokenizer, prompt) = (&student.tokenizer, &row.prompt);
    let text = match found {
        Some(Found::Text(known)) => tokenizer.render(&place.within(prompt, &known.0)?)?,
        Some(Found::Instead(known)) => tokenizer.render(&saying(prompt, &known.0)?)?,
        _ => tokenizer.render(prompt)?,
    };
    let pictures = match found {
        Some(Found::Shown(pictures)) => &pictures.0,
        _ => row.images.pictures()?,
    };
    let tokens = tokenizer.encode(&text)?;
    let (tokens, sights) = shown(tokenizer, student.decoder.config().vision.as_ref(), tokens, pictures)?;
    Ok(Seen { text, tokens, sights })
}

/// What stands around an image's tokens in the prompts of Idefics3 and SmolVLM, where the tokenizer has these tokens.
const AROUND: [&str; 2] = ["<fake_token_around_image>", "<global-img>"];

/// Puts images into their places: each takes as many tokens as its rows are.
fn shown(
    tokenizer: &Tokenizer,
    eyes: Option<&VisionConfig>,
    tokens: Vec<u32>,
    pictures: &[Arc<Picture>],
) -> Result<(Vec<u32>, Vec<Sight>)> {
    let many = |count: usize| format!("{count} image{}", if count == 1 { "" } else { "s" });
    let Some(eyes) = eyes else {
        return match pictures.len() {
            0 => Ok((tokens, Vec::new())),
            count => Err(Error::call(format!("the row shows {}, and the student has no eyes", many(count)))
                .next("use a student with a `vision_config`, or leave the column `images` out")),
        };
    };
    let mark = eyes.image_token_id;
    let places = tokens.iter().filter(|&&token| token == mark).count();
    if places != pictures.len() {
        let what =
            format!("the prompt has places for {}, and the row shows {}", many(places), many(pictures.len()));
        let next = format!("write {MARK} in the prompt where each image goes, once for each");
        return Err(Error::call(what).next(next));
    }
    if pictures.is_empty() {
        return Ok((tokens, Vec::new()));
    }
    let around = match AROUND.map(|token| tokenizer.token_id(token)) {
        [Some(edge), Some(whole)] => Some((edge, whole)),
        _ => None,
    };
    let (mut all, mut sights, mut left) = (Vec::new(), Vec::new(), pictures.iter());
    for token in tokens {
        match left.as_slice().first().filter(|_| token == mark) {
            None => all.push(token),
            Some(picture) => {
                all.extend(around.iter().flat_map(|&(edge, whole)| [edge, whole]));
                sights.push(Sight { picture: Arc::clone(picture), at: all.len() });
                all.extend(std::iter::repeat_n(mark, eyes.tokens()));
                all.extend(around.iter().map(|&(edge, _)| edge));
                left.next();
            }
        }
    }
    Ok((all, sights))
}
