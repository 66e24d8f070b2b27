//! `limbeck`: every published recipe on the command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    limbeck::main(limbeck_recipes::ALL)
}
