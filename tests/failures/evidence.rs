//! Looking at the evidence: expanding, calling, reading what rustc said, finding the tests.

use std::fs;

use limbeck_macros_core::{expand, Mistake};
use proc_macro2::TokenStream;

use crate::common::Bench;
use crate::row::{root, Evidence, Setup};

type Looked = Result<(), String>;

/// Whether this is as the table says.
pub fn look(evidence: &Evidence) -> Looked {
    match evidence {
        Evidence::Program { name, says } => program(name, says),
        Evidence::Recipe { fields, says } => recipe(fields, says),
        Evidence::Call { setup, words, says, .. } => call(setup, words, says),
        Evidence::Test { file, name, .. } => test(file, name),
    }
}

fn agree(what: &str, got: &str, want: &str) -> Looked {
    (got == want).then_some(()).ok_or_else(|| format!("{what}\nthe table: {want}\nin truth: {got}"))
}

fn read(path: &str) -> Result<String, String> {
    fs::read_to_string(root().join(path)).map_err(|why| format!("{path}: {why}"))
}

/// What rustc says of a program in `tests/ui/fail`.
pub fn refusal(name: &str) -> Result<String, String> {
    read(&format!("tests/ui/fail/{name}.stderr"))
}

/// `tests/ui.rs` sees that rustc says this; here it is seen that `tests/ui.rs` looks, and that this is it.
fn program(name: &str, says: &str) -> Looked {
    if !read("tests/ui.rs")?.contains(".compile_fail(\"tests/ui/fail/*.rs\")") {
        return Err("tests/ui.rs does not compile tests/ui/fail".to_owned());
    }
    read(&format!("tests/ui/fail/{name}.rs"))?;
    let refusal = refusal(name)?;
    let first = refusal.lines().next().unwrap_or_default();
    let (_, first) = first.split_once(": ").unwrap_or_default();
    agree(name, first.trim_start_matches("evaluation panicked: "), says)
}

/// The recipe with these fields, as text.
pub fn source(fields: &str) -> String {
    format!("struct MyOpd {{\n{fields}}}\n")
}

/// What the macro says of it.
pub fn mistakes(source: &str) -> Vec<Mistake> {
    let tokens = source.parse().expect("Rust tokens");
    expand(TokenStream::new(), tokens).err().map(|report| report.mistakes()).unwrap_or_default()
}

fn recipe(fields: &str, says: &[String]) -> Looked {
    let got: Vec<String> = mistakes(&source(fields)).iter().map(ToString::to_string).collect();
    agree(fields, &got.join("\n"), &says.join("\n"))
}

fn call(setup: &[Setup], words: &[String], says: &str) -> Looked {
    let bench = Bench::new();
    for step in setup {
        match step {
            Setup::Write(name, text) => bench.write(name, text),
            Setup::Copy(from, to) if bench.path(from).is_dir() => bench.copy(from, to),
            Setup::Copy(from, to) => bench.write(to, fs::read(bench.path(from)).expect("a file")),
            Setup::Replace(name, from, to) => {
                let text = bench.read(name);
                assert!(text.contains(from), "{name} has no {from}");
                bench.write(name, text.replacen(from, to, 1));
            }
            Setup::Limbeck(words) => drop(bench.limbeck(&as_words(words)).good()),
        }
    }
    let said = bench.limbeck(&as_words(words));
    let refused = said.code != Some(0);
    let text = if refused { said.err } else { said.out };
    // where the bench stands is different every time
    let here = bench.path("");
    let there = here.canonicalize().unwrap_or_else(|_| here.clone());
    let text = [there, here].iter().fold(text, |text, path| {
        text.replace(&format!("{}/", path.display().to_string().trim_end_matches('/')), "")
    });
    let is_whole = says.starts_with("error: ") == refused && !says.is_empty();
    let lines: Vec<&str> = text.lines().collect();
    let wanted: Vec<&str> = says.lines().collect();
    let found = lines.windows(wanted.len().max(1)).any(|part| part == wanted);
    (is_whole && found).then_some(()).ok_or_else(|| format!("{words:?}\nthe table: {says}\nin truth: {text}"))
}

fn as_words(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

/// A function of this name that runs as a test.
fn test(file: &str, name: &str) -> Looked {
    let text = read(file)?;
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let declared = format!("fn {name}(");
    let is_test = lines.iter().enumerate().filter(|(_, line)| line.starts_with(&declared)).any(|(at, _)| {
        let above = lines[..at].iter().rev();
        above
            .take_while(|line| line.starts_with("#[") || line.starts_with("//"))
            .any(|line| *line == "#[test]")
    });
    is_test.then_some(()).ok_or_else(|| format!("{file} has no test `{name}`"))
}
