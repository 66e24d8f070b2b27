//! Chat templates: what `transformers` recorded, what cannot be rendered, and a run whose prompts are chats.

mod common;

use std::fs;
use std::path::Path;

use common::Bench;
use limbeck::world::rows::{Message, PromptText, Row};
use limbeck::world::tokenizer::{Chat, Tokenizer};
use serde::Deserialize;
use serde_json::{json, Value};

#[derive(Deserialize)]
struct Recorded {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    template: String,
    kwargs: std::collections::BTreeMap<String, Value>,
    messages: PromptText,
    text: String,
    ids: Vec<u32>,
}

fn here(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/chat").join(name);
    fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

fn special() -> Value {
    json!({"bos_token": {"content": "<|begin|>"}, "eos_token": "<|im_end|>", "pad_token": "<|pad|>"})
}

/// A tokenizer folder with this chat template, or with this in its configuration.
fn folder(jinja: Option<&str>, chat_template: Value) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("tokenizer.json", &here("tokenizer.json"));
    let mut config = special();
    config["chat_template"] = chat_template;
    write("tokenizer_config.json", &config.to_string());
    if let Some(source) = jinja {
        write("chat_template.jinja", source);
    }
    folder
}

/// As a run file writes it, where what is given needs no `Some(…)`.
fn chat(ron: &str) -> Chat {
    ron::from_str(&format!("#![enable(implicit_some)] {ron}")).unwrap()
}

fn asked(text: &str) -> PromptText {
    PromptText::Chat(vec![Message::new("user", text)])
}

#[test]
fn texts_and_ids_are_those_of_transformers() {
    let recorded: Recorded = serde_json::from_str(&here("recorded.json")).unwrap();
    assert!(recorded.cases.len() >= 15);
    for (number, case) in recorded.cases.iter().enumerate() {
        let source = here(&format!("templates/{}.jinja", case.template));
        // the three places where a folder can have its template
        let named = json!([{"name": "other", "template": "x"}, {"name": "default", "template": source}]);
        for (jinja, config) in
            [(Some(source.as_str()), Value::Null), (None, source.as_str().into()), (None, named)]
        {
            let folder = folder(jinja, config);
            let chat = Chat { kwargs: case.kwargs.clone(), ..Chat::default() };
            let tokenizer = Tokenizer::load(folder.path()).unwrap().told(chat).unwrap();
            let text = tokenizer.render(&case.messages).unwrap();
            assert_eq!(text, case.text, "case {number}, {}", case.template);
            assert_eq!(tokenizer.encode(&text).unwrap(), case.ids, "case {number}, {}", case.template);
        }
    }
}

