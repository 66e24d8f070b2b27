//! What went wrong for users of other tools, and what says or holds it here: 28 failures from public threads.
//!
//! `rows.ron` is the table, in our words. Every piece of evidence in it is looked at for real, and
//! `docs/failures.md` is the table rendered. After a change of either, or of a sentence:
//! `LIMBECK_WRITE=1 cargo test --test failures`, and read the page.

#[path = "../common/mod.rs"]
mod common;
mod evidence;
mod held;
mod page;
mod row;

use std::collections::BTreeSet;

use row::{rows, Evidence, Prevented, Row};

/// The failures that were found in public threads.
const FAILURES: usize = 28;

/// The page that is this table.
const PAGE: &str = "docs/failures.md";

#[test]
fn every_failure_is_here_with_its_threads() {
    let rows = rows();
    let numbers: Vec<usize> = rows.iter().map(|row| row.number).collect();
    assert_eq!(numbers, (1..=FAILURES).collect::<Vec<_>>());
    for Row { number, title, symptom, threads, prevented, rest, evidence } in &rows {
        assert!(!title.is_empty() && symptom.ends_with('.'), "{number}");
        assert!(!threads.is_empty(), "{number} comes from nowhere");
        assert_eq!(threads.iter().collect::<BTreeSet<_>>().len(), threads.len(), "{number}");
        assert!(threads.iter().all(|thread| thread.starts_with("https://github.com/")), "{number}");
        assert!(!evidence.is_empty(), "{number} has nothing to show");
        let says = evidence.iter().any(|one| !matches!(one, Evidence::Test { .. }));
        match prevented {
            Prevented::Yes => {}
            Prevented::Partly | Prevented::No => {
                assert!(!rest.is_empty(), "{number} does not say what stays possible");
            }
        }
        assert!(!says || *prevented != Prevented::No, "{number} is said and not prevented");
    }
}

#[test]
fn every_piece_of_evidence_holds() {
    let mut wrong = Vec::new();
    for row in rows() {
        for evidence in &row.evidence {
            wrong.extend(evidence::look(evidence).err().map(|why| format!("row {}: {why}", row.number)));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n\n"));
}

#[test]
fn the_page_is_the_table() {
    let path = row::root().join(PAGE);
    let page = page::render(&rows());
    if std::env::var_os("LIMBECK_WRITE").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == page, "{PAGE} is of another day: LIMBECK_WRITE=1 cargo test --test failures");
}
