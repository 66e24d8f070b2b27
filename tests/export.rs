//! A run's student as a folder for others: what is in it, and what its card says. That `transformers` loads it and
//! computes the same is for `tests/export/load.py`; that vLLM fills its models from it, for `tests/export/load_vllm.py`.

mod common;

use std::fs;

use common::Bench;
use limbeck::world::Policy;

#[test]
fn an_exported_student_is_whole_and_says_how_it_was_made() {
    let bench = Bench::new();
    let config =
        bench.read("student/config.json").replacen('{', "{\n  \"_name_or_path\": \"org/Tiny-1M\",", 1);
    bench.write("student/config.json", config);
    bench.write("student/README.md", "---\nlicense: apache-2.0\n---\n# Tiny\n");
    bench.limbeck(&["train", "run.ron", "--out", "out", "--quiet"]).good();
    bench.limbeck(&["export", "out", "--to", "mine"]).good();
    assert_eq!(
        bench.list("mine"),
        [
            "README.md",
            "config.json",
            "generation_config.json",
            "model.safetensors",
            "special_tokens_map.json",
            "tokenizer.json",
            "tokenizer_config.json"
        ]
    );
    let device = limbeck::tensor::Cpu::default();
    let weights = |folder: &str| {
        let policy = Policy::load("it", &bench.path(folder), &device).unwrap();
        policy.decoder.parameters().iter().flat_map(|p| p.to_host()).map(f32::to_bits).collect::<Vec<_>>()
    };
    assert_eq!(weights("mine"), weights("out/checkpoints/step-000003/student"));
    assert_ne!(weights("mine"), weights("student"));
    let json = |name: &str| serde_json::from_str::<serde_json::Value>(&bench.read(name)).unwrap();
    assert_eq!(
        json("mine/generation_config.json"),
        serde_json::json!({"eos_token_id": [2], "pad_token_id": 0})
    );
    assert_eq!(
        json("mine/special_tokens_map.json"),
        serde_json::json!({"eos_token": "\n", "pad_token": "<pad>"})
    );

    let card = bench.read("mine/README.md");
    let plan = limbeck::Entry::of::<limbeck_recipes::UniOpd>().plan().hash();
    for words in [
        "---\nlicense: apache-2.0\nbase_model: org/Tiny-1M\nlibrary_name: transformers\n",
        "# mine\n\nUni-OPD: two experts into one student",
        "| base model | student (org/Tiny-1M) |",
        "| licence | apache-2.0, as the base model says;",
        "| teachers | code: code, math: math |",
        "| prompts | the built-in tasks |",
        "| steps | 3 of 3, 2 prompts each, seed 5 |",
        "| weights | float32, as they were trained |",
        &format!("plan `{plan}`"),
        "## Accuracy on held-out prompts\n\n```text\n",
        "student before",
        "student after",
        "95 % Wilson interval",
        "AutoTokenizer.from_pretrained(\"mine\")",
        "<details>\n<summary>The training loop as it ran</summary>\n\n```rust\n",
        "for it in start..run.steps {",
        "student: \"student\"",
        "group_size: 3",
    ] {
        assert!(card.contains(words), "no {words:?} in\n{card}");
    }
    assert!(!card.contains(bench.path("").to_str().unwrap()), "a path of this machine:\n{card}");

    // what is taken stays as it is, and nothing lies beside it
    bench.limbeck(&["export", "out", "--to", "mine"]).refused(2, &["holds something already"]);
    bench.limbeck(&["export", "out", "--to", "half", "--bf16"]).good();
    assert!(bench.read("half/README.md").contains("| weights | bfloat16, rounded"));
    assert!(fs::metadata(bench.path("half/model.safetensors")).unwrap().len() < 10_000);
    assert!(bench.list("").iter().all(|name| !name.ends_with(".partial")), "{:?}", bench.list(""));
}

#[test]
fn a_run_that_has_not_ended_says_so_and_one_without_checkpoint_is_refused() {
    let bench = Bench::new();
    bench.limbeck(&["train", "run.ron", "--out", "out", "--quiet"]).good();
    fs::remove_dir_all(bench.path("out/checkpoints/step-000003")).unwrap();
    fs::remove_file(bench.path("out/after.json")).unwrap();
    // what a killed export left is no obstacle
    fs::create_dir_all(bench.path(".mine.partial/x")).unwrap();
    bench.limbeck(&["export", "out", "--to", "mine"]).good();
    let card = bench.read("mine/README.md");
    for words in
        ["license: unknown\n", "| licence | unknown: see the base model |", "the student after step 2."]
    {
        assert!(card.contains(words), "no {words:?} in\n{card}");
    }
    assert!(card.contains("student before") && !card.contains("\nstudent after"), "{card}");
    fs::remove_dir_all(bench.path("out/checkpoints")).unwrap();
    bench.limbeck(&["export", "out", "--to", "none"]).refused(2, &["no checkpoint yet"]);
    bench.limbeck(&["export", "student", "--to", "none"]).refused(2, &["run.ron"]);
    assert!(!bench.path("none").exists());
}

#[test]
fn a_folder_that_cannot_be_written_leaves_nothing() {
    let bench = Bench::new();
    bench.limbeck(&["train", "run.ron", "--out", "out", "--quiet"]).good();
    bench.write("file", "x");
    let said = bench.limbeck(&["export", "out", "--to", "file/inside"]);
    assert_eq!(said.code, Some(1), "{}", said.err);
    assert!(said.err.contains("cannot be written"), "{}", said.err);
    assert_eq!(bench.read("file"), "x");
}
