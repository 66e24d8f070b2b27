// A misspelt setting of a method that the fork keeps.
use limbeck::prelude::*;
use limbeck_recipes::UniOpd;

#[recipe(base = UniOpd)]
pub struct Gentle {
    #[with(detla = 0.3)]
    calibrate: _,
}

fn main() {}
