use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use serde_json::json;

use super::args::{Output, RunArgs, Verb};
use super::graft::graft;
use super::{model, new};
use crate::entry::Entry;
use crate::error::{Error, Result};
use crate::run::{self, recipe_of, RunDirectory, Shown, TrainOptions};
use crate::suggest::nearest;

pub(super) fn run(verb: Verb, recipes: &'static [Entry]) -> Result<ExitCode> {
    match verb {
        Verb::List { json } => list(recipes, json),
        Verb::Show { recipe, alone, plan, source } => {
            let entry = find(recipes, &recipe)?;
            let text = match (alone, plan, source) {
                (true, ..) => entry.loop_text.to_string(),
                (_, true, _) => entry.plan.to_ron(),
                (.., true) => entry.source.to_string(),
                _ => entry.ejected.to_string(),
            };
            say(text.trim_end())
        }
        Verb::Diff { from, to, loops, json, exit_code } => {
            let diff = crate::diff(&find(recipes, &from)?.plan, &find(recipes, &to)?.plan);
            say(&if json { super::paint::json(&diff)? } else { super::paint::diff(&diff, loops) })?;
            Ok(if exit_code && !diff.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
        }
        Verb::Check(args) => check(recipes, &args),
        Verb::Train { run, out, dry_run, shown, with_parent } => {
            end_with_parent(with_parent);
            let (entry, options) = open(recipes, &run, &shown)?;
            let options = TrainOptions { out, dry_run, ..options };
            show(&run::train(entry, &options)?, &shown)
        }
        Verb::Resume { directory, shown, with_parent } => {
            end_with_parent(with_parent);
            let file = RunDirectory::existing(&directory)?.path("run.ron");
            let entry = find(recipes, &recipe_in(&file)?)?;
            show(&run::resume(entry, &directory, shown.quiet)?, &shown)
        }
        Verb::Sweep(args) => super::sweep::sweep(recipes, &args),
        Verb::Replay { recipe, rollouts, set, seed } => {
            let replay = run::replay(find(recipes, &recipe)?, &rollouts, &set, seed)?;
            say(replay.to_json_lines().trim_end())
        }
        Verb::Eval { run, model, task, samples, per_level, temperature, seed, shown } => {
            let asked = model::Asked { model, task, samples, per_level, temperature, seed };
            let table = match run {
                Some(file) => {
                    let name = recipe_in(&file)?;
                    let options = TrainOptions { file, ..TrainOptions::default() };
                    model::eval_run(run::held_out(find(recipes, &name)?, &options)?, &asked, shown.quiet)?
                }
                None => model::eval_model(&asked, shown.quiet)?,
            };
            say(&if shown.json { table.to_json().to_string() } else { table.to_string() })
        }
        Verb::Generate { model, prompt, chat, temperature, top_p, top_k, max_tokens, seed } => {
            say(&model::generate(&model, &prompt, chat, (temperature, top_p, top_k, max_tokens), seed)?)
        }
        Verb::Score { model, text, tokens } => {
            say(&model::score(&model, text.as_deref(), tokens.as_deref())?.to_string())
        }
        Verb::Export { directory, to, bf16 } => {
            model::export(recipes, &directory, &to, bf16)?;
            say(&format!("wrote {}", to.display()))
        }
        Verb::ImportGguf { file, to, bf16 } => {
            model::import_gguf(&file, &to, bf16)?;
            say(&format!("wrote {}", to.display()))
        }
        Verb::Bench(args) => super::bench::run(&args),
        Verb::New { folder, limbeck } => {
            new::new(&folder, limbeck.as_deref())?;
            let folder = folder.display();
            say(&format!("wrote {folder}\ncd {folder} && cargo test && cargo run --release -- train run.ron"))
        }
        Verb::Graft(args) => {
            graft(&args)?;
            say(&format!("wrote {}", args.to.display()))
        }
        Verb::Init(args) => {
            model::init(&args)?;
            say(&format!("wrote {}", args.to.display()))
        }
    }
}

/// Ends this process when its standard input ends. What starts runs holds that open, and however it ends, killed or
/// not, no run goes on without it; what a run has written by then is whole.
fn end_with_parent(wanted: bool) {
    if wanted {
        std::thread::spawn(|| {
            let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
            std::process::exit(1);
        });
    }
}

/// Results go to stdout; a pipe that was closed is no error.
pub(super) fn say(text: &str) -> Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(why) if why.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Error::run(format!("cannot be written: {why}")).at("stdout"))
        }
        _ => Ok(ExitCode::SUCCESS),
    }
}

