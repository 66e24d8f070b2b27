//! What ARCHITECTURE.md says is absent is absent: every rule here reads the tree.

#[path = "tidy/source.rs"]
mod source;

use std::collections::BTreeSet;

use source::{code, is_word, shipped, test_modules, tree, without, File};

/// The most lines a Rust file may have.
const LONGEST: usize = 400;

/// The largest file that may be committed, in bytes: 2 MB.
const LARGEST: u64 = 2_000_000;

/// Whether `text` has `word` standing alone.
fn names(text: &str, word: &str) -> bool {
    text.match_indices(word)
        .any(|(at, _)| !text[..at].ends_with(is_word) && !text[at + word.len()..].starts_with(is_word))
}

/// `path:line: the line`, for each line of `text` that `is_wrong` finds wrong.
fn lines_where(path: &str, text: &str, mut is_wrong: impl FnMut(usize, &str) -> bool) -> Vec<String> {
    let wrong = text.lines().enumerate().filter(|(at, line)| is_wrong(*at, line));
    wrong.map(|(at, line)| format!("{path}:{}: {}", at + 1, line.trim())).collect()
}

#[track_caller]
fn none(what: &str, found: Vec<String>) {
    assert!(found.is_empty(), "{what}:\n  {}", found.join("\n  "));
}

#[test]
fn no_method_is_named_in_the_macros() {
    let files = tree();
    let mut methods = BTreeSet::new();
    for file in files.iter().filter(|file| file.is_rust() && file.is_in(&["runtime/src/stages/"])) {
        let text = code(file.text().unwrap_or_default(), false);
        for after in text.split("#[derive(").skip(1) {
            let Some((derived, item)) = after.split_once(")]") else { continue };
            let name = item.split_once("pub struct ").map_or("", |(_, name)| name);
            let name: String = name.chars().take_while(|&c| is_word(c)).collect();
            if names(derived, "Settings") && !name.is_empty() {
                methods.insert(name);
            }
        }
    }
    // the loop's own batch of routed tokens has this name as well
    methods.remove("Routed");
    assert!(methods.contains("MarginShift") && methods.contains("AdamW"), "{methods:?}");
    let mut found = Vec::new();
    for file in files.iter().filter(|file| file.is_rust() && file.is_in(&["macros/"])) {
        let mut text =
            without(code(file.text().unwrap_or_default(), true), "#[cfg(test)]", |c| c == ';' || c == '}');
        match file.path.as_str() {
            // the one table of examples
            "macros/core/src/messages.rs" => text = without(text, "fn example(", |c| c == '}'),
            // what logs and saves when a recipe does not say
            "macros/core/src/stage.rs" => text = without(text, "Absent::Default(\"", |c| c == ','),
            _ => {}
        }
        let is_wrong = |_: usize, line: &str| methods.iter().any(|method| names(line, method));
        found.extend(lines_where(&file.path, &text, is_wrong));
    }
    none("methods named in the macros", found);
}

#[test]
fn dfdx_has_one_door() {
    let mut found = Vec::new();
    for file in tree().iter().filter(|file| {
        file.is_rust() && file.is_in(&["macros/", "runtime/", "recipes/", "examples/", "tests/"])
    }) {
        if file.path == "runtime/src/tensor.rs" || file.path == "tests/tidy.rs" || is_of_cuda(&file.path) {
            continue;
        }
        let text = code(file.text().unwrap_or_default(), true);
        found.extend(lines_where(&file.path, &text, |_, line| names(line, "dfdx") || names(line, "cudarc")));
    }
    none("dfdx or cudarc named outside tensor.rs", found);
}

/// A kernel's own CUDA file, where it has one.
fn is_of_cuda(path: &str) -> bool {
    path.starts_with("runtime/src/kernels/") && path.ends_with("/cuda.rs")
}

#[test]
fn cuda_is_asked_for_only_where_kernels_are() {
    let mut found = Vec::new();
    for file in tree().iter().filter(|file| file.is_rust() && file.path != "tests/tidy.rs") {
        if file.is_in(&["runtime/src/kernels/", "runtime/src/tensor.rs"]) {
            continue;
        }
        let text = code(file.text().unwrap_or_default(), true);
        found.extend(lines_where(&file.path, &text, |_, line| line.contains("feature = \"cuda\"")));
    }
    none("cfg(feature = \"cuda\") outside kernels/ and tensor.rs", found);
}

