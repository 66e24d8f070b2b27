//! The table as a page to read.

use std::fmt::Write;

use crate::evidence::{mistakes, refusal, source};
use crate::row::{Evidence, Prevented, Row};

const HEAD: &str = "\
<!-- Written by `LIMBECK_WRITE=1 cargo test --test failures` from tests/failures/rows.ron. Change that. -->

# What went wrong elsewhere, and what says it here

Users of other tools for on-policy distillation have met the failures below; each links to where they told of it.
The symptom is in our words. Under it stands what happens here when you make the same mistake: our message, word
for word, or the test that holds what no message can.

*Prevented* says whether it is kept from happening: **yes**; **partly**, and the row says what stays
possible; **no**, and it says why.

The clock says when you hear of it:

| clock | when | looked at by |
|---|---|---|
| macro | while the recipe's struct is read | expanding it |
| types | `cargo check`, in our sentence or in rustc's own | `tests/ui.rs`, which compiles the program |
| const | `cargo check`, on the number | the same |
| run | `limbeck check`, or the start of a run or a replay | calling the binary |
| test | never: it holds for every recipe | running the test |

`tests/failures/` looks at every line of this page, so none of it can be of another day. Of what rustc prints, its
further notes are left out (which other types would fit, which macro wrote the line); the whole is one click away.

";

/// The page of these rows.
pub fn render(rows: &[Row]) -> String {
    let mut page = HEAD.to_owned();
    page += "| | failure | prevented | clocks |\n|---|---|---|---|\n";
    for row in rows {
        let mut clocks: Vec<&str> = row.evidence.iter().map(clock).collect();
        let order = ["macro", "types", "const", "run", "test"];
        clocks.sort_by_key(|clock| order.iter().position(|name| name == clock));
        clocks.dedup();
        let (number, title) = (row.number, &row.title);
        let anchor = format!("#{number}-{}", slug(title));
        let _ = writeln!(
            page,
            "| {number} | [{title}]({anchor}) | {} | {} |",
            said(row.prevented),
            clocks.join(", ")
        );
    }
    for row in rows {
        section(&mut page, row);
    }
    page
}

fn section(page: &mut String, row: &Row) {
    let threads: Vec<String> = row.threads.iter().map(|link| format!("[{}]({link})", label(link))).collect();
    let prevented = format!("**Prevented: {}.** {}", said(row.prevented), row.rest);
    let prevented = prevented.trim_end();
    let _ = writeln!(page, "\n## {}. {}\n\n{}", row.number, row.title, row.symptom);
    let _ = writeln!(page, "{}.\n\n{prevented}", threads.join(", "));
    let mut tests = Vec::new();
    for evidence in &row.evidence {
        let _ = match evidence {
            Evidence::Program { name, .. } => {
                let refusal = refusal(name).unwrap_or_default();
                let program = format!("[{name}.rs](../tests/ui/fail/{name}.rs)");
                writeln!(page, "\n{}, {program}:\n\n```text\n{}\n```", clock(evidence), excerpt(&refusal))
            }
            Evidence::Recipe { fields, .. } => {
                writeln!(page, "\n{}:\n\n```text\n{}\n```", clock(evidence), as_rustc_prints(fields))
            }
            Evidence::Call { when, words, says, .. } => {
                writeln!(page, "\nrun. {when}\n\n```text\n$ limbeck {}\n{says}\n```", words.join(" "))
            }
            Evidence::Test { file, name, holds } => {
                tests.push(format!("- {holds} ([`{name}`](../{file}))"));
                Ok(())
            }
        };
    }
    if !tests.is_empty() {
        let _ = writeln!(page, "\ntest:\n\n{}", tests.join("\n"));
    }
}

fn said(prevented: Prevented) -> &'static str {
    match prevented {
        Prevented::Yes => "yes",
        Prevented::Partly => "partly",
        Prevented::No => "no",
    }
}

/// When a user hears of it.
fn clock(evidence: &Evidence) -> &'static str {
    match evidence {
        Evidence::Recipe { .. } => "macro",
        Evidence::Call { .. } => "run",
        Evidence::Test { .. } => "test",
        Evidence::Program { name, .. } => {
            let refusal = refusal(name).unwrap_or_default();
            // a constant that cannot be computed: a check that says no
            if refusal.starts_with("error[E0080]") {
                "const"
            } else {
                "types"
            }
        }
    }
}

/// `huggingface/trl#4562` for a thread, the file's name for a file.
fn label(link: &str) -> String {
    let parts: Vec<&str> = link.trim_start_matches("https://github.com/").split('/').collect();
    match parts[..] {
        [owner, repository, "issues" | "pull", number] => format!("{owner}/{repository}#{number}"),
        [owner, repository, .., file] => format!("{owner}/{repository}, {file}"),
        _ => link.to_owned(),
    }
}

/// The anchor that a heading gets: letters and digits, small, with hyphens for spaces.
fn slug(title: &str) -> String {
    let kept = title.chars().filter(|&c| c.is_alphanumeric() || c == ' ' || c == '-');
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

/// What rustc said, without its notes on types and macros.
fn excerpt(refusal: &str) -> String {
    const ASIDES: [&str; 8] = [
        "= note: this error originates",
        "= note: required for",
        "= note: the matched value",
        "= help: the trait ",
        "= help: the following",
        "help: the ",
        "help: ensure that all",
        "note: ",
    ];
    let mut lines: Vec<&str> = Vec::new();
    let mut aside = false;
    for line in refusal.lines() {
        let text = line.trim_start();
        let starts = text.starts_with("= ")
            || (line == text
                && !line.is_empty()
                && !line.starts_with(|c: char| c.is_ascii_digit() || c == '.'));
        if starts {
            aside = ASIDES.iter().any(|start| text.starts_with(start));
        }
        if !aside {
            lines.push(line);
        }
    }
    while lines.last().is_some_and(|line| line.trim() == "|") {
        lines.pop();
    }
    lines.join("\n")
}

/// The macro's mistakes, as rustc prints them.
fn as_rustc_prints(fields: &str) -> String {
    let source = source(fields);
    let printed = mistakes(&source).into_iter().map(|mistake| {
        let (line, column) = (mistake.line, mistake.column);
        let shown = source.lines().nth(line - 1).unwrap_or_default();
        let word = shown[column - 1..].chars().take_while(|&c| c.is_alphanumeric() || c == '_').count();
        let (pad, under) = (" ".repeat(line.to_string().len()), "^".repeat(word));
        let says = mistake.says.replace('\n', "\n       ");
        let before = " ".repeat(column - 1);
        format!("error: {says}\n{pad}--> src/my_opd.rs:{line}:{column}\n{pad} |\n{line} | {shown}\n{pad} | {before}{under}")
    });
    printed.collect::<Vec<_>>().join("\n")
}