#[test]
fn what_the_template_is_told() {
    let folder = folder(Some(&here("templates/thinking.jinja")), Value::Null);
    let plain = Tokenizer::load(folder.path()).unwrap();
    let told = |ron: &str| plain.clone().told(chat(ron));
    let off = told(r#"(kwargs: {"enable_thinking": false})"#).unwrap();
    assert!(off.render(&asked("a")).unwrap().ends_with("<think>\n\n</think>\n\n"));
    assert!(!plain.render(&asked("a")).unwrap().contains("<think>"));
    assert!(off.describe_chat().unwrap().ends_with("chat_template.jinja, enable_thinking is false"));
    for (ron, words) in [
        (
            r#"(kwargs: {"enable_thinkin": false})"#,
            &["chat.kwargs.enable_thinkin", "never reads", "did you mean `enable_thinking`?"][..],
        ),
        (r#"(kwargs: {"zebra": 1})"#, &["chat.kwargs.zebra", "never reads `zebra`", "take it out"]),
        (r#"(kwargs: {"messages": []})"#, &["chat.kwargs.messages", "given for every prompt"]),
        (r#"(today: "2030-01-01")"#, &["chat.today", "never asks for the day"]),
        (r#"(template: "rag")"#, &["chat.template", "no chat template `rag`", "has: default"]),
    ] {
        let why = told(ron).err().expect(ron).to_string();
        for word in words {
            assert!(why.contains(word), "no {word:?} in {why}");
        }
    }
    assert!(ron::from_str::<Chat>(r#"(today: Some("2030-02-30"))"#)
        .unwrap_err()
        .to_string()
        .contains("not a day"));
    assert!(ron::from_str::<Chat>("(kwarg: {})").is_err());
    // what a run writes down, it reads again
    let chat =
        chat(r#"(system: Some("s"), kwargs: {"a": (b: [1, 2.5, "x"], c: None)}, today: Some("2030-01-31"))"#);
    assert_eq!(ron::from_str::<Chat>(&ron::to_string(&chat).unwrap()).unwrap(), chat);
}

#[test]
fn the_day_is_the_runs() {
    let folder = folder(Some(&here("templates/headers.jinja")), Value::Null);
    let plain = Tokenizer::load(folder.path()).unwrap();
    assert!(plain.describe_chat().unwrap().ends_with("the day is 2024-07-26"));
    let told = plain.told(ron::from_str(r#"(today: Some("2030-01-31"))"#).unwrap()).unwrap();
    assert!(told.render(&asked("a")).unwrap().contains("Today Date: 31 Jan 2030\n"));
}

#[test]
fn what_cannot_be_rendered_is_said_with_its_place() {
    for (source, prompt, words) in [
        ("{% for x in %}", asked("a"), &["chat_template.jinja:1", "cannot be understood"][..]),
        (
            "a\n{% if messages %}\n{{ messages.x.y }}{% endif %}",
            asked("a"),
            &["chat_template.jinja:3", "fails"],
        ),
        (
            "\n{{ raise_exception('no system here') }}",
            asked("a"),
            &["refuses this prompt: no system here", ".jinja:2"],
        ),
        ("{{ strftime_now('%Q') }}", asked("a"), &["does not know `%Q`", ".jinja:1"]),
        ("{{ nowhere() }}", asked("a"), &["nowhere", ".jinja:1"]),
        ("{{ messages | tojson(x=1) }}", asked("a"), &["x", ".jinja:1"]),
        (
            "x",
            PromptText::Chat(vec![Message::new("user", "a"), Message::new("assistant", "b")]),
            &["nothing is left to answer"],
        ),
    ] {
        // a folder with a template that nobody can use is still good for plain prompts
        let folder = folder(Some(source), Value::Null);
        let tokenizer = Tokenizer::load(folder.path()).unwrap();
        assert_eq!(tokenizer.render(&"plain".into()).unwrap(), "plain");
        let why = tokenizer.render(&prompt).unwrap_err();
        assert_eq!(why.exit_code(), 2);
        let why = why.to_string();
        for word in words {
            assert!(why.contains(word), "no {word:?} in {why}");
        }
        assert!(!why.contains('\u{1}') && why.contains("\n  "), "{why}");
    }
    let several = folder(None, json!([{"name": "a", "template": "x"}, {"name": "b", "template": "y"}]));
    let several = Tokenizer::load(several.path()).unwrap();
    assert!(several.render(&asked("a")).unwrap_err().to_string().contains("(template: \"…\")`: a, b"));
    let b = several.told(ron::from_str("(template: Some(\"b\"))").unwrap()).unwrap();
    assert_eq!(b.render(&asked("a")).unwrap(), "y");
    let wrong = folder(None, json!(7));
    let why = Tokenizer::load(wrong.path()).err().expect("7 is no template").to_string();
    assert!(why.contains("tokenizer_config.json, `chat_template`: is neither"), "{why}");
}

/// A student and a teacher that read chats, on rows with hints.
fn bench(template: &str) -> Bench {
    let bench = Bench::new();
    let tokenizer = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/chat/tokenizer.json");
    for name in ["chatty", "tutor"] {
        let more = ["--tokenizer", tokenizer.to_str().unwrap(), "--context", "512"];
        common::model(bench.path("").as_path(), name, 7, &more);
        bench.write(&format!("{name}/tokenizer_config.json"), special().to_string());
        bench.write(&format!("{name}/chat_template.jinja"), here(&format!("templates/{template}.jinja")));
    }
    // the teacher's own template is not the student's: it reads the student's tokens all the same
    bench.write("tutor/chat_template.jinja", "{{ messages[0].content }}");
    let mut row = Row::new("What is 2 + 2?");
    row.columns.insert("hints".to_owned(), "Count on.".to_owned());
    limbeck::world::rows::write_jsonl(bench.path("rows.jsonl"), [&row]).unwrap();
    bench
}

const RUN: &str = r#"Run(
    recipe: "Dopd", seed: 5, steps: 1, batch: 1, student: "chatty", teachers: {"teacher": "tutor"},
    data: "rows.jsonl", chat: (system: "Be brief.", kwargs: {"enable_thinking": false}), privileged: PLACE,
    eval: (data: "rows.jsonl"), set: (rollout: (group_size: 2, max_response_tokens: 8)),
)
"#;

#[test]
fn a_run_whose_prompts_are_chats() {
    let bench = bench("thinking");
    let end = "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n";
    let asked = |system: &str, user: &str| {
        format!("<|im_start|>system\n{system}<|im_end|>\n<|im_start|>user\n{user}{end}")
    };
    let plain = asked("Be brief.", "What is 2 + 2?");
    for (place, hinted) in [
        (r#"Suffix("\n")"#, asked("Be brief.", "What is 2 + 2?\nCount on.")),
        (r#"System("\n")"#, asked("Count on.\nBe brief.", "What is 2 + 2?")),
        (
            r#"Template("Hint: {privileged}\n{prompt}")"#,
            asked("Be brief.", "Hint: Count on.\nWhat is 2 + 2?"),
        ),
    ] {
        bench.write("run.ron", RUN.replace("PLACE", place));
        let said = bench.limbeck(&["check", "run.ron"]).good().out;
        for (text, what) in [(&plain, "first prompt"), (&hinted, "as the teacher `teacher` reads it")] {
            let shown = format!("    {}⟦…⟧", text.replace('\n', "\n    "));
            let at = said.find(what).unwrap_or_else(|| panic!("no {what} in {said}"));
            assert!(said[at..].contains(&shown), "{shown}\nis not in\n{said}");
        }
        assert!(said.contains("chat template: ") && said.contains("enable_thinking is false"), "{said}");
    }
    bench.limbeck(&["train", "run.ron", "--out", "out", "--quiet"]).good();
    assert!(
        bench.read("out/samples.jsonl").contains("<think>\\n\\n</think>"),
        "{}",
        bench.read("out/samples.jsonl")
    );
    assert!(
        bench.read("out/run.ron").contains("chat: (system:Some(\"Be brief.\")"),
        "{}",
        bench.read("out/run.ron")
    );
    // it has been run: resuming reads run.ron again, and what a template says is part of the model
    bench.limbeck(&["resume", "out", "--quiet"]).good();
    bench.limbeck(&["eval", "run.ron", "--quiet"]).good();
    bench.write("chatty/chat_template.jinja", "{{ messages[0].content }}{{ enable_thinking }}");
    bench.limbeck(&["resume", "out", "--quiet"]).refused(2, &["model folder is not the one"]);
    for (from, to, words) in [
        ("enable_thinking", "think", &["chat.kwargs.think", "never reads"][..]),
        (
            "\"chatty\", teachers: {\"teacher\": \"tutor\"}",
            "\"student\", teachers: {\"teacher\": \"math\"}",
            &["no chat template"],
        ),
    ] {
        bench.write("bad.ron", RUN.replace("PLACE", "Suffix(\"\")").replacen(from, to, 1));
        let said = bench.limbeck(&["train", "bad.ron", "--out", "new"]);
        said.refused(2, words);
        assert!(!bench.path("new").exists());
    }
}

#[test]
fn generate_says_the_prompt_as_a_user() {
    let bench = bench("chatml");
    let words = ["generate", "--model", "chatty", "--prompt", "Hi", "--max-tokens", "4"];
    let plain = bench.limbeck(&words).good().out;
    let chat = bench.limbeck(&[&words[..], &["--chat"]].concat()).good().out;
    assert_ne!(plain, chat);
    let words = ["generate", "--model", "student", "--prompt", "^m4*5>", "--chat"];
    bench.limbeck(&words).refused(2, &["--chat", "no chat template"]);
}