#[test]
fn teachers_and_stages_have_no_tape() {
    let mut found = Vec::new();
    for file in tree()
        .iter()
        .filter(|file| file.is_rust() && file.is_in(&["runtime/src/stages/", "runtime/src/world/"]))
    {
        let text = shipped(file.text().unwrap_or_default());
        found.extend(lines_where(&file.path, &text, |_, line| {
            names(line, "OwnedTape") || names(line, "Tape")
        }));
    }
    none("a tape outside models/ and kernels/", found);
}

#[test]
fn only_check_opens_what_teachers_read() {
    // where it is, where it is handed on, and where it is printed
    let allowed = ["score/read.rs", "score/reading.rs", "run/contexts.rs"];
    let rendered = ["privileged.rs", "score/read.rs", "run/state.rs"];
    let (mut found, mut calls) = (Vec::new(), 0);
    for file in tree().iter().filter(|file| file.is_rust() && file.is_in(&["runtime/src/", "recipes/src/"])) {
        let text = shipped(file.text().unwrap_or_default());
        let is_in = |list: &[&str]| list.iter().any(|path| file.path.ends_with(path));
        let opened = lines_where(&file.path, &text, |_, line| names(line, "opened_for_check"));
        let context = |_: usize, line: &str| {
            line.contains("privileged::context") || line.contains("privileged::{context")
        };
        let context = lines_where(&file.path, &text, context);
        calls += opened.len();
        found.extend(opened.into_iter().filter(|_| !is_in(&allowed)));
        found.extend(context.into_iter().filter(|_| !is_in(&rendered)));
    }
    assert_eq!(calls, 4, "made, handed on (a function and its call), printed");
    none("privileged text opened outside `limbeck check`", found);
}

#[test]
fn no_random_generator_has_state() {
    let mut found = Vec::new();
    for file in tree() {
        let Some(text) = file.text() else { continue };
        if file.path.ends_with("Cargo.toml") {
            found.extend(lines_where(&file.path, text, |_, line| {
                ["rand", "fastrand", "getrandom"]
                    .contains(&line.split(['=', '.', ' ']).next().unwrap_or_default())
            }));
        }
        if file.is_rust() && file.is_in(&["runtime/src/", "recipes/src/"]) {
            let is_wrong = |_: usize, line: &str| names(line, "thread_rng") || line.contains("rand::");
            found.extend(lines_where(&file.path, &shipped(text), is_wrong));
        }
    }
    none("random numbers that do not come from runtime/src/rng.rs", found);
}

#[test]
fn nothing_that_ships_panics_on_purpose() {
    let files = tree();
    let tests = test_modules(&files);
    let mut found = Vec::new();
    for file in
        files.iter().filter(|file| file.is_rust() && file.is_in(&["runtime/src/", "recipes/src/", "macros/"]))
    {
        if tests
            .iter()
            .any(|module| file.path == *module || (module.ends_with('/') && file.path.starts_with(module)))
        {
            continue;
        }
        let text = file.text().unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        found.extend(lines_where(&file.path, &shipped(text), |at, line| {
            let calls = [".unwrap()", ".expect(", "panic!", "unreachable!", "todo!", "unimplemented!"];
            calls.iter().any(|call| line.contains(call)) && !speaks_at_compile_time(&lines[..at])
        }));
    }
    none("code that can panic", found);
}

/// Whether the function these lines end in is a `const fn` that says when it panics.
fn speaks_at_compile_time(before: &[&str]) -> bool {
    let Some(start) = before.iter().rposition(|line| names(line, "fn")) else { return false };
    let doc = before[..start]
        .iter()
        .rev()
        .take_while(|line| line.trim().starts_with("//") || line.trim().starts_with('#'));
    let doc: Vec<&str> = doc.map(|line| line.trim()).collect();
    names(before[start], "const")
        && doc.contains(&"/// # Panics")
        && doc.iter().any(|line| line.starts_with("/// At compile time"))
}

#[test]
fn rust_files_are_short_and_start_at_their_first_line() {
    let mut found = Vec::new();
    for file in tree().iter().filter(|file| file.is_rust()) {
        let text = file.text().unwrap_or_default();
        let lines = text.lines().count();
        if lines > LONGEST {
            found.push(format!("{}: {lines} lines, more than {LONGEST}", file.path));
        }
        if text.lines().next().is_none_or(|line| line.trim().is_empty()) {
            found.push(format!("{}: the first line is blank", file.path));
        }
    }
    none("files to put right", found);
}

