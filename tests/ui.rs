//! What only rustc can say of a recipe: one mistake, one error, in the field's words, on the user's own
//! token, with the next move. What the macros find by themselves is in `messages/`.
//!
//! 273 mistakes are covered: 113 by the macros (`messages/`), 169 here, of which 9 are the macros' own, to see
//! that they too arrive as one error.
//!
//! - **outcomes** (6): margins, balance, group rewards or what a teacher reads, and nobody says what was right;
//! - **signals** (9): a loss or a calibration that wants what the score does not give, each pair by name;
//! - **teachers** (13): nobody to ask, one that gives less than is asked, a server asked for more than servers give, a teacher or a reference that is never heard, no reference;
//! - **domains** (6): one without its teacher, one that is not there, an enum that is none;
//! - **settings** (9): misspelt, of another stage, of another type, a choice that is not there, a teacher's temperature;
//! - **numbers** (55): on the literal, also across stages; on the method's name where nothing was written;
//! - **places** (14): a method, a teacher or a type of one's own in the wrong stage;
//! - **names** (5): methods, teachers and privileges that nobody knows, a divergence without a direction;
//! - **own methods** (13): what `#[derive(Settings)]` needs and did not get; one weight a response where every token has its own;
//! - **worlds** (6): another vocabulary or family, images for a student without eyes, an architecture that does not say all, more tokens compared than there are;
//! - **privilege** (8): a hint in a log line, a rollout, the traced forward, a file, or carried out of a closure; boxes or
//!   evidence before the student; a
//!   teacher that reads what is nothing to read;
//! - **routing** (11): regimes, entropies, a gap or a second view that nobody finds, one voice where two are needed, a
//!   mean that never moves;
//! - **forks** (11): of no recipe, of nothing, of one with a mistake, of methods out of scope; what the base needs and the fork leaves out;
//!   numbers of the fork beside the base's, and a setting that is as before;
//! - **the macros' own** (3): a misspelt stage, a missing one, a number for a method.

/// Every program in `ui/fail/` is a good recipe with one mistake; beside it is what rustc says.
///
/// `trybuild` runs `cargo check`, so nothing here is found only once a program is built. After a change
/// of a sentence: `TRYBUILD=overwrite cargo test --test ui`, and read each message aloud.
#[test]
fn one_mistake_is_one_error() {
    // trybuild's own flags are others for the dependencies than for the programs, so that cargo would check all
    // dependencies twice; this variable outranks them
    let flags = ["--cfg", "trybuild", "--verbose", "-A", "dead_code", "--diagnostic-width=140"];
    // SAFETY: this program's only test; nobody else reads or writes variables meanwhile.
    unsafe { std::env::set_var("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f")) };
    trybuild::TestCases::new().compile_fail("tests/ui/fail/*.rs"); // runs here, as it is dropped

    // reviewed or not: no second error, and the first line underlined is the user's
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ui/fail");
    let mut programs = 0;
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|ending| ending == "stderr") {
            let message = std::fs::read_to_string(&path).unwrap();
            let errors = message.lines().filter(|line| line.starts_with("error")).count();
            assert_eq!(errors, 1, "{}\n{message}", path.display());
            let place = message.lines().find(|line| line.trim_start().starts_with("-->")).unwrap_or_default();
            assert!(place.contains("tests/ui/fail/"), "{}: {place}", path.display());
            assert!(!message.contains("warning"), "{}\n{message}", path.display());
            programs += 1;
        }
    }
    assert_eq!(programs, PROGRAMS, "the tally at the top of this file is of another day");
}

const PROGRAMS: usize = 169;
