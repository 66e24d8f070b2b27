//! Task rows, data rows, verifiers and tokenizers as a run uses them.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::Path;

use limbeck::world::rows::{self, Images, Message, PromptText, Row, Rows};
use limbeck::world::tasks::{self, Fresh, Split, TaskDomain, TaskSpec};
use limbeck::world::tokenizer::Tokenizer;
use limbeck::world::verifier;
use proptest::prelude::*;

fn spec() -> impl Strategy<Value = TaskSpec> {
    let levels = (1u32..=6, 0u32..3).prop_map(|(low, more)| (low, (low + more).min(6)));
    let split = prop_oneof![Just(Split::Train), Just(Split::HeldOut)];
    (levels, 1usize..6, any::<u64>(), 0.0..=1.0, split).prop_map(
        |(levels, per_level, seed, hinted, split)| TaskSpec {
            levels,
            per_level,
            seed,
            hinted,
            split,
            ..TaskSpec::default()
        },
    )
}

/// The pool and some fresh rows.
fn some_rows(spec: &TaskSpec) -> Vec<Row> {
    let fresh = Fresh::new(spec).unwrap().take(6);
    tasks::generate(spec).unwrap().into_iter().chain(fresh).collect()
}

fn read(text: impl AsRef<[u8]>) -> Result<Vec<Row>, String> {
    Rows::new(text.as_ref(), "data.jsonl").collect::<Result<_, _>>().map_err(|error| error.to_string())
}