#[test]
fn no_file_is_large() {
    let large = tree().into_iter().filter(|file| file.bytes.len() as u64 > LARGEST);
    none("files over 2 MB", large.map(|file| format!("{}: {} bytes", file.path, file.bytes.len())).collect());
}

#[test]
fn the_tree_knows_no_machine_and_no_diary() {
    // put together here, so that this file does not find itself
    let machines = [
        concat!("/ho", "me/"),
        concat!("/ro", "ot/"),
        concat!("/wo", "rk/"),
        concat!("/Us", "ers/"),
        concat!("index.crates", ".io"),
        concat!("static.crates", ".io"),
        concat!("sparse", "+http"),
        concat!("replace", "-with"),
        concat!("index", "-url"),
    ];
    let diary = [
        concat!("this ses", "sion"),
        concat!("last ses", "sion"),
        concat!("next ses", "sion"),
        concat!("desi", "gn.md"),
        concat!("meth", "ods.md"),
        concat!("sub", "strate.md"),
        concat!("mini", "lab.md"),
        concat!("for", "mats.md"),
        concat!("fie", "ld.md"),
        concat!("anch", "ors.md"),
        concat!("ass", "ets.md"),
    ];
    let source = concat!("\"registry", "+https://github.com/rust-lang/crates.io-index\"");
    let mut found = Vec::new();
    for file in tree() {
        let Some(text) = file.text() else { continue };
        found.extend(lines_where(&file.path, text, |_, line| {
            let low = line.to_lowercase();
            let elsewhere =
                file.path == "Cargo.lock" && line.starts_with("source = ") && !line.ends_with(source);
            let stands_alone =
                |word: &str| low.match_indices(word).any(|(at, _)| !low[..at].ends_with(is_word));
            elsewhere
                || machines.iter().any(|word| starts_a_path(line, word))
                || diary.iter().any(|word| stands_alone(word))
                || low
                    .split("issue ")
                    .skip(1)
                    .any(|after| after.trim_start_matches('#').starts_with(|c: char| c.is_ascii_digit()))
        }));
    }
    none("words that belong to one machine or one day", found);
}

/// Whether `line` has `word`, and not as the end of something longer (`ours/work/` is no machine's path).
fn starts_a_path(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| !line[..at].ends_with(|c: char| is_word(c) || ".-}".contains(c)))
}

#[test]
fn every_recipe_names_its_paper() {
    let mut found = Vec::new();
    for file in tree().iter().filter(|file| file.is_rust() && file.is_in(&["recipes/src/"])) {
        if file.path.ends_with("/lib.rs") || file.path.ends_with("/main.rs") || file.path.ends_with("/mod.rs")
        {
            continue;
        }
        let text = file.text().unwrap_or_default();
        let doc: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("///")).collect();
        let doc = doc.join("\n");
        let number = |after: &str| after.chars().take(5).filter(char::is_ascii_digit).count() == 4;
        let has_paper = doc.split("arXiv ").skip(1).any(number) || doc.contains("No paper");
        if !(text.contains("#[recipe]") || text.contains("#[recipe(base = ")) || !has_paper {
            found.push(file.path.clone());
        }
    }
    none("recipes whose doc has no `arXiv NNNN.NNNNN` (or `No paper…`)", found);
}

#[test]
fn every_refused_program_says_why() {
    let files = tree();
    let paths: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let ui = paths.iter().filter(|path| path.starts_with("tests/ui/"));
    let lonely = ui.filter(|path| match path.rsplit_once('.') {
        Some((stem, "rs")) => !path.contains("/pass/") && !paths.contains(format!("{stem}.stderr").as_str()),
        Some((stem, "stderr")) => !paths.contains(format!("{stem}.rs").as_str()),
        _ => false,
    });
    none(
        "a program without its message, or a message without its program",
        lonely.map(ToString::to_string).collect(),
    );
}

#[test]
fn no_check_lives_only_in_ci() {
    let files = tree();
    let ci = files.iter().find(|file| file.path == ".ci/run").and_then(File::text).unwrap();
    let runs: Vec<&str> = ci.lines().filter_map(|line| line.strip_prefix("run ")).collect();
    assert!(runs.contains(&"cargo test --workspace --features gguf"), "{runs:?}");
    let is_cargo =
        |line: &&str| line.starts_with("cargo ") || (line.starts_with("env ") && line.contains(" cargo "));
    let other = runs.into_iter().filter(|line| !is_cargo(line));
    none("commands of .ci/run that are not cargo's own", other.map(str::to_owned).collect());
}
