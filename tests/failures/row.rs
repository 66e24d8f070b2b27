//! The table's shape.

use std::path::Path;

use serde::Deserialize;

/// A failure that users of other tools have met.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    pub number: usize,
    pub title: String,
    /// What they saw, in our words.
    pub symptom: String,
    /// Where they said so.
    pub threads: Vec<String>,
    pub prevented: Prevented,
    /// What stays possible here, or why this cannot be prevented.
    #[serde(default)]
    pub rest: String,
    pub evidence: Vec<Evidence>,
}

/// Whether it can happen here.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub enum Prevented {
    Yes,
    Partly,
    No,
}

/// What says it, or what holds it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Evidence {
    /// A program of `tests/ui/fail`, which `tests/ui.rs` compiles, and what rustc says first.
    Program { name: String, says: String },
    /// The fields of a recipe, and all that the macro says of them, each with line and column.
    Recipe { fields: String, says: Vec<String> },
    /// A call of the binary, and lines of what it says: on stderr when it refuses, else on stdout.
    Call { when: String, setup: Vec<Setup>, words: Vec<String>, says: String },
    /// A test, and what it holds.
    Test { file: String, name: String, holds: String },
}

/// What is done before a call, in a folder with a run file, a student and two teachers.
#[derive(Deserialize)]
pub enum Setup {
    /// A file and its text.
    Write(String, String),
    /// A file or a folder, and where it goes.
    Copy(String, String),
    /// A file, what stands in it, and what stands there now.
    Replace(String, String, String),
    /// Words for the binary.
    Limbeck(Vec<String>),
}

/// The folder that holds everything.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The table.
pub fn rows() -> Vec<Row> {
    ron::from_str(include_str!("rows.ron")).unwrap_or_else(|why| panic!("rows.ron:{why}"))
}
