// The base's margins compare right with wrong answers, and the fork leaves out who says which were right.
use limbeck::prelude::*;
use limbeck_recipes::UniOpd;

#[recipe(base = UniOpd, without(verify, balance))]
pub struct Unverified;

fn main() {}
