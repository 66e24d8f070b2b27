//! A scene as an image.

use std::sync::Arc;

use super::thing::{CELL, CELLS};
use super::{Colour, Kind, Scene, Thing};
use crate::models::Picture;
use crate::rng::Stream;

/// Pixels to a side.
const SIDE: usize = CELL * CELLS;

/// Rows of 3 pixels, the highest bit left.
const DIGITS: [[u8; 5]; 10] = [
    [0b111, 0b101, 0b101, 0b101, 0b111],
    [0b010, 0b110, 0b010, 0b010, 0b111],
    [0b111, 0b001, 0b111, 0b100, 0b111],
    [0b111, 0b001, 0b111, 0b001, 0b111],
    [0b101, 0b101, 0b111, 0b001, 0b001],
    [0b111, 0b100, 0b111, 0b001, 0b111],
    [0b111, 0b100, 0b111, 0b101, 0b111],
    [0b111, 0b001, 0b010, 0b010, 0b010],
    [0b111, 0b101, 0b111, 0b101, 0b111],
    [0b111, 0b101, 0b111, 0b001, 0b111],
];

/// Rows of 6 pixels, the highest bit left.
fn shape(kind: Kind) -> [u8; 6] {
    match kind {
        Kind::Circle => [0b011110, 0b110011, 0b100001, 0b100001, 0b110011, 0b011110],
        Kind::Triangle => [0b001100, 0b001100, 0b011110, 0b011110, 0b111111, 0b111111],
        Kind::Cross => [0b110011, 0b111111, 0b011110, 0b011110, 0b111111, 0b110011],
        Kind::Square | Kind::Digit(_) => [0b111111; 6],
    }
}

/// Whether a thing covers the pixel at column `x` and row `y` of its bounds.
fn covers(thing: &Thing, x: usize, y: usize) -> bool {
    match thing.kind {
        Kind::Digit(digit) => DIGITS[digit as usize][y] >> (2 - x) & 1 == 1,
        kind => shape(kind)[y] >> (5 - x) & 1 == 1,
    }
}

fn colour(colour: Colour) -> [i32; 3] {
    match colour {
        Colour::Red => [215, 50, 45],
        Colour::Green => [45, 165, 75],
        Colour::Blue => [55, 90, 215],
        Colour::Yellow => [225, 195, 50],
    }
}

/// The scene as 32 x 32 pixels: a light ground, every colour a little off, and noise over all.
pub(super) fn paint(scene: &Scene, stream: &mut Stream) -> Arc<Picture> {
    let mut pixels = vec![[232, 230, 226]; SIDE * SIDE];
    for thing in &scene.things {
        let tint = colour(thing.colour).map(|value| value + stream.below(31) as i32 - 15);
        let [left, top, right, bottom] = thing.bounds();
        for (x, y) in (top..bottom).flat_map(|y| (left..right).map(move |x| (x, y))) {
            if covers(thing, x - left, y - top) {
                pixels[y * SIDE + x] = tint;
            }
        }
    }
    let mut noisy = |value: i32| (value + stream.below(13) as i32 - 6).clamp(0, 255) as u8;
    let bytes: Vec<u8> = pixels.into_iter().flatten().map(&mut noisy).collect();
    let (width, height) = (SIDE as u32, SIDE as u32);
    let blank = || Picture::of(image::RgbImage::new(width, height));
    Arc::new(Picture::new(width, height, bytes).unwrap_or_else(blank))
}
