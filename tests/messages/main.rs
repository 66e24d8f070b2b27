//! Every mistake the macros find by themselves: its place, and the sentence the user reads.
//!
//! One rule, one test. Most change one thing in a recipe in which every rule holds, so that one
//! mistake is seen to be one message. No rustc is involved; what only rustc can say is in `ui/`.

mod domains;
mod fields;
mod forks;
mod item;
mod methods;
mod order;
mod settings;
mod several;
mod teachers;

use limbeck_macros_core::{ask, expand, expand_domain, expand_fork, expand_settings, Report};
use proc_macro2::TokenStream;

const GOOD: &str = "\
/// Two experts into one student.
struct Good {
    #[teacher(domain = Domain::Math)]
    math: Frozen,
    #[teacher(domain = Domain::Code)]
    code: Frozen,
    data: Prompts,
    #[with(group_size = 4, temperature = 1.0)]
    rollout: Sample,
    verify: TaskAnswer,
    balance: ByOutcome,
    score: SampledToken,
    calibrate: MarginShift,
    loss: PolicyGradient,
    step: AdamW,
}
";

const EXPERTS: &str = "\
    #[teacher(domain = Domain::Math)]
    math: Frozen,
    #[teacher(domain = Domain::Code)]
    code: Frozen,
";

fn tokens(source: &str) -> TokenStream {
    source.parse().unwrap_or_else(|error| panic!("{error}: {source}"))
}

fn said<T>(outcome: Result<T, Report>) -> String {
    match outcome {
        Ok(_) => "nothing is wrong".to_owned(),
        Err(report) => {
            let lines: Vec<String> = report.mistakes().iter().map(ToString::to_string).collect();
            lines.join("\n")
        }
    }
}

/// What is said of an item under `#[recipe]`.
fn recipe(item: &str) -> String {
    recipe_with("", item)
}

/// What is said of an item under `#[recipe(args)]`.
fn recipe_with(args: &str, item: &str) -> String {
    match ask(tokens(args), tokens(item)) {
        Some(asked) => said(asked),
        None => said(expand(tokens(args), tokens(item))),
    }
}

/// What is said of a fork of the good recipe.
fn fork(args: &str, item: &str) -> String {
    fork_of(GOOD, args, item)
}

/// What is said of a fork of `base`.
fn fork_of(base: &str, args: &str, item: &str) -> String {
    said(expand_fork(
        (TokenStream::new(), tokens(base)),
        (tokens(&format!("base = Good, {args}")), tokens(item)),
    ))
}

/// What is said of the good recipe after one change.
fn change(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "{from} is not in the good recipe");
    recipe(&GOOD.replace(from, to))
}

/// What is said of the good recipe under other teachers.
fn teachers(teachers: &str) -> String {
    change(EXPERTS, teachers)
}

/// What is said of a method under `#[derive(Settings)]`.
fn settings(item: &str) -> String {
    said(expand_settings(tokens(item)))
}

/// What is said of an enum under `#[derive(Domain)]`.
fn domain(item: &str) -> String {
    said(expand_domain(tokens(item)))
}

#[test]
fn nothing_is_said_of_a_good_recipe() {
    assert_eq!(recipe(GOOD), "nothing is wrong");
}
