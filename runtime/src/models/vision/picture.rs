//! An image, and what eyes see of it: its patches.

use super::config::VisionConfig;
use crate::kernels::parallel;
use image::imageops::{self, FilterType};
use image::RgbImage;
use std::mem::MaybeUninit;
use std::sync::Arc;

/// An image as it was decoded: 8 bits a channel, red, green, blue.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture(RgbImage);

/// An image in a prompt: from token `at` on, so many tokens as an image takes are its.
#[derive(Clone, Debug)]
pub struct Sight {
    /// The image.
    pub picture: Arc<Picture>,
    /// Its first place among the prompt's tokens.
    pub at: usize,
}

impl PartialEq for Sight {
    /// Whether it is the very same image at the same place.
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at && Arc::ptr_eq(&self.picture, &other.picture)
    }
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Picture({} x {})", self.width(), self.height())
    }
}

impl Picture {
    /// An image from its bytes, three a pixel, row by row; `None` when they are not `width * height` pixels.
    pub fn new(width: u32, height: u32, bytes: Vec<u8>) -> Option<Self> {
        (width > 0 && height > 0).then(|| RgbImage::from_raw(width, height, bytes).map(Self)).flatten()
    }

    pub(crate) fn of(image: RgbImage) -> Self {
        Self(image)
    }

    /// Its pixels, for drawing and for writing.
    pub(crate) fn image(&self) -> &RgbImage {
        &self.0
    }

    /// Pixels in a row.
    pub fn width(&self) -> u32 {
        self.0.width()
    }

    /// Rows.
    pub fn height(&self) -> u32 {
        self.0.height()
    }

    /// Its bytes, three a pixel, row by row.
    pub fn bytes(&self) -> &[u8] {
        self.0.as_raw()
    }

    /// What lies from column `left` and row `top` to before column `right` and row `bottom`, of it what is inside;
    /// `None` when nothing is.
    pub fn crop(&self, [left, top, right, bottom]: [u32; 4]) -> Option<Self> {
        let (right, bottom) = (right.min(self.width()), bottom.min(self.height()));
        (left < right && top < bottom)
            .then(|| Self(imageops::crop_imm(&self.0, left, top, right - left, bottom - top).to_image()))
    }

    /// The same image in squares of `side` pixels, each of its mean colour.
    #[must_use]
    pub fn pixelated(&self, side: u32) -> Self {
        let (width, height, side) = (self.width(), self.height(), side.max(1));
        let mut image = self.0.clone();
        for top in (0..height).step_by(side as usize) {
            for left in (0..width).step_by(side as usize) {
                let (right, bottom) =
                    (left.saturating_add(side).min(width), top.saturating_add(side).min(height));
                let all = || (top..bottom).flat_map(|y| (left..right).map(move |x| (x, y)));
                let count = u64::from(right - left) * u64::from(bottom - top);
                let mean = [0, 1, 2].map(|channel: usize| {
                    let sum: u64 = all().map(|(x, y)| u64::from(self.0.get_pixel(x, y)[channel])).sum();
                    ((sum + count / 2) / count) as u8
                });
                all().for_each(|(x, y)| image.put_pixel(x, y, image::Rgb(mean)));
            }
        }
        Self(image)
    }

    /// Its patches, scaled to the size that eyes of `config` read, into the whole of `out`; `shades` are those of
    /// `config`.
    fn patches_into(&self, config: &VisionConfig, shades: &[[f32; 256]; 3], out: &mut [MaybeUninit<f32>]) {
        let size = config.image_size as u32;
        let scaled;
        let image = match (self.width(), self.height()) == (size, size) {
            true => &self.0,
            false => {
                scaled = imageops::resize(&self.0, size, size, FilterType::Triangle);
                &scaled
            }
        };
        let (patch, row, bytes) = (config.patch_size, 3 * config.image_size, image.as_raw());
        for (place, out) in places(config).zip(out.chunks_exact_mut(config.patch_width())) {
            let (top, left) = (place / config.side() * patch, place % config.side() * patch);
            let (red, rest) = out.split_at_mut(patch * patch);
            let (green, blue) = rest.split_at_mut(patch * patch);
            let lines = red.chunks_exact_mut(patch).zip(green.chunks_exact_mut(patch));
            for (y, ((red, green), blue)) in lines.zip(blue.chunks_exact_mut(patch)).enumerate() {
                let (pixels, _) = bytes[(top + y) * row + 3 * left..][..3 * patch].as_chunks();
                for (((&[r, g, b], red), green), blue) in pixels.iter().zip(red).zip(green).zip(blue) {
                    red.write(shades[0][usize::from(r)]);
                    green.write(shades[1][usize::from(g)]);
                    blue.write(shades[2][usize::from(b)]);
                }
            }
        }
    }
}

/// The patches of `pictures` as eyes of `config` read them, `[pictures * patches, 3 * patch²]`: channels normalised,
/// those that are folded into one token after each other, row by row.
pub(crate) fn patches_of(pictures: &[&Arc<Picture>], config: &VisionConfig) -> Vec<f32> {
    let (len, shades) = (config.patches() * config.patch_width(), shades(config));
    // SAFETY: a picture's piece is written whole.
    unsafe {
        parallel::build(pictures.len() * len, len, |start, out| {
            pictures[start / len].patches_into(config, &shades, out);
        })
    }
}

/// Every byte as eyes of `config` read it, channel by channel.
fn shades(config: &VisionConfig) -> [[f32; 256]; 3] {
    std::array::from_fn(|channel| {
        let (mean, deviation) = (config.image_mean[channel], config.image_std[channel]);
        std::array::from_fn(|byte| (byte as f32 / 255.0 - mean) / deviation)
    })
}

/// The places of an image's patches, counted row by row, in the order in which eyes read them: squares that are folded
/// into one token follow each other.
pub(super) fn places(config: &VisionConfig) -> impl Iterator<Item = usize> {
    let (side, fold) = (config.side(), config.scale_factor);
    let squares = (0..side / fold).flat_map(move |y| (0..side / fold).map(move |x| (y, x)));
    squares.flat_map(move |(y, x)| {
        (0..fold * fold).map(move |i| (y * fold + i / fold) * side + x * fold + i % fold)
    })
}
