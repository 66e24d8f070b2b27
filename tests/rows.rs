//! Rows from Parquet and from JSON Lines whose columns have other names: the same rows, or words for what
//! does not fit. The files are made by `tests/rows/make.py`.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::Bench;
use limbeck::world::rows::{self, Columns, Message, PromptText, Row};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rows").join(name)
}

fn gsm() -> Columns {
    Columns::new([
        ("prompt", "question"),
        ("domain", "source"),
        ("reference", "answer"),
        ("answer", "answer"),
    ])
}

#[test]
fn parquet_and_json_lines_give_the_same_rows() {
    let from_parquet = rows::read(file("questions.parquet"), &gsm()).unwrap();
    assert_eq!(from_parquet.len(), 50, "three row groups");
    let row = &from_parquet[41];
    assert_eq!(row.prompt, "What is 41 + 42? Ünder word ".into());
    assert_eq!(row.reference.as_deref(), Some("41 + 42 = 83\n#### 83"));
    assert_eq!((row.answer.as_ref(), &*row.domain, row.level), (row.reference.as_ref(), "more", Some(41)));
    assert!(row.columns.is_empty(), "{:?}", row.columns);

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.jsonl");
    let lines: Vec<String> = from_parquet
        .iter()
        .map(|row| {
            let (question, answer) = (row.prompt.plain().unwrap(), row.answer.as_ref().unwrap());
            let value = serde_json::json!({"question": question, "answer": answer, "source": row.domain, "level": row.level});
            value.to_string()
        })
        .collect();
    fs::write(&path, lines.join("\n")).unwrap();
    assert_eq!(rows::read(&path, &gsm()).unwrap(), from_parquet);
    // written as rows write themselves, no column has another name
    rows::write_jsonl(&path, &from_parquet).unwrap();
    assert_eq!(rows::read(&path, &Columns::default()).unwrap(), from_parquet);
    // the first bytes say what it is, whatever it is called
    let copy = folder.path().join("rows.data");
    fs::copy(file("questions.parquet"), &copy).unwrap();
    assert_eq!(rows::read(&copy, &gsm()).unwrap(), from_parquet);
    // as they are asked for
    let mut some = rows::stream(file("questions.parquet"), &gsm()).unwrap();
    assert_eq!(some.nth(20).unwrap().unwrap(), from_parquet[20]);
}

#[test]
fn chats_and_other_columns() {
    let rows = rows::read(file("chats.parquet"), &Columns::default()).unwrap();
    let chat = |turns: &[(&str, &str)]| {
        PromptText::Chat(turns.iter().map(|(role, content)| Message::new(*role, *content)).collect())
    };
    assert_eq!(rows[0].prompt, chat(&[("system", "Be brief."), ("user", "1 + 1?")]));
    assert_eq!(rows[1].prompt, chat(&[("user", "Grüße 🙂")]));
    assert_eq!((rows[0].answer.as_deref(), rows[1].answer.as_deref()), (Some("2"), None));
    let columns =
        |row: &Row| row.columns.iter().map(|(key, text)| format!("{key}: {text}")).collect::<Vec<_>>();
    assert_eq!(
        columns(&rows[0]),
        [
            "boxes: [[1,2],[3,4]]",
            "day: 2024-07-26",
            "meta: {\"score\":0.1,\"tags\":[\"a\"]}",
            "price: 12.50",
            "reward: {\"a\":1}",
            "weight: 0.1",
        ]
    );
    assert_eq!(columns(&rows[1]), ["boxes: []", "reward: {}", "weight: 2.5"]);
}

#[test]
fn what_does_not_fit_is_said_with_file_row_and_column() {
    let pairs = |pairs: &[(&'static str, &'static str)]| Columns::new(pairs.iter().copied());
    for (name, columns, words) in [
        (
            "questions.parquet",
            pairs(&[]),
            &["`prompt` is missing", "answer, level, question, source", "`columns: (prompt: \"question\")`"]
                [..],
        ),
        (
            "questions.parquet",
            pairs(&[("prompt", "questions")]),
            &["no column `questions`", "takes for `prompt`", "did you mean `question`?", "level"],
        ),
        (
            "questions.parquet",
            pairs(&[("prompt", "question"), ("hints", "zebra")]),
            &["no column `zebra`, which `columns` takes for `hints`"],
        ),
        ("questions.parquet", pairs(&[("prompt", "level")]), &["row 1, column `level`: `level` is a number"]),
        (
            "questions.parquet",
            pairs(&[("prompt", "question"), ("level", "answer")]),
            &["row 1, column `answer`"],
        ),
        ("chats.parquet", pairs(&[("prompt", "boxes")]), &["row 1, column `boxes`: `boxes[0]` is an array"]),
        ("chats.parquet", pairs(&[("hints", "image")]), &["row 1, column `image`", "not UTF-8"]),
        ("numbers.parquet", pairs(&[]), &["row 2, column `score`", "not finite"]),
        ("nulls.parquet", pairs(&[]), &["row 2, column `prompt`: `prompt` is null"]),
        ("empty.parquet", pairs(&[]), &["no rows"]),
        ("brotli.parquet", pairs(&[]), &["column `prompt`", "Brotli", "Snappy"]),
        ("nowhere.parquet", pairs(&[]), &["cannot be read"]),
    ] {
        let why = rows::read(file(name), &columns).unwrap_err();
        assert_eq!(why.exit_code(), 2);
        let why = why.to_string();
        assert!(why.contains(name) && why.contains("\n  "), "{why}");
        for word in words {
            assert!(why.contains(word), "no {word:?} in {why}");
        }
    }
    let compressed = rows::read(file("zstd.parquet"), &Columns::default());
    if cfg!(feature = "zstd") {
        assert_eq!(compressed.unwrap()[1].prompt, "b".into());
    } else {
        let why = compressed.unwrap_err().to_string();
        assert!(why.contains("Zstandard") && why.contains("--features zstd"), "{why}");
    }
}

