// Nobody is left to teach code.
use limbeck::prelude::*;
use limbeck_recipes::UniOpd;

#[recipe(base = UniOpd, without(code))]
pub struct MathOnly;

fn main() {}
