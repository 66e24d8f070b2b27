//! `limbeck new`: what it writes is whole, says the truth, and is never half there.

mod common;

use std::path::Path;
use std::process::Command;

use common::{limbeck_in, run};

fn read(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).unwrap_or_else(|why| panic!("{name}: {why}"))
}

#[test]
fn a_new_crate_has_all_it_needs() {
    let here = tempfile::tempdir().unwrap();
    let said = limbeck_in(here.path(), &["new", "my-study"]).good();
    assert!(said.out.contains("cd my-study && cargo test"), "{}", said.out);
    let made = here.path().join("my-study");
    let manifest = read(&made, "Cargo.toml");
    assert!(manifest.contains("name = \"my-study\"") && manifest.contains("/runtime\" }"), "{manifest}");
    assert!(read(&made, "src/main.rs").contains("limbeck::main(my_study::RECIPES)"));
    assert!(read(&made, "tests/snapshots.rs").contains("use my_study::{MyOpd, Unbalanced};"));
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    assert_eq!(read(&made, "Cargo.lock"), read(root, "Cargo.lock"), "the versions that were tested");
    for name in ["Cargo.toml", "README.md", "run.ron", "src/main.rs", "tests/snapshots.rs"] {
        let text = read(&made, name);
        assert!(!["NAME", "CRATE", "LIMBECK"].iter().any(|blank| text.contains(blank)), "{name}: {text}");
    }
    // the run file is a run of that recipe's stages: of ours with the same experts, all but the name fits
    let checked = limbeck_in(&made, &["check", "run.ron", "--recipe", "VanillaOpd"]).good();
    assert!(checked.out.ends_with("all is well\n"), "{}", checked.out);
}

#[test]
fn nothing_is_written_over_and_nothing_half_written_stays() {
    let here = tempfile::tempdir().unwrap();
    limbeck_in(here.path(), &["new", "mine"]).good();
    let before = read(here.path(), "mine/src/lib.rs");
    limbeck_in(here.path(), &["new", "mine"]).refused(2, &["mine", "something here already"]);
    assert_eq!(read(here.path(), "mine/src/lib.rs"), before);
    for wrong in ["7up", "a b", "limbeck", "é"] {
        limbeck_in(here.path(), &["new", wrong]).refused(2, &[wrong, "my-study"]);
        assert!(!here.path().join(wrong).exists());
    }
    limbeck_in(here.path(), &["new", "other", "--limbeck", "nowhere"]).refused(2, &["nowhere", "--limbeck"]);
    // a library without its models: what was begun is taken away
    let library = here.path().join("library");
    std::fs::create_dir(&library).unwrap();
    std::fs::write(library.join("Cargo.toml"), "[package]\nname = \"limbeck\"\n").unwrap();
    limbeck_in(here.path(), &["new", "other", "--limbeck", "library"]).refused(2, &["assets"]);
    assert!(!here.path().join("other").exists());
}

/// The proof of it: the new crate builds, and its tests pass.
#[test]
#[ignore = "compiles the library once more, which takes minutes: cargo test --test new -- --ignored"]
fn a_new_crate_passes_its_tests() {
    let here = tempfile::tempdir().unwrap();
    limbeck_in(here.path(), &["new", "my-study"]).good();
    let made = here.path().join("my-study");
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tests/new");
    let cargo = |words: &[&str]| {
        run(Command::new(env!("CARGO")).current_dir(&made).args(words).env("CARGO_TARGET_DIR", &target))
    };
    let tested = cargo(&["test", "--offline"]).good();
    assert!(tested.out.contains("test the_loop_of_my_opd ... ok"), "{}", tested.out);
    assert!(tested.out.contains("test what_unbalanced_changes ... ok"), "{}", tested.out);
    let dry =
        cargo(&["run", "--offline", "--quiet", "--", "train", "run.ron", "--dry-run", "--quiet"]).good();
    assert!(dry.out.contains("1 step in"), "{}", dry.out);
}
