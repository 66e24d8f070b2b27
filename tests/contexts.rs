//! What teachers read beyond the prompt: shown by `check` as training reads it, and by nothing else.

mod common;

use std::path::Path;

use common::{Bench, Said};
use limbeck::prelude::*;
use limbeck::privileged::{Found, Known, Reads, RowAlone};
use limbeck::run::{check, Findings, TrainOptions};
use limbeck::tasks::{generate, TaskSpec};
use limbeck::world::rows::{write_jsonl, Row};
use limbeck::Entry;

/// Two steps of a hinted recipe on rows of our own.
const HINTED: &str = r#"Run(
    recipe: "Dopd", seed: 5, steps: 2, batch: 2, save_every: 1,
    student: "student", teachers: {"teacher": "math"}, data: "rows.jsonl",
    privileged: PLACE,
    set: (rollout: (group_size: 2, max_response_tokens: 8), step: (lr: 1e-3)),
)
"#;

/// Problems of several steps, with their hints.
fn rows() -> Vec<Row> {
    let spec = TaskSpec { domains: vec!["math".into()], levels: (3, 4), per_level: 3, ..TaskSpec::default() };
    generate(&spec).unwrap()
}

fn bench(place: &str, rows: &[Row]) -> Bench {
    let bench = Bench::new();
    bench.write("hinted.ron", HINTED.replace("PLACE", place));
    write_jsonl(bench.path("rows.jsonl"), rows).unwrap();
    bench
}

fn tree(folder: &Path, files: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        match entry.path() {
            path if path.is_dir() => tree(&path, files),
            path => files.push(path),
        }
    }
}

