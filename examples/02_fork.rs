//! Forks: a published recipe, and what you change of it.
//!
//! ```text
//! cargo run --release --example 02_fork -- show NoCalibration
//! cargo run --release --example 02_fork -- show Gentle --source
//! cargo run --release --example 02_fork -- train examples/runs/fork.ron
//! ```
//!
//! The first prints the loop of `UniOpd` less its two lines of calibration; the second prints `Gentle` with
//! all that it has from `UniOpd`, as a recipe to paste; the third trains `NoCalibration` and ends with a
//! table in which the student has gained on both domains. `train … --recipe Gentle` is the same run of another fork.

use std::process::ExitCode;

use limbeck::prelude::*;
use limbeck::Entry;
use limbeck_recipes::UniOpd;

/// Uni-OPD without calibration.
#[recipe(base = UniOpd, without(calibrate))]
pub struct NoCalibration;

/// Uni-OPD with a smaller margin and smaller steps.
#[recipe(base = UniOpd)]
pub struct Gentle {
    #[with(delta = 0.3)]
    calibrate: _,
    #[with(lr = 5e-7)]
    step: _,
}

/// `Gentle` over whole distributions: a fork of a fork.
#[recipe(base = Gentle, without(calibrate))]
pub struct Whole {
    score: FullVocab,
    loss: ReverseKl,
}

fn main() -> ExitCode {
    const RECIPES: &[Entry] =
        &[Entry::of::<UniOpd>(), Entry::of::<NoCalibration>(), Entry::of::<Gentle>(), Entry::of::<Whole>()];
    limbeck::main(RECIPES)
}
