// A fork of a struct that nobody made a recipe.
use limbeck::prelude::*;

pub struct MyOpd {
    pub step: AdamW,
}

#[recipe(base = MyOpd, without(calibrate))]
pub struct NoCalibration;

fn main() {}
