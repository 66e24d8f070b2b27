//! `limbeck new`: a crate with a recipe, a fork of it, a snapshot test and a run, which builds and passes as it is.

// the very text that is written, so that it compiles and its snapshots are true
#[allow(dead_code, unreachable_pub)]
#[path = "new/recipes.rs"]
mod recipes;

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::plan::Plan;
use crate::recipe::Recipe;
use recipes::{MyOpd, Unbalanced};

const RECIPES: &str = include_str!("new/recipes.rs");
const MAIN: &str = include_str!("new/main.txt");
const CARGO: &str = include_str!("new/Cargo.txt");
const TESTS: &str = include_str!("new/snapshots.txt");
const RUN: &str = include_str!("new/run.txt");
const README: &str = include_str!("new/README.txt");
const IGNORED: &str = "/target\n/runs\n*.snap.new\n";

/// Models that a new crate is given, and what they are called there.
const MODELS: [&str; 3] = ["start", "math", "code"];

/// Writes the crate into `folder`; `limbeck` is where the library's source is, if it is not where this binary
/// was built from.
///
/// # Errors
/// A folder that is there already, a name that no crate can have, no library at `limbeck`, a full disk. What
/// is half written is taken away again.
pub(super) fn new(folder: &Path, limbeck: Option<&Path>) -> Result<()> {
    let name = name_of(folder)?;
    if folder.exists() {
        return Err(Error::call("there is something here already")
            .at(folder.display())
            .next("choose a name that is free: nothing is ever written over"));
    }
    let library = library(limbeck)?;
    let written = write(folder, &name, &library);
    if written.is_err() {
        let _ = fs::remove_dir_all(folder);
    }
    written
}

/// Names that a crate cannot have: what its tests, the library and cargo call their own, and words of Rust.
const TAKEN: &str = "limbeck test tests core std alloc proc_macro build deps examples incremental abstract as async \
    await become box break const continue crate do dyn else enum extern false final fn for gen if impl in let loop \
    macro match mod move mut override priv pub ref return self static struct super trait true try type typeof \
    unsafe unsized use virtual where while yield";

/// The folder's name, as the name of a crate.
fn name_of(folder: &Path) -> Result<String> {
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let letter = name.starts_with(|c: char| c.is_ascii_alphabetic());
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if letter && plain && !TAKEN.split(' ').any(|word| word == name.replace('-', "_")) {
        return Ok(name.to_string());
    }
    Err(Error::call(format!("`{name}` cannot be the name of a crate"))
        .at(folder.display())
        .next("take letters, digits, `-` and `_`, a letter first, for example my-study"))
}

/// The folder of the library's source.
fn library(given: Option<&Path>) -> Result<PathBuf> {
    let built_from = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = given.unwrap_or(built_from);
    let candidates = [folder.to_path_buf(), folder.join("runtime")];
    let is_library = |folder: &&PathBuf| {
        let text = fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
        text.contains("name = \"limbeck\"")
    };
    let found = candidates.iter().find(is_library).and_then(|folder| std::path::absolute(folder).ok());
    found.ok_or_else(|| {
        Error::call("the source of limbeck is not here, and a crate must say where it is")
            .at(folder.display())
            .next("name its folder, for example `limbeck new my-study --limbeck ../limbeck`")
    })
}

fn write(folder: &Path, name: &str, library: &Path) -> Result<()> {
    let fill = |text: &str| text.replace("NAME", name).replace("CRATE", &name.replace('-', "_"));
    let quoted = library.display().to_string().replace('\\', "\\\\").replace('"', "\\\"");
    let snapshot = |source: &str, body: &str| {
        let source = source.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let described =
            if source.is_empty() { String::new() } else { format!("description: \"{source}\"\n") };
        format!("---\nsource: tests/snapshots.rs\n{described}---\n{}\n", body.trim_end())
    };
    let (base, fork): (Plan, Plan) = (MyOpd::PLAN, Unbalanced::PLAN);
    let looped = snapshot(MyOpd::SOURCE, MyOpd::LOOP);
    let changed = snapshot("", &crate::diff(&base, &fork).to_string());
    let files = [
        ("Cargo.toml", fill(CARGO).replace("LIMBECK", &quoted)),
        (".gitignore", IGNORED.to_string()),
        ("README.md", fill(README)),
        ("run.ron", fill(RUN)),
        ("src/lib.rs", RECIPES.to_string()),
        ("src/main.rs", fill(MAIN)),
        ("tests/snapshots.rs", fill(TESTS)),
        ("tests/snapshots/snapshots__MyOpd_loop.snap", looped),
        ("tests/snapshots/snapshots__Unbalanced_against_MyOpd.snap", changed),
    ];
    for (path, text) in files {
        put(&folder.join(path), text.as_bytes())?;
    }
    // what the library was tested with, where it is at hand
    let root = library.parent().unwrap_or(library);
    for file in ["Cargo.lock", "rust-toolchain.toml"] {
        if let Ok(bytes) = fs::read(root.join(file)) {
            put(&folder.join(file), &bytes)?;
        }
    }
    for model in MODELS {
        let from = root.join("examples/assets").join(model);
        let entries = fs::read_dir(&from).map_err(|why| Error::reading(&from, why))?;
        for file in entries.flatten().map(|entry| entry.path()) {
            let bytes = fs::read(&file).map_err(|why| Error::reading(&file, why))?;
            put(&folder.join("models").join(model).join(file.file_name().unwrap_or_default()), &bytes)?;
        }
    }
    Ok(())
}

fn put(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).map_err(|why| Error::writing(folder, why))?;
    fs::write(path, bytes).map_err(|why| Error::writing(path, why))
}
