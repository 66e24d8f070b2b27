//! What README.md shows is what there is: the recipe, its loop, the error, the recipes and the files.

use std::path::Path;

use limbeck::Recipe;
use limbeck_macros_core::{expand, Mistake};
use limbeck_recipes::{UniOpd, UniOpdGreedyMask};
use proc_macro2::TokenStream;
use quote::ToTokens;

const README: &str = include_str!("../README.md");
const UNI_OPD: &str = include_str!("../recipes/src/uni_opd.rs");

/// The fenced block between `<!-- name -->` and the next `<!-- /`.
fn block(name: &str) -> &'static str {
    let (_, after) = README.split_once(&format!("<!-- {name} -->")).unwrap_or_else(|| panic!("no {name}"));
    let (inside, _) = after.split_once("<!-- /").unwrap_or_else(|| panic!("{name} does not end"));
    let (_, fenced) = inside.split_once("```").unwrap_or_else(|| panic!("{name} has no block"));
    let (_, lines) = fenced.split_once('\n').unwrap();
    lines.split_once("\n```").unwrap().0
}

fn from_the_attribute(source: &str) -> &str {
    source[source.find("#[recipe]").unwrap()..].trim_end()
}

/// What `#[recipe]` is handed when it stands in this file; lines stay where they are.
fn item(source: &str) -> TokenStream {
    let is_outside = |line: &str| line.starts_with("use ") || line == "#[recipe]";
    let lines: Vec<_> = source.lines().map(|line| if is_outside(line) { "" } else { line }).collect();
    lines.join("\n").parse().unwrap()
}

/// The mistake as rustc prints it for a file of this name.
fn as_rustc_prints(mistake: &Mistake, file: &str, source: &str, width: usize) -> String {
    let Mistake { line, column, says } = mistake;
    let says = says.replace('\n', "\n       ");
    let pad = " ".repeat(line.to_string().len());
    let shown = source.lines().nth(line - 1).unwrap();
    let under = " ".repeat(column - 1) + &"^".repeat(width);
    format!("error: {says}\n{pad}--> {file}:{line}:{column}\n{pad} |\n{line} | {shown}\n{pad} | {under}")
}

#[test]
fn the_recipe_is_the_recipe() {
    assert_eq!(from_the_attribute(block("recipe:UniOpd")), from_the_attribute(UNI_OPD));
}

#[test]
fn the_loop_is_the_loop() {
    assert_eq!(block("loop:UniOpd"), UniOpd::LOOP.trim_end());
}

#[test]
fn the_diff_is_the_diff() {
    let diff = limbeck::diff(&UniOpd::PLAN, &UniOpdGreedyMask::PLAN).to_string();
    assert_eq!(block("diff:UniOpd:UniOpdGreedyMask"), diff.trim_end());
}

#[test]
fn the_error_is_what_is_said() {
    let source = block("recipe:UniOpd").replace("calibrate:", "calibrte:");
    let report = expand(TokenStream::new(), item(&source)).err().expect("a misspelt stage is refused");
    let mistakes = report.mistakes();
    assert_eq!(mistakes.len(), 1, "one mistake, one error: {mistakes:?}");
    assert_eq!(block("error"), as_rustc_prints(&mistakes[0], "src/uni_opd.rs", &source, "calibrte".len()));
}

#[test]
fn a_crate_of_ones_own_has_no_mistake() {
    let file = syn::parse_file(block("own")).unwrap();
    let found = file.items.into_iter().find_map(|item| match item {
        syn::Item::Struct(item) => Some(item),
        _ => None,
    });
    let mut recipe = found.expect("the crate has a recipe");
    recipe.attrs.retain(|attribute| !attribute.path().is_ident("recipe"));
    let report = expand(TokenStream::new(), recipe.into_token_stream()).err();
    assert_eq!(report.map(|report| report.mistakes()), None);
}

#[test]
fn the_forks_are_those_of_the_example() {
    assert!(include_str!("../examples/02_fork.rs").contains(block("fork")), "the README's forks are others");
}

#[test]
fn every_recipe_is_in_the_table() {
    for entry in limbeck_recipes::ALL {
        assert!(README.contains(&format!("| `{}` |", entry.name())), "{} is not in the table", entry.name());
    }
}

#[test]
fn every_link_leads_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let targets =
        README.split("](").skip(1).filter_map(|after| after.split_once(')')).map(|(target, _)| target);
    for target in targets.filter(|target| !target.starts_with("http") && !target.starts_with('#')) {
        assert!(root.join(target).exists(), "{target} is not there");
    }
}

#[test]
fn the_commands_are_the_ones_that_are_run() {
    assert!(README.contains("cargo run --release --bin limbeck -- train examples/runs/quickstart.ron"));
    assert!(README.contains("cargo test --workspace --features gguf\n"));
    assert!(include_str!("../.ci/run").contains("run cargo test --workspace --features gguf\n"));
}
