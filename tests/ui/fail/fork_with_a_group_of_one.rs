// The base's margins compare answers to one prompt.
use limbeck::prelude::*;
use limbeck_recipes::UniOpd;

#[recipe(base = UniOpd)]
pub struct Alone {
    #[with(group_size = 1)]
    rollout: _,
}

fn main() {}