#[test]
fn check_shows_both_contexts_at_every_place() {
    let row = &rows()[0];
    let (prompt, hints) = (row.prompt.plain().unwrap(), &row.columns["hints"]);
    let body = prompt.strip_suffix('>').unwrap();
    for (place, expected) in [
        (r#"Before(mark: ">", lead: "?")"#, format!("{body}?{hints}>")),
        (r#"Suffix(";")"#, format!("{prompt};{hints}")),
        (r#"System("=")"#, format!("{hints}={prompt}")),
        (r#"Template("c{privileged}:{prompt}:")"#, format!("c{hints}:{prompt}:")),
        (r#"Suffix("\n\n")"#, format!("{prompt}\n\n{hints}")),
    ] {
        let bench = bench(place, &rows());
        let said = bench.limbeck(&["check", "hinted.ron"]).good().out;
        // the built-in tokenizer has one token a character
        let (short, long) = (prompt.chars().count(), expected.chars().count());
        let first = row.reference.as_ref().unwrap().chars().next().unwrap();
        let shown = expected.replace('\n', "\n    ");
        let lines = format!(
            "first prompt ({short} tokens; the first scored token is marked):\n    {prompt}⟦{first}⟧\n\
             privileged: {place}\n\
             as the teacher `teacher` reads it (StepHints; {long} tokens; the same token is scored first):\n    \
             {shown}⟦{first}⟧\n\
             as the teacher `hindsight` reads it (StepHints; {long} tokens; the same token is scored first):\n    \
             {shown}⟦{first}⟧\n"
        );
        assert!(said.contains(&lines), "{lines}\nis not in\n{said}");
    }
}

#[test]
fn a_plain_recipe_shows_the_prompt_alone() {
    let bench = Bench::new();
    let said = bench.limbeck(&["check", "run.ron"]).good().out;
    assert!(said.contains("first prompt (") && !said.contains("reads"), "{said}");
    assert!(!said.contains("privileged"), "{said}");
}

/// What is wrong with a context is said by `check` and by `train` in the same words, before anything is
/// written.
#[test]
fn what_no_teacher_can_read_is_refused_alike() {
    let without = |hints: &str| {
        let mut rows = rows();
        for row in &mut rows[1..] {
            row.columns.insert("hints".to_owned(), hints.to_owned());
        }
        rows
    };
    let before = r#"Before(mark: ">", lead: "?")"#;
    for (place, rows, words) in [
        (
            before,
            without(""),
            &["data, row 2, column `hints`: the row has no `hints`", "row 4", "2 more rows"][..],
        ),
        (r#"Before(mark: "!", lead: "?")"#, rows(), &["privileged: the prompt has no \"!\""]),
        (
            before,
            without(&"7;".repeat(55)),
            &["data, row 2: `teacher` reads 12", "before a response of up to 8"],
        ),
        (before, without(&"7;".repeat(60)), &["row 2: the privileged context and its response have 13"]),
        (before, without("Ü"), &["data, row 2: 'Ü' (U+00DC)"]),
    ] {
        let bench = bench(place, &rows);
        let checked = bench.limbeck(&["check", "hinted.ron"]);
        assert_eq!(checked.code, Some(2), "{}", checked.out);
        let trained = bench.limbeck(&["train", "hinted.ron", "--out", "new"]).refused(2, words);
        let Said { err, .. } = checked;
        let plain = |text: &str| text.replace("error: ", "").replace("also: ", "");
        assert_eq!(plain(&err), plain(&trained.err));
        assert!(!bench.path("new").exists());
    }
}

/// The hints go to the teachers and nowhere else: not into a run's directory, not onto its screen.
#[test]
fn nothing_a_run_leaves_holds_the_hints() {
    const HINT: &str = "mcrslwidnpt:rcm";
    let mut rows = rows();
    for row in &mut rows {
        row.columns.insert("hints".to_owned(), HINT.to_owned());
    }
    let bench = bench(r#"Before(mark: ">", lead: "?")"#, &rows);
    assert!(bench.limbeck(&["check", "hinted.ron"]).good().out.contains(HINT));
    let eval = "eval: (data: \"rows.jsonl\", every: 1),\n    set:";
    bench.write("hinted.ron", bench.read("hinted.ron").replace("set:", eval));
    let trained = bench.limbeck(&["train", "hinted.ron", "--out", "out"]).good();
    // a batch whose numbers are not finite is kept, without its hints
    let diverged =
        ["train", "hinted.ron", "--out", "lost", "--quiet", "--set", "step.lr=1e39", "--set", "steps=20"];
    let diverged = bench.limbeck(&diverged).refused(1, &["failed-batch.jsonl"]);
    for said in [trained, diverged] {
        assert!(!said.out.contains(HINT) && !said.err.contains(HINT), "{}{}", said.out, said.err);
    }
    let mut files = Vec::new();
    tree(&bench.path("out"), &mut files);
    tree(&bench.path("lost"), &mut files);
    for name in ["samples.jsonl", "report.html", "before.json", "failed-batch.jsonl"] {
        assert!(files.iter().any(|file| file.ends_with(name)), "no {name} in {files:?}");
    }
    for file in files {
        let bytes = std::fs::read(&file).unwrap();
        let held = bytes.windows(HINT.len()).any(|part| part == HINT.as_bytes());
        assert!(!held, "{} holds the hints", file.display());
    }
    // what it does hold is each token's regime
    let report = bench.read("out/report.html");
    assert!(["LH", "LL", "HT", "HS"].iter().any(|regime| report.contains(&format!(" · {regime}\""))));
}

/// What a teacher reads when it is told how long the answer is; nothing where nobody knows.
#[derive(Clone, Copy, Debug)]
struct Length;

impl Reads for Length {
    type Needs = RowAlone;

    fn find(&self, known: &Known<'_>) -> Found {
        known.column("length").map_or(Found::Nothing, Found::Text)
    }
}

macro_rules! told {
    ($name:ident, $reads:ident) => {
        #[recipe]
        struct $name {
            #[teacher(domain = Domain::Math, reads = $reads)]
            math: Frozen,
            #[teacher(domain = Domain::Code, reads = $reads)]
            code: Frozen,
            #[teacher]
            reference: Start,

            data: Prompts,
            #[with(max_response_tokens = 8)]
            rollout: Sample,
            verify: TaskAnswer,
            score: Extrapolated,
            loss: PolicyGradient,
            step: AdamW,
        }
    };
}

told!(Answers, ReferenceAnswer);
told!(Siblings, SiblingSuccess);
told!(Lengths, Length);

fn told<R: limbeck::Recipe>(rows: &[Row]) -> Findings {
    let bench = Bench::new();
    write_jsonl(bench.path("rows.jsonl"), rows).unwrap();
    let text = r#"Run(
        recipe: "R", seed: 5, steps: 2, batch: 2, student: "student",
        teachers: {"math": "math", "code": "code"}, data: "rows.jsonl", privileged: Suffix(":"),
    )"#;
    bench.write("told.ron", text);
    check(&Entry::of::<R>(), &TrainOptions { file: bench.path("told.ron"), ..TrainOptions::default() })
}

/// The part of what `check` says that is about contexts.
fn contexts(found: &Findings) -> String {
    assert!(found.wrong.is_empty(), "{:?}", found.wrong);
    let from = found.good.iter().position(|line| line.starts_with("first prompt")).unwrap();
    let to = found.good.iter().position(|line| line.starts_with("memory")).unwrap();
    found.good[from..to].join("\n")
}

fn row(prompt: &str, domain: &str, more: &[(&str, &str)]) -> Row {
    let mut row = Row::new(prompt);
    row.domain = domain.to_owned();
    row.reference = more.iter().find(|(name, _)| *name == "reference").map(|(_, text)| (*text).to_owned());
    row.answer = more.iter().find(|(name, _)| *name == "answer").map(|(_, text)| (*text).to_owned());
    row.columns = more.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    row.columns.retain(|name, _| !["reference", "answer"].contains(&name.as_str()));
    row
}

#[test]
fn each_expert_is_shown_its_own_domain() {
    let rows = [
        row("^m4*5>", "math", &[("reference", "*5=20")]),
        row("^m4*6>", "math", &[("reference", "*6=24")]),
        row("^c12r>", "code", &[("answer", "21")]),
    ];
    assert_eq!(
        contexts(&told::<Answers>(&rows)),
        "first prompt (6 tokens; the first scored token is marked):\n    ^m4*5>⟦*⟧\n\
         privileged: Suffix(\":\")\n\
         as the teacher `math` reads it (ReferenceAnswer; 12 tokens; the same token is scored first):\n    ^m4*5>:*5=20⟦*⟧\n\
         row 3 as the student reads it (6 tokens; the first scored token is marked):\n    ^c12r>⟦…⟧\n\
         as the teacher `code` reads it (ReferenceAnswer; 9 tokens; the same token is scored first):\n    ^c12r>:21⟦…⟧\n\
         the teacher `reference` reads what the student reads"
    );
    assert!(contexts(&told::<Answers>(&rows[..2])).contains("`code` reads ReferenceAnswer: no row is for it"));
    let bare = [row("^m4*5>", "math", &[])];
    let wrong = &told::<Answers>(&bare).wrong;
    assert!(wrong.len() == 1 && wrong[0].to_string().contains("the row has no `reference`"), "{wrong:?}");
}

#[test]
fn what_comes_with_the_responses_is_told_in_words() {
    let rows = [row("^m4*5>", "math", &[]), row("^c12r>", "code", &[])];
    let said = contexts(&told::<Siblings>(&rows));
    for name in ["math", "code"] {
        let words =
            format!("the teacher `{name}` reads SiblingSuccess: there is nothing to show before a run");
        assert!(said.contains(&words), "{said}");
    }
    // rows that have it are shown, and those without are counted
    let rows = [
        row("^m4*5>", "math", &[]),
        row("^m4*6>", "math", &[("length", "5")]),
        row("^c12r>", "code", &[("length", "2")]),
    ];
    let said = contexts(&told::<Lengths>(&rows));
    assert!(said.contains("row 2 as the student reads it (6 tokens"), "{said}");
    assert!(said.contains("(Length; 8 tokens; the same token is scored first):\n    ^m4*6>:5⟦…⟧"), "{said}");
    let counted =
        "    1 of its 2 rows have nothing for it to read; responses to them are left out of the loss";
    assert_eq!(said.matches(counted).count(), 1, "{said}");
}