proptest! {
    #[test]
    fn references_are_right_and_hints_hold_all_but_the_last_step(spec in spec()) {
        let tokenizer = Tokenizer::tasks().unwrap();
        for row in some_rows(&spec) {
            let judge = verifier::for_domain(&row.domain);
            let reference = row.reference.as_deref().unwrap();
            prop_assert_eq!(judge.judge(&row, reference, true), Ok(Some(true)));
            prop_assert_eq!(judge.judge(&row, reference, false), Ok(Some(false)));
            let wrong = format!("{reference}0");
            prop_assert_eq!(judge.judge(&row, &wrong, true), Ok(Some(false)));

            let prompt = row.prompt.plain().unwrap();
            let problem = TaskDomain::named(&row.domain).unwrap().solve(prompt).unwrap();
            let results: Vec<_> = problem.steps.iter().map(|step| step.result.as_str()).collect();
            let (last, before) = results.split_last().unwrap();
            prop_assert_eq!(row.answer.as_deref(), Some(*last));
            prop_assert_eq!(row.level, Some(results.len() as u32));
            let hints = row.columns.get("hints").map_or("", String::as_str);
            prop_assert_eq!(hints, before.join(";"));
            prop_assert_eq!(row.columns.contains_key("hints"), !before.is_empty());
            prop_assert_eq!(tasks::held_out(&problem.body), spec.split == Split::HeldOut);

            for text in [prompt, reference, &tasks::with_hint(prompt, hints)] {
                let ids = tokenizer.encode(text).unwrap();
                prop_assert_eq!(ids.len(), text.len());
                prop_assert_eq!(&tokenizer.decode(&ids), text);
            }
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_rows(spec in spec()) {
        prop_assert_eq!(some_rows(&spec), some_rows(&spec));
        let other = TaskSpec { seed: spec.seed ^ 1, ..spec.clone() };
        prop_assert_ne!(some_rows(&spec), some_rows(&other));
    }

    #[test]
    fn a_prompt_is_never_in_training_and_in_the_test(spec in spec()) {
        let plain = TaskSpec { hinted: 0.0, ..spec };
        let prompts = |split| {
            let rows = some_rows(&TaskSpec { split, ..plain.clone() });
            rows.into_iter().map(|row| row.prompt.to_string()).collect::<HashSet<_>>()
        };
        prop_assert!(prompts(Split::Train).is_disjoint(&prompts(Split::HeldOut)));
    }

    #[test]
    fn slips_and_hints_change_only_what_they_should(spec in spec(), slips in 0.0..=1.0) {
        let slipped = TaskSpec { slips, slips_on: BTreeMap::from([("+".into(), 0.0)]), ..spec.clone() };
        for (mut bad, good) in some_rows(&slipped).into_iter().zip(some_rows(&spec)) {
            let (was, is) = (good.reference.clone().unwrap(), bad.reference.clone().unwrap());
            prop_assert_eq!(was.len(), is.len());
            for (true_step, step) in was.split(';').zip(is.split(';')) {
                let (operation, true_result) = true_step.split_once([':', '=']).unwrap();
                prop_assert!(step.starts_with(operation));
                prop_assert!(!operation.starts_with('+') || step == true_step);
                let digits = &step[operation.len() + 1..];
                prop_assert!(digits.len() == true_result.len() && digits.bytes().all(|b| b.is_ascii_digit()));
            }
            bad.reference.clone_from(&good.reference);
            prop_assert_eq!(bad, good);
        }
        let spared = TaskSpec { spare_hinted: true, ..slipped.clone() };
        for ((spared, slipped), good) in some_rows(&spared).into_iter().zip(some_rows(&slipped)).zip(some_rows(&spec)) {
            let kept = if good.prompt.to_string().contains('?') { good } else { slipped };
            prop_assert_eq!(spared, kept);
        }
        let plain = TaskSpec { hinted: 0.0, ..spec.clone() };
        for (mut plain, any) in some_rows(&plain).into_iter().zip(some_rows(&spec)) {
            let (text, hints) = (plain.prompt.to_string(), any.columns.get("hints").map_or("", String::as_str));
            let forms = [PromptText::Plain(tasks::with_hint(&text, hints)), PromptText::Plain(text)];
            prop_assert!(forms.contains(&any.prompt));
            plain.prompt.clone_from(&any.prompt);
            prop_assert_eq!(plain, any);
        }
    }

    #[test]
    fn worked_answers_in_line_and_answers_without_steps(spec in spec(), worked in 0.0..=1.0) {
        let worked = worked * (1.0 - spec.hinted);
        for (shown, plain) in some_rows(&TaskSpec { worked, ..spec.clone() }).into_iter().zip(some_rows(&spec)) {
            let (text, was) = (shown.prompt.to_string(), plain.prompt.to_string());
            let carries = tasks::with_hint(&was, plain.reference.as_deref().unwrap());
            prop_assert!(text == was || (!was.contains('?') && text == carries));
            prop_assert_eq!(shown.reference, plain.reference);
        }
        let short = TaskSpec { skip_hinted: true, ..spec.clone() };
        for (short, plain) in some_rows(&short).into_iter().zip(some_rows(&spec)) {
            let hinted = plain.prompt.to_string().contains('?');
            let alone = format!("={}", plain.answer.as_ref().unwrap());
            prop_assert_eq!(short.reference, if hinted { Some(alone) } else { plain.reference });
        }
        let bent = some_rows(&TaskSpec { bent: true, ..spec.clone() });
        for (bent, plain) in bent.into_iter().zip(some_rows(&spec)) {
            let text = plain.prompt.to_string();
            let trap = text.contains('w') || ["-6", "-7", "-8", "-9"].iter().any(|step| text.contains(step));
            prop_assert!(trap || bent.reference == plain.reference);
            prop_assert_eq!((bent.prompt, bent.answer, bent.columns), (plain.prompt, plain.answer, plain.columns));
        }
    }

    #[test]
    fn no_text_makes_anything_panic(
        text in "\\PC*", near in "\\^?[mc]?[0-9rslwidnp+*:-]{0,12}[?;0-9]{0,4}>?", response in any::<String>(),
        bytes in prop::collection::vec(any::<u8>(), 0..60), finished in any::<bool>(),
    ) {
        for prompt in [&text, &near, &response] {
            for domain in ["math", "code", "law"] {
                let row = Row { answer: Some(near.clone()), ..Row::new(prompt.as_str()) };
                let judge = verifier::for_domain(domain);
                let _ = (judge.judge(&row, &response, finished), judge.judge(&row, &near, finished));
            }
            let _ = tasks::with_hint(prompt, &response);
            let _ = read(prompt);
            let _ = ron::from_str::<TaskSpec>(prompt);
        }
        let _ = read(bytes);
        let tokenizer = Tokenizer::tasks().unwrap();
        for text in [&text, &response] {
            if let Ok(ids) = tokenizer.encode(text) {
                prop_assert!(ids.iter().all(|&id| id < 32));
            }
        }
    }

    #[test]
    fn rows_come_back_as_they_were_written(
        prompt in "\\PC*[a-z]", answer in prop::option::of(any::<String>()), domain in any::<String>(),
        reference in prop::option::of(any::<String>()), level in prop::option::of(any::<u32>()),
        columns in prop::collection::btree_map("[a-c]{1,2}", any::<String>(), 0..4), chat in any::<bool>(),
    ) {
        let prompt = if chat {
            PromptText::Chat(vec![Message { role: "user".into(), content: prompt }])
        } else {
            PromptText::Plain(prompt)
        };
        let images = Images::default();
        let row = Row { prompt, answer, domain, reference, level, images, columns };
        let line = serde_json::to_string(&row).unwrap();
        prop_assert_eq!(read(format!("{line}\n")).unwrap(), [row]);
    }

    #[test]
    fn a_damaged_tokenizer_is_an_error_and_no_panic(from in 0usize..3000, length in 1usize..40, with in "[ -~]{0,6}") {
        let dir = tempfile::tempdir().unwrap();
        Tokenizer::tasks().unwrap().save(dir.path()).unwrap();
        let file = dir.path().join("tokenizer.json");
        let mut text = fs::read_to_string(&file).unwrap();
        let from = from % text.len();
        text.replace_range(from..(from + length).min(text.len()), &with);
        fs::write(&file, text).unwrap();
        if let Ok(tokenizer) = Tokenizer::load(&file) {
            let _ = tokenizer.encode("^m43*9>").map(|ids| tokenizer.decode(&ids));
        }
    }
}

#[test]
fn bad_rows_say_where_what_and_what_to_do() {
    let good = r#"{"prompt": "a", "id": "1"}"#;
    for (text, place, what) in [
        (
            r#"{"prompt": "a", "answer": 4}"#.to_owned(),
            "1:17",
            "`answer` is a number, not a string\n  put it in quotes",
        ),
        (format!("{good}\n\n{{\"prompt\": \"b\"\n"), "3:14", "EOF while parsing an object"),
        (format!("{good}\n{{\"answer\": \"b\"}}"), "2:1:", "`prompt` is missing"),
        (r#"{"prompt": "  "}"#.to_owned(), "1:", "`prompt` is empty"),
        (r#"{"prompt": []}"#.to_owned(), "1:", "`prompt` is empty"),
        (r#"{"prompt": null}"#.to_owned(), "1:", "`prompt` is null"),
        (r#"{"prompt": ["a"]}"#.to_owned(), "1:", "`prompt[0]` is a string, not a message"),
        (r#"{"prompt": [{"role": "user"}]}"#.to_owned(), "1:", "`prompt[0]` lacks"),
        (r#"{"prompt": [{"role": "user", "content": ["x"]}]}"#.to_owned(), "1:", "\"content\": an array"),
        (format!("{good}\n{good}"), "2:17", "`id` \"1\" is already the id of line 1"),
        ("[\n".to_owned() + good, "1:", "one JSON object a line"),
        ("\"a\"".to_owned(), "1:", "one JSON object a line"),
        (r#"{"prompt": "a", "level": NaN}"#.to_owned(), "1:", "a number that is not finite"),
        (r#"{"prompt": "a", "score": -Infinity}"#.to_owned(), "1:", "a number that is not finite"),
        (r#"{"prompt": "a", "score": nan}"#.to_owned(), "1:", "a number that is not finite"),
        (r#"{"prompt": "a", "score": Infinity}"#.to_owned(), "1:", "a number that is not finite"),
        (r#"{"prompt": "a", "info": }"#.to_owned(), "1:25", "expected value"),
        (r#"{"prompt": "a", "score": 1e999}"#.to_owned(), "1:", "a number that is not finite"),
        (r#"{"prompt": "a", "level": -1}"#.to_owned(), "1:", "`level` is -1"),
        (r#"{"prompt": "a", "level": 1.5}"#.to_owned(), "1:", "`level` is 1.5"),
        (r#"{"prompt": "a", "prompt": "b"}"#.to_owned(), "1:", "\"prompt\" is given twice"),
        ("[".repeat(5000), "1:", "one JSON object"),
        (format!("{{\"prompt\": {}", "[".repeat(5000)), "1:", "recursion limit"),
    ] {
        let error = read(&text).unwrap_err();
        assert!(error.starts_with(&format!("data.jsonl:{place}")), "{text}\n{error}");
        assert!(error.contains(what), "{text}\n{error}");
        assert!(error.contains("\n  "), "{error} says nothing to do");
    }
    let error = read(b"{\"prompt\": \"a\"}\n{\"prompt\": \"\xc3\xa9\xff\"}").unwrap_err();
    assert!(error.starts_with("data.jsonl:2:14: this is not UTF-8"), "{error}");
}

#[test]
fn files_of_rows_are_read_and_written_whole() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("rows.jsonl");
    let rows = tasks::generate(&TaskSpec { per_level: 3, ..TaskSpec::default() }).unwrap();
    rows::write_jsonl(&path, &rows).unwrap();
    assert_eq!(rows::read_jsonl(&path).unwrap(), rows);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "no partial file is left");

    let mut bad = Row::new("a");
    bad.columns.insert("level".into(), "x".into());
    assert!(rows::write_jsonl(&path, [&bad]).is_err());
    assert_eq!(rows::read_jsonl(&path).unwrap(), rows, "what was there is intact");

    fs::write(&path, "\u{feff}{\"prompt\": \"a\", \"boxes\": [[1, 2]], \"note\": null, \"id\": 7}\r\n\n")
        .unwrap();
    let row = rows::read_jsonl(&path).unwrap().remove(0);
    assert_eq!(row.columns, BTreeMap::from([("boxes".into(), "[[1,2]]".into()), ("id".into(), "7".into())]));
    for (content, path) in [("", path.as_path()), (" \n\n", &path)] {
        fs::write(path, content).unwrap();
        assert!(rows::read_jsonl(path).unwrap_err().to_string().contains("there are no rows in it"));
    }
    for missing in [Path::new("/nowhere/rows.jsonl"), dir.path()] {
        assert!(rows::read_jsonl(missing).unwrap_err().to_string().contains("cannot be read"));
    }
    assert!(rows::write_jsonl("/nowhere/rows.jsonl", &rows).is_err());
}

#[test]
fn a_spec_is_written_in_ron_and_checked() {
    let text = r#"(domains: ["math"], levels: (1, 6), slips_on: {"*": 0.8}, split: HeldOut)"#;
    let spec: TaskSpec = ron::from_str(text).unwrap();
    assert_eq!((spec.levels, spec.split, spec.per_level), ((1, 6), Split::HeldOut, 256));
    assert_eq!(ron::from_str::<TaskSpec>(&ron::to_string(&spec).unwrap()).unwrap(), spec);
    assert_eq!(ron::from_str::<TaskSpec>("()").unwrap(), TaskSpec::default());
    assert!(ron::from_str::<TaskSpec>("(level: (1, 2))").is_err());
    for (text, field) in [
        ("(domains: [])", "`domains`"),
        ("(domains: [\"law\"])", "`domains` names \"law\""),
        ("(levels: (0, 2))", "`levels`"),
        ("(levels: (3, 2))", "`levels`"),
        ("(levels: (3, 99))", "`levels`"),
        ("(hinted: 1.5)", "`hinted`"),
        ("(slips: NaN)", "`slips`"),
        ("(slips_on: {\"x\": 0.1})", "`slips_on`"),
        ("(slips_on: {\"*\": -0.1})", "`slips_on[\"*\"]`"),
    ] {
        let spec: TaskSpec = ron::from_str(text).unwrap();
        let error = tasks::generate(&spec).unwrap_err().to_string();
        assert!(error.contains(field) && error.contains("\n  "), "{text}: {error}");
        assert_eq!(Fresh::new(&spec).unwrap_err().exit_code(), 2);
    }
}

#[test]
fn slips_come_as_often_as_they_should() {
    let spec = TaskSpec { slips: 0.03, slips_on: BTreeMap::from([("*".into(), 0.8)]), ..TaskSpec::default() };
    let (mut times, mut other) = ((0.0, 0.0), (0.0, 0.0));
    let clean = Fresh::new(&TaskSpec { slips_on: BTreeMap::new(), slips: 0.0, ..spec.clone() }).unwrap();
    for (bad, good) in Fresh::new(&spec).unwrap().zip(clean).take(6000) {
        let (bad, good) = (bad.reference.unwrap(), good.reference.unwrap());
        for (bad, good) in bad.split(';').zip(good.split(';')) {
            let digits = good.bytes().zip(bad.bytes()).skip(2);
            let count = if good.starts_with('*') { &mut times } else { &mut other };
            count.0 += digits.clone().filter(|(a, b)| a != b).count() as f64;
            count.1 += digits.filter(|(a, _)| a.is_ascii_digit()).count() as f64;
        }
    }
    // one random digit in ten is the true one
    assert!((times.0 / times.1 - 0.72).abs() < 0.02, "{times:?}");
    assert!((other.0 / other.1 - 0.027).abs() < 0.004, "{other:?}");
}

#[test]
fn tokenizers_are_saved_loaded_and_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let own = Tokenizer::tasks().unwrap();
    own.save(dir.path()).unwrap();
    let loaded = Tokenizer::load(dir.path()).unwrap();
    assert_eq!(loaded.fingerprint(), own.fingerprint());
    assert_eq!(own.fingerprint().len(), 64);
    assert_eq!((loaded.eos(), loaded.pad(), loaded.vocab_size()), (Some(2), Some(0), 32));
    assert_eq!(loaded.encode("^clis:9489>").unwrap(), own.encode("^clis:9489>").unwrap());

    let file = dir.path().join("tokenizer.json");
    let text = fs::read_to_string(&file).unwrap();
    let write = |text: &str| fs::write(&file, text).unwrap();
    let failure = || Tokenizer::load(dir.path()).err().expect("it must not load").to_string();
    let compact: serde_json::Value = serde_json::from_str(&text).unwrap();
    write(&compact.to_string());
    assert_eq!(Tokenizer::load(&file).unwrap().fingerprint(), own.fingerprint(), "layout does not matter");
    write(&text.replace("\"t\": 31", "\"u\": 31"));
    assert_ne!(Tokenizer::load(&file).unwrap().fingerprint(), own.fingerprint());
    write(&text[..200]);
    assert!(failure().contains("tokenizer.json:") && failure().contains("this is not JSON"), "{}", failure());
    write("{\"a\": 1}");
    assert!(failure().contains("not a tokenizer"), "{}", failure());
    write(&text);
    fs::write(dir.path().join("tokenizer_config.json"), "{\"eos_token\": {\"content\": \"</s>\"}}").unwrap();
    assert!(failure().contains("`eos_token` is \"</s>\", which is not in tokenizer.json"), "{}", failure());
    fs::remove_file(&file).unwrap();
    assert!(failure().contains("there is no tokenizer here"));

    let chat = PromptText::Chat(vec![Message { role: "user".into(), content: "hi".into() }]);
    assert!(own.render(&chat).unwrap_err().to_string().contains("has no chat template"));
    assert_eq!(own.render(&"^m4+2>".into()).unwrap(), "^m4+2>");
}

#[test]
fn what_other_tokenizers_do_not_know_is_named_too() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("tokenizer.json");
    let write = |model: &str| {
        fs::write(&file, format!(r#"{{"version": "1.0", "added_tokens": [], "model": {model}}}"#)).unwrap();
        Tokenizer::load(&file).unwrap()
    };
    let silent =
        write(r#"{"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2, "</s>": 9}, "merges": ["a b"]}"#);
    assert_eq!((silent.encode("ab").unwrap(), silent.eos(), silent.vocab_size()), (vec![2], Some(9), 10));
    assert!(silent.encode("abxb").unwrap_err().to_string().contains("'x' (U+0078), character 3"));
    let marked = write(r#"{"type": "BPE", "unk_token": "?", "vocab": {"a": 0, "?": 1}, "merges": []}"#);
    assert_eq!(marked.encode("a?").unwrap(), [0, 1]);
    assert!(marked.encode("a?é").unwrap_err().to_string().contains("'é' (U+00E9), character 3"));
    let pieces = r#"{"type": "WordPiece", "unk_token": "?", "continuing_subword_prefix": "@",
        "max_input_chars_per_word": 100, "vocab": {"a": 0, "?": 1, "@b": 2, "b": 3}}"#;
    let pieces = write(pieces);
    assert_eq!(pieces.encode("ab").unwrap(), [0, 2]);
    assert!(pieces.encode("abéb").unwrap_err().to_string().contains("'é' (U+00E9), character 3"));
}
