// Margins that the fork keeps under `_` want outcomes as before.
use limbeck::prelude::*;
use limbeck_recipes::UniOpd;

#[recipe(base = UniOpd, without(verify, balance))]
pub struct Unverified {
    #[with(delta = 0.3)]
    calibrate: _,
}

fn main() {}
