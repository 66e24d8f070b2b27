//! The guide shows what there is: its output is printed by the binary, its loops are those of its recipes, its
//! messages are rustc's. What it has in Rust is compiled as the documentation of `limbeck_recipes::guide`.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::limbeck_in;
use limbeck_macros_core::expand;
use proc_macro2::TokenStream;
use quote::ToTokens;

/// Programs that are compiled and linked for the guide: each takes seconds.
const PROGRAMS: usize = 12;

struct Chapter {
    name: String,
    text: String,
}

struct Block<'a> {
    /// What stands behind the fence: `rust,no_run`.
    kind: &'a str,
    text: &'a str,
}

impl Chapter {
    fn blocks(&self) -> Vec<Block<'_>> {
        let parts: Vec<&str> = self.text.split("\n```").collect();
        assert_eq!(parts.len() % 2, 1, "{}: a block does not end", self.name);
        let fenced = parts.chunks(2).filter_map(|pair| pair.get(1));
        fenced
            .map(|block| {
                let (kind, text) = block.split_once('\n').unwrap_or((block, ""));
                Block { kind, text }
            })
            .collect()
    }

    fn blocks_of(&self, wanted: &str) -> Vec<&str> {
        let blocks = self.blocks().into_iter();
        blocks.filter(|block| block.kind == wanted).map(|block| block.text).collect()
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(root().join(&path)).unwrap_or_else(|why| panic!("{}: {why}", path.as_ref().display()))
}

/// The chapters in the order of the table of contents.
fn chapters() -> Vec<Chapter> {
    let contents = read("docs/guide/SUMMARY.md");
    let listed = contents.lines().filter_map(|line| Some(line.split_once("](")?.1.trim_end_matches(')')));
    let chapters: Vec<Chapter> = listed
        .map(|name| Chapter { name: name.to_owned(), text: read(Path::new("docs/guide").join(name)) })
        .collect();
    assert!(chapters.len() > 6, "{contents}");
    chapters
}

fn files_in(folder: &str, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join(folder)).unwrap().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|it| it == ending)).collect()
}

/// Whether `part` stands in `whole`, line for line; a line `…` stands for any.
fn stands_in(part: &str, whole: &str) -> bool {
    let whole: Vec<&str> = whole.lines().map(str::trim_end).collect();
    let mut from = 0;
    part.split("…\n")
        .map(|piece| piece.trim_end_matches('…').trim_end())
        .filter(|piece| !piece.is_empty())
        .all(|piece| {
            let lines: Vec<&str> = piece.lines().map(str::trim_end).collect();
            let found = whole[from..].windows(lines.len()).position(|there| there == lines);
            from += found.map_or(0, |at| at + lines.len());
            found.is_some()
        })
}

#[test]
fn every_chapter_is_in_the_contents_and_in_the_documentation() {
    let chapters = chapters();
    let modules = read("recipes/src/guide/mod.rs");
    for path in files_in("docs/guide", "md") {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name != "SUMMARY.md" {
            assert!(chapters.iter().any(|chapter| chapter.name == name), "{name} is in no contents");
            assert!(modules.contains(&format!("docs/guide/{name}\"")), "{name} is in no documentation");
        }
    }
    for Chapter { name, text } in &chapters {
        assert!((50..=160).contains(&text.lines().count()), "{name}: {} lines", text.lines().count());
        for target in text.split("](").skip(1).filter_map(|after| after.split_once(')')).map(|(to, _)| to) {
            assert!(target.starts_with("https://"), "{name}: {target} leads nowhere in `cargo doc`");
        }
    }
}

#[test]
fn what_is_printed_is_printed() {
    let mut calls = 0;
    for chapter in chapters() {
        for block in chapter.blocks_of("text") {
            let Some(call) = block.strip_prefix("$ limbeck ") else { continue };
            let (words, shown) = call.split_once('\n').unwrap();
            let words: Vec<&str> = words.split_whitespace().collect();
            let said = limbeck_in(root(), &words);
            let all = format!("{}{}", said.out, said.err);
            assert!(stands_in(shown, &all), "{}: {words:?} does not say\n{shown}\nbut\n{all}", chapter.name);
            calls += 1;
        }
    }
    assert!(calls > 3, "{calls}");
}

#[test]
fn messages_are_what_rustc_says() {
    let refusals: Vec<String> = files_in("tests/ui/fail", "stderr").iter().map(read).collect();
    let mut messages = 0;
    for chapter in chapters() {
        for block in chapter.blocks_of("text").into_iter().filter(|block| block.starts_with("error")) {
            let said = refusals.iter().any(|refusal| stands_in(block, refusal));
            assert!(said, "{}: nobody says\n{block}", chapter.name);
            messages += 1;
        }
    }
    assert!(messages > 2, "{messages}");
}

#[test]
fn loops_are_those_of_the_recipes() {
    let mut loops: Vec<String> = files_in("tests/snapshots", "snap").iter().map(read).collect();
    let chapters = chapters();
    for chapter in &chapters {
        for block in chapter.blocks().into_iter().filter(|block| block.kind.starts_with("rust")) {
            for item in syn::parse_file(block.text).map(|file| file.items).unwrap_or_default() {
                let syn::Item::Struct(mut item) = item else { continue };
                let before = item.attrs.len();
                item.attrs.retain(|attribute| attribute.to_token_stream().to_string() != "# [recipe]");
                if item.attrs.len() < before {
                    let expanded = expand(TokenStream::new(), item.to_token_stream());
                    loops.push(expanded.expect("a recipe of the guide has no mistake").text);
                }
            }
        }
    }
    let mut shown = 0;
    for chapter in &chapters {
        for block in chapter.blocks_of("rust,ignore") {
            assert!(
                loops.iter().any(|text| stands_in(block, text)),
                "{}: no loop has\n{block}",
                chapter.name
            );
            shown += 1;
        }
    }
    assert!(shown > 1, "{shown}");
}

#[test]
fn run_files_are_those_of_the_examples() {
    let examples: Vec<String> = files_in("examples/runs", "ron").iter().map(read).collect();
    let mut shown = 0;
    for chapter in chapters() {
        for block in chapter.blocks_of("ron") {
            assert!(examples.iter().any(|file| stands_in(block, file)), "{}: {block}", chapter.name);
            shown += 1;
        }
    }
    assert!(shown > 1, "{shown}");
}

#[test]
fn the_guide_does_not_take_long_to_compile() {
    let chapters = chapters();
    let blocks = chapters.iter().flat_map(Chapter::blocks);
    let compiled = blocks.filter(|block| ["rust", "rust,no_run"].contains(&block.kind)).count();
    assert!((6..=PROGRAMS).contains(&compiled), "{compiled} programs");
}
