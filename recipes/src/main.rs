//! `limbeck`: every published recipe, and the papers' ablations, on the command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    limbeck::main(limbeck_recipes::EVERY)
}