#[test]
fn a_column_of_json_lines_that_no_row_has() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.jsonl");
    let read = |text: &str, columns: &[(&'static str, &'static str)]| {
        fs::write(&path, text).unwrap();
        rows::read(&path, &Columns::new(columns.iter().copied())).map_err(|why| why.to_string())
    };
    let text = "{\"q\": \"a\", \"prompt\": 7, \"h\": \"x\"}\n{\"q\": \"b\"}";
    let rows = read(text, &[("prompt", "q"), ("hints", "h")]).unwrap();
    // a column whose name is given to another is not taken; one that some rows lack is no mistake
    assert_eq!((&rows[0].prompt, &rows[0].columns["hints"]), (&"a".into(), &"x".to_owned()));
    assert_eq!((rows[0].columns.len(), rows[1].columns.len()), (1, 0));
    let why = read(text, &[("prompt", "q"), ("answer", "solution")]).unwrap_err();
    assert!(why.contains("no column `solution`") && why.contains("The columns are: h, prompt, q"), "{why}");
    let why = read(text, &[("prompt", "h")]).unwrap_err();
    assert!(why.contains(":2:1: `h` is missing"), "{why}");
    let why = read("{\"q\": 5}", &[("prompt", "q")]).unwrap_err();
    assert!(why.contains(":1:2: `q` is a number"), "{why}");
    let why = read("{\"q\": \"a\"}", &[]).unwrap_err();
    assert!(why.contains("`prompt` is missing") && why.contains("`columns: (prompt: \"q\")`"), "{why}");
}

/// Damage anywhere in a file is read or refused: never a panic, and never a word of one.
#[test]
fn damaged_files_are_read_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("damaged.parquet");
    let mut seed = 1u64;
    let mut dice = |n: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % n
    };
    let (mut read, mut refused) = (0, 0);
    for name in ["questions.parquet", "chats.parquet", "nulls.parquet"] {
        let good = fs::read(file(name)).unwrap();
        for round in 0..400 {
            let mut bytes = good.clone();
            for _ in 0..1 + dice(4) {
                let at = dice(bytes.len());
                match if round < 40 { 1 } else { dice(8) } {
                    1 => bytes.truncate(at.max(1)),
                    2 => drop(bytes.splice(at..at, [0xff; 3])),
                    3 => drop(bytes.splice(at..(at + 5).min(bytes.len()), [])),
                    _ => bytes[at] = dice(256) as u8,
                }
            }
            fs::write(&path, bytes).unwrap();
            match rows::read(&path, &gsm()).or_else(|_| rows::read(&path, &Columns::default())) {
                Ok(_) => read += 1,
                Err(why) => {
                    refused += 1;
                    assert_eq!(why.exit_code(), 2, "{why}");
                    assert!(why.to_string().contains("damaged.parquet"), "{why}");
                }
            }
        }
    }
    assert!(refused > 300 && read > 20, "{read} read, {refused} refused");
}

#[test]
fn a_run_on_parquet() {
    let bench = Bench::new();
    for name in ["questions.parquet", "zstd.parquet"] {
        fs::copy(file(name), bench.path(name)).unwrap();
    }
    let tokenizer = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/chat/tokenizer.json");
    let more = ["--tokenizer", tokenizer.to_str().unwrap(), "--context", "512"];
    for (name, seed) in [("reader", 1), ("tutor", 2)] {
        common::model(&bench.path(""), name, seed, &more);
    }
    let run = r#"Run(
    recipe: "Gkd", seed: 5, steps: 2, batch: 2, student: "reader", teachers: {"teacher": "tutor"},
    data: "questions.parquet", columns: (prompt: "question", domain: "source", reference: "answer"),
    prompt_template: "Question: {prompt}\nAnswer:", eval: (data: "questions.parquet"),
    set: (rollout: (group_size: 2, max_response_tokens: 8)),
)
"#;
    bench.write("run.ron", run);
    let said = bench.limbeck(&["check", "run.ron"]).good().out;
    assert!(said.contains("questions.parquet: 50 rows"), "{said}");
    assert!(said.contains("    Question: What is 0 + 1? Ünder \n    Answer:⟦0⟧"), "{said}");
    bench.limbeck(&["train", "run.ron", "--out", "out", "--quiet"]).good();
    let written = bench.read("out/run.ron");
    assert!(
        written.contains(r#"columns: {"domain":"source","prompt":"question","reference":"answer"}"#),
        "{written}"
    );
    bench.limbeck(&["resume", "out", "--quiet"]).good();
    for (from, to, words) in [
        ("\"question\"", "\"qestion\"", &["no column `qestion`", "did you mean `question`?"][..]),
        ("{prompt}\\n", "\\n", &["`prompt_template`", "{prompt} exactly once"]),
        (
            "data: \"questions.parquet\", columns",
            "tasks: (), columns",
            &["`columns`", "columns of their own"],
        ),
        ("(prompt: \"question\",", "(prompt: 7,", &["bad.ron:3:"]),
        (
            "(prompt: \"question\",",
            "(prompt: \"question\", prompt: \"question\",",
            &["bad.ron:3:", "given twice"],
        ),
        (
            "eval: (data: \"questions.parquet\")",
            "eval: (data: \"questions.parquet\", columns: (prompt: \"x\"))",
            &["no column `x`"],
        ),
    ] {
        assert!(run.contains(from), "{from}");
        bench.write("bad.ron", run.replacen(from, to, 1));
        bench.limbeck(&["train", "bad.ron", "--out", "new"]).refused(2, words);
        assert!(!bench.path("new").exists());
    }
}
