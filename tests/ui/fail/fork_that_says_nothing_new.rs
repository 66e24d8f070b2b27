// A fork that sets what its base sets already.
use limbeck::prelude::*;
use limbeck_recipes::UniOpd;

#[recipe(base = UniOpd)]
pub struct Gentle {
    #[with(delta = 0.4)]
    calibrate: _,
}

fn main() {}