pub(super) fn find(recipes: &'static [Entry], name: &str) -> Result<&'static Entry> {
    recipes.iter().find(|entry| entry.name == name).ok_or_else(|| {
        let error = Error::call(format!("there is no recipe `{name}`"));
        match nearest(name, recipes.iter().map(|entry| entry.name)) {
            Some(near) => error.next(format!("did you mean `{near}`?")),
            None => error.next("`limbeck list` shows them all"),
        }
    })
}

pub(super) fn recipe_in(file: &Path) -> Result<String> {
    let text = std::fs::read_to_string(file).map_err(|why| Error::reading(file, why))?;
    recipe_of(&text, &file.display().to_string())
}

fn open(recipes: &'static [Entry], args: &RunArgs, shown: &Output) -> Result<(&'static Entry, TrainOptions)> {
    let written = recipe_in(&args.run)?;
    let name = args.recipe.clone().unwrap_or(written);
    let entry = find(recipes, &name).map_err(|why| why.or_at(format!("{}, `recipe`", args.run.display())))?;
    let options = TrainOptions {
        file: args.run.clone(),
        set: args.set.clone(),
        other_recipe: args.recipe.is_some(),
        quiet: shown.quiet,
        json: shown.json,
        ..TrainOptions::default()
    };
    Ok((entry, options))
}

fn list(recipes: &[Entry], as_json: bool) -> Result<ExitCode> {
    if as_json {
        let rows: Vec<_> = recipes
            .iter()
            .map(|e| json!({"name": e.name, "paper": paper(e.doc), "base": e.plan.base, "about": first_line(e.doc)}))
            .collect();
        return say(&json!(rows).to_string());
    }
    let wide = |of: fn(&Entry) -> String| recipes.iter().map(|e| of(e).chars().count()).max().unwrap_or(0);
    let (name, source) = (wide(|e| e.name.to_string()), wide(|e| paper(e.doc)));
    let lines: Vec<String> = recipes
        .iter()
        .map(|e| {
            let base = e.plan.base.map_or(String::new(), |base| format!(" (from {base})"));
            format!("{:name$}  {:source$}  {}{base}", e.name, paper(e.doc), first_line(e.doc))
        })
        .collect();
    say(&lines.join("\n"))
}

fn first_line(doc: &str) -> &str {
    doc.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default()
}

/// The first arXiv number in a recipe's doc.
fn paper(doc: &str) -> String {
    let Some(at) = doc.find("arXiv") else { return "-".to_string() };
    let number: String = doc[at + 5..]
        .chars()
        .skip_while(|c| !c.is_ascii_digit())
        .take_while(|c| c.is_ascii_digit() || *c == '.')
        .collect();
    format!("arXiv {}", number.trim_end_matches('.'))
}

fn check(recipes: &'static [Entry], args: &RunArgs) -> Result<ExitCode> {
    let (entry, options) = open(recipes, args, &Output { json: false, quiet: true })?;
    let findings = run::check(entry, &options);
    say(&findings.good.join("\n"))?;
    for wrong in &findings.wrong {
        super::complain(wrong);
    }
    if findings.wrong.is_empty() {
        say("all is well")
    } else {
        Ok(ExitCode::from(2))
    }
}

fn show(shown: &Shown, output: &Output) -> Result<ExitCode> {
    if output.json {
        return say(&json!({
            "steps": shown.steps,
            "finished_before": shown.finished_before,
            "seconds": shown.seconds,
            "directory": shown.directory,
            "accuracy": shown.table.as_ref().map(crate::log::Table::to_json),
        })
        .to_string());
    }
    if let Some(table) = &shown.table {
        say(&format!("\n{}", table.to_string().trim_end()))?;
    }
    if let Some((prompt, before, after)) = &shown.example {
        say(&format!("\nasked   {prompt}\nbefore  {}\nafter   {}", before.trim(), after.trim()))?;
    }
    match &shown.directory {
        Some(folder) if shown.finished_before => say(&format!(
            "\nthe run had made its {} steps before, so nothing was trained; it is in {}\nlook at it: {}",
            shown.steps,
            folder.display(),
            folder.join("report.html").display()
        )),
        Some(folder) => say(&format!(
            "\n{} steps in {:.0} s; the run is in {}\nlook at it: {}",
            shown.steps,
            shown.seconds,
            folder.display(),
            folder.join("report.html").display()
        )),
        None => {
            say(&format!("\n{} step in {:.1} s; a dry run leaves nothing behind", shown.steps, shown.seconds))
        }
    }
}
