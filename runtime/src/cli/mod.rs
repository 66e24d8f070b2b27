//! The command line: the same verbs for our recipes and for a user's own.

mod args;
mod bench;
mod graft;
mod model;
mod new;
mod paint;
mod sweep;
mod verbs;

use std::process::ExitCode;

use clap::Parser;

use crate::entry::Entry;

/// The verbs of Limbeck over a list of recipes: what a `main` returns.
///
/// ```no_run
/// use limbeck::prelude::*;
/// # use limbeck::Entry;
/// fn run(recipes: &'static [Entry]) -> std::process::ExitCode {
///     limbeck::main(recipes)
/// }
/// ```
pub fn main(recipes: &'static [Entry]) -> ExitCode {
    crate::memory::keep_freed();
    let args = match args::Args::try_parse() {
        Ok(args) => args,
        Err(why) => {
            let code = if why.use_stderr() { 2 } else { 0 };
            let _ = why.print();
            return ExitCode::from(code);
        }
    };
    match verbs::run(args.verb, recipes) {
        Ok(code) => code,
        Err(why) => {
            complain(&why);
            ExitCode::from(why.exit_code())
        }
    }
}

/// An error, to stderr; that stderr cannot be written to is no reason to fall over.
fn complain(why: &crate::error::Error) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "error: {why}");
}
