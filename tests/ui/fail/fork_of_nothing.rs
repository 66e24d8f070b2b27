// A fork of a recipe that is not there.
use limbeck::prelude::*;

#[recipe(base = limbeck_recipes::UniOdp, without(calibrate))]
pub struct NoCalibration;

fn main() {}
