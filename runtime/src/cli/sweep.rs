//! The verb `sweep`: everything is looked at first, then run.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::args::SweepArgs;
use super::verbs::{find, recipe_in, say};
use crate::entry::Entry;
use crate::error::{Error, Result};
use crate::log::ProgressStyle;
use crate::run::{check, held_out, TrainOptions};
use crate::sweep::{go, open, Case, Sweep};

pub(super) fn sweep(recipes: &'static [Entry], args: &SweepArgs) -> Result<ExitCode> {
    if args.jobs == 0 {
        return Err(Error::call("0 runs at a time would never end").at("--jobs").next("give 1 or more"));
    }
    let written = recipe_in(&args.run)?;
    let named = if args.recipe.is_empty() { vec![written] } else { args.recipe.clone() };
    Error::together(named.iter().filter_map(|name| find(recipes, name).err()))?;
    let text = std::fs::read_to_string(&args.run).map_err(|why| Error::reading(&args.run, why))?;
    let sweep = Sweep::new(&args.run, &text, named, args.set.clone(), &args.seeds)?;
    let folder = folder(args);
    // what is wrong with a run is said before anything is written, and before the first run
    sweep.must_go_on(&folder)?;
    must_be_well(recipes, &args.run, &sweep)?;
    let mut results = open(&sweep, &folder)?;
    let style = if args.shown.quiet { ProgressStyle::Hidden } else { ProgressStyle::Auto };
    let table = go(&sweep, &folder, &mut results, args.jobs, style)?;
    if args.shown.json {
        say(&table.to_json().to_string())?;
    } else {
        say(&format!("\n{table}\nthe sweep is in {}", folder.display()))?;
    }
    Ok(if table.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn folder(args: &SweepArgs) -> PathBuf {
    let stem = args.run.file_stem().map_or_else(|| "run".into(), |stem| stem.to_string_lossy());
    args.out.clone().unwrap_or_else(|| Path::new("runs").join(format!("sweep-{stem}")))
}

/// What `check` says of every recipe and choice of settings; what is wrong with all of them is said once.
fn must_be_well(recipes: &'static [Entry], run: &Path, sweep: &Sweep) -> Result<()> {
    let cases = sweep.cases()?;
    let mut wrong: Vec<(Error, Vec<&Case>)> = Vec::new();
    for case in &cases {
        for why in faults(recipes, run, case, sweep.seeds[0])? {
            match wrong.iter_mut().find(|(known, _)| known.to_string() == why.to_string()) {
                Some((_, of)) => of.push(case),
                None => wrong.push((why, vec![case])),
            }
        }
    }
    Error::together(wrong.into_iter().map(|(why, of)| {
        if of.len() == cases.len() {
            why
        } else {
            let labels: Vec<&str> = of.iter().map(|case| case.label.as_str()).collect();
            Error::call(why.to_string()).at(labels.join(", "))
        }
    }))
}

fn faults(recipes: &'static [Entry], run: &Path, case: &Case, seed: u64) -> Result<Vec<Error>> {
    let entry = find(recipes, &case.recipe)?;
    let set = case.set.iter().cloned().chain([format!("seed={seed}")]).collect();
    let options = TrainOptions {
        file: run.to_path_buf(),
        set,
        other_recipe: true,
        quiet: true,
        ..TrainOptions::default()
    };
    let mut wrong = check(entry, &options).wrong;
    if wrong.is_empty() && held_out(entry, &options)?.held_out.is_none() {
        wrong.push(
            Error::call("the run has no held-out prompts, on which a sweep compares")
                .at(run.display())
                .next("add `eval: (tasks: (split: HeldOut))` or `eval: (data: \"…\")` to the run file"),
        );
    }
    Ok(wrong)
}
