//! The verbs as people and scripts call them.

mod common;

use common::{limbeck_in, model, run, Bench};
use serde_json::{json, Value};
use std::process::Command;

#[test]
fn list_and_show() {
    let here = std::path::Path::new(".");
    let said = limbeck_in(here, &["list"]).good();
    assert_eq!(said.err, "");
    let listed = limbeck_in(here, &["list", "--json"]).good().json();
    for recipe in listed.as_array().unwrap() {
        let name = recipe["name"].as_str().unwrap();
        assert!(said.out.contains(name) && said.out.contains(recipe["about"].as_str().unwrap()));
        assert!(recipe["paper"].is_string() && (recipe["base"].is_null() || recipe["base"].is_string()));
        let shown = limbeck_in(here, &["show", name]).good();
        let looped = limbeck_in(here, &["show", name, "--loop"]).good().out;
        assert!(looped.starts_with("fn train<W: World>"), "{looped}");
        let inside: String = looped.lines().map(|line| format!("    {line}\n")).collect();
        assert!(shown.out.contains(&inside) && shown.out.contains(&format!("impl Recipe for {name}")));
        let plan = limbeck_in(here, &["show", name, "--plan"]).good().out;
        assert!(ron::from_str::<ron::Value>(&plan).is_ok(), "{plan}");
        let source = limbeck_in(here, &["show", name, "--source"]).good().out;
        assert!(source.contains(&format!("struct {name}")), "{source}");
    }
    limbeck_in(here, &["show", "uniopd"]).refused(2, &["did you mean `UniOpd`"]);
    limbeck_in(here, &["show", "Nothing"]).refused(2, &["`limbeck list`"]);
    for wrong in [
        &["show"][..],
        &["sho"],
        &[],
        &["show", "UniOpd", "--plan", "--source"],
        &["show", "UniOpd", "--loop", "--plan"],
        &["list", "7"],
    ] {
        let said = limbeck_in(here, wrong);
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{wrong:?}");
    }
    for right in ["--help", "--version"] {
        assert_eq!(limbeck_in(here, &[right]).good().err, "");
    }
}

/// A pipe that is closed is no error, a full disk is one, and neither is a panic.
#[cfg(target_os = "linux")]
#[test]
fn pipes_and_full_disks() {
    let shell = |words: &str| {
        run(Command::new("sh").args(["-c", words]).env("LIMBECK", env!("CARGO_BIN_EXE_limbeck")))
    };
    let said = shell("\"$LIMBECK\" show UniOpd | head -n 1").good();
    assert_eq!((said.out.lines().count(), said.err.as_str()), (1, ""));
    shell("\"$LIMBECK\" list >/dev/full").refused(1, &["stdout"]);
    assert_eq!(shell("\"$LIMBECK\" show Nothing 2>/dev/full").code, Some(2));
    assert_eq!(shell("\"$LIMBECK\" check nothing.ron 2>&-").code, Some(2));
}

#[test]
fn init_makes_what_the_other_verbs_open() {
    let folder = tempfile::tempdir().unwrap();
    model(folder.path(), "one", 1, &[]);
    model(folder.path(), "same", 1, &[]);
    model(folder.path(), "other", 2, &["--tied", "--kv-heads", "2", "--context", "40"]);
    let weights = |name: &str| std::fs::read(folder.path().join(name).join("model.safetensors")).unwrap();
    assert_eq!(weights("one"), weights("same"));
    assert_ne!(weights("one"), weights("other"));
    let call = |words: &[&str]| limbeck_in(folder.path(), words);
    call(&["init", "--to", "one"]).refused(2, &["one: holds something already"]);
    for (words, said) in [
        (&["--hidden", "0"][..], "head_dim"),
        (&["--heads", "5", "--hidden", "16"], "head_dim"),
        (&["--kv-heads", "3"], "num_key_value_heads"),
        (&["--context", "0"], "max_position_embeddings"),
        (&["--layers", "200000000"], "num_hidden_layers"),
        (&["--hidden", "200000000"], "too large"),
        (&["--hidden", "18446744073709551614", "--heads", "1"], "not a size"),
        (&["--tokenizer", "nowhere.json"], "nowhere.json"),
    ] {
        call(&[&["init", "--to", "new"], words].concat()).refused(2, &[said]);
        assert!(!folder.path().join("new").exists());
    }
}

#[test]
fn score_is_the_sum_over_single_tokens() {
    let folder = tempfile::tempdir().unwrap();
    model(folder.path(), "m", 7, &["--context", "24"]);
    let score = |words: &[&str]| limbeck_in(folder.path(), &[&["score", "--model", "m"], words].concat());
    let said = score(&["--text", "^m43*9-6>"]).good();
    assert_eq!(said.err, "");
    let all = said.json();
    let ids: Vec<u64> = all["tokens"].as_array().unwrap().iter().map(|id| id.as_u64().unwrap()).collect();
    let log_probs: Vec<f64> =
        all["logprobs"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect();
    assert_eq!(ids.len(), log_probs.len() + 1);
    // one token at a time: what comes later does not change what came before
    for n in 2..=ids.len() {
        let words: Vec<String> = ids[..n].iter().map(u64::to_string).collect();
        let part = score(&["--tokens", &words.join(",")]).good().json();
        let last = part["logprobs"][n - 2].as_f64().unwrap();
        assert!((last - log_probs[n - 2]).abs() < 1e-5, "{last} is not {}", log_probs[n - 2]);
    }
    // over the whole vocabulary the next token is certain
    let total: f64 = (0..32)
        .map(|id| {
            score(&["--tokens", &format!("1,{id}")]).good().json()["logprobs"][0].as_f64().unwrap().exp()
        })
        .sum();
    assert!((total - 1.0).abs() < 1e-5, "{total}");
    let perplexity = (-log_probs.iter().sum::<f64>() / log_probs.len() as f64).exp();
    assert!((all["perplexity"].as_f64().unwrap() - perplexity).abs() < 1e-9);
    for (words, said) in [
        (["--tokens", "5"], "1 tokens"),
        (["--tokens", "5,,6"], "not a token id"),
        (["--tokens", "5,32"], "token 32"),
        (["--tokens", "5,-1"], "not a token id"),
        (["--text", ""], "0 tokens"),
        (["--text", "Ünknown"], "unknown to the tokenizer"),
        (["--text", "^m43*9-6>^m43*9-6>^m43*9-6>"], "27 tokens"),
    ] {
        score(&words).refused(2, &[words[0], said]);
    }
    limbeck_in(folder.path(), &["score", "--model", "n", "--text", "^m"]).refused(2, &["no model folder"]);
}

#[test]
fn generate_is_seeded() {
    let folder = tempfile::tempdir().unwrap();
    model(folder.path(), "m", 7, &["--context", "24"]);
    let say = |words: &[&str]| {
        limbeck_in(folder.path(), &[&["generate", "--model", "m", "--prompt", "^m4*5>"], words].concat())
    };
    let greedy = say(&[]).good().out;
    assert_eq!(greedy, say(&["--seed", "9"]).good().out);
    let warm = |seed: &str| say(&["--temperature", "1.5", "--seed", seed]).good().out;
    assert_eq!(warm("3"), warm("3"));
    assert!(["4", "5", "6"].iter().any(|seed| warm(seed) != warm("3")));
    for (words, said) in [
        (&["--max-tokens", "0"][..], "--max-tokens"),
        (&["--temperature", "nan"], "--temperature"),
        (&["--temperature=-1"], "--temperature"),
        (&["--top-p", "0"], "--top-p"),
    ] {
        say(words).refused(2, &[said]);
    }
    for prompt in ["", "é", "^m43*9-6>^m43*9-6>^m43*9-6>"] {
        let words = ["generate", "--model", "m", "--prompt", prompt];
        limbeck_in(folder.path(), &words).refused(2, &["--prompt"]);
    }
}

#[test]
fn a_run_from_check_to_export() {
    let bench = Bench::new();
    let checked = bench.limbeck(&["check", "run.ron"]).good();
    assert!(checked.out.contains("⟦*⟧") && checked.out.ends_with("all is well\n"), "{}", checked.out);
    assert_eq!(checked.err, "");

    // a dry run leaves nothing behind
    let before = bench.list(".");
    let dry = bench.limbeck(&["train", "run.ron", "--dry-run", "--json", "--quiet"]).good();
    assert_eq!((dry.json()["steps"].clone(), dry.json()["directory"].clone()), (json!(1), Value::Null));
    assert_eq!(bench.list("."), before);

    // `--out` in a folder that is not there yet, a setting and the number of steps over the file's
    let words =
        ["train", "run.ron", "--out", "deep/er/run", "--set", "steps=2", "--set", "calibrate.delta=0.1"];
    let trained = bench.limbeck(&[&words[..], &["--json"]].concat()).good();
    let shown = trained.json();
    assert_eq!((&shown["steps"], &shown["finished_before"]), (&json!(2), &json!(false)));
    assert!(trained.err.contains("evaluating") && !trained.err.contains("error"), "{}", trained.err);
    assert_eq!(shown["accuracy"]["columns"], json!(["code", "math", "mean"]));
    let policies: Vec<_> =
        shown["accuracy"]["rows"].as_array().unwrap().iter().map(|row| row["policy"].clone()).collect();
    assert_eq!(json!(policies), json!(["student before", "student after", "teacher code", "teacher math"]));
    let lines: Vec<Value> =
        bench.read("deep/er/run/metrics.jsonl").lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(lines.iter().map(|line| line["step"].clone()).collect::<Vec<_>>(), [1, 2]);
    for name in ["loss", "reverse_kl", "entropy", "grad_norm", "lr", "reward", "tokens", "step_time"] {
        assert!(lines[1][name].is_number(), "{name}");
    }
    assert!(bench.read("deep/er/run/run.ron").contains("delta: 0.1"));
    let left = bench.list("deep/er/run");
    for name in ["run.ron", "plan.ron", "loop.rs", "metrics.jsonl", "samples.jsonl", "tb", "report.html"] {
        assert!(left.contains(&name.to_string()), "{name} in {left:?}");
    }
    let report = bench.read("deep/er/run/report.html");
    for name in &left {
        assert!(include_str!("../README.md").contains(&format!("`{name}`")), "{name} is not in README.md");
        assert!(name == "report.html" || report.contains(name.as_str()), "{name} is not in the report");
    }
    // every file says which run it is of
    let ron = bench.read("deep/er/run/run.ron");
    let (mark, named) = ron.strip_prefix("// ").and_then(|text| text.split_once(": ")).unwrap();
    let named = named.lines().next().unwrap();
    assert!(["plan ", "run ", "loop "].iter().all(|hash| named.contains(hash)), "{named}");
    for name in ["plan.ron", "loop.rs"] {
        assert!(bench.read(&format!("deep/er/run/{name}")).starts_with(&format!("// {mark}: {named}\n")));
    }
    for name in ["metrics.jsonl", "samples.jsonl"] {
        let text = bench.read(&format!("deep/er/run/{name}"));
        assert!(text.lines().all(|line| line.contains(&format!("\"hash\":\"{mark}\""))), "{text}");
    }
    let events = bench.list("deep/er/run/tb");
    let events = std::fs::read(bench.path("deep/er/run/tb").join(&events[0])).unwrap();
    for hash in named.split(", ").map(|pair| pair.rsplit_once(' ').unwrap().1) {
        assert!(report.contains(hash) && events.windows(hash.len()).any(|seen| seen == hash.as_bytes()));
    }

    let said = bench.limbeck(&["resume", "deep/er/run", "--set", "steps=9"]);
    assert_eq!((said.code, said.out.as_str()), (Some(2), ""));

    // what the command line made wrong is told of the command line
    let said = bench.limbeck(&["check", "run.ron", "--set", "rollout.group_size=1"]);
    said.refused_checks(&["--set rollout.group_size=1: calibration compares rollouts"]);

    // the report of a fork says what it changes
    bench.limbeck(&["train", "run.ron", "--recipe", "UniOpdGreedyMask", "--out", "fork", "--quiet"]).good();
    let report = bench.read("fork/report.html");
    assert!(
        report.contains("What changes against <code>UniOpd</code>")
            && report.contains("+ calibrate   MarginMask")
    );
    assert!(!bench.read("deep/er/run/report.html").contains("What changes against"));

    // another recipe on the same run, which lacks what the recipe has no use for
    bench.limbeck(&["check", "run.ron", "--recipe", "Sft"]).refused_checks(&["no setting `samples`"]);
    bench.run_with("bare.ron", &[("data: (samples: 2, max_response_tokens: 6),", "")]);
    bench.limbeck(&["train", "bare.ron", "--recipe", "VanillaOpd", "--dry-run", "--quiet"]).good();
    let wrong = bench.limbeck(&["train", "bare.ron", "--recipe", "UniOpdSingle", "--dry-run"]);
    wrong.refused(2, &["declares the teacher `teacher`"]);

    // export, and score and eval of what came out
    bench.limbeck(&["export", "deep/er/run", "--to", "hf"]).good();
    bench.limbeck(&["export", "deep/er/run", "--to", "hf16", "--bf16"]).good();
    bench.limbeck(&["export", "deep/er/run", "--to", "hf"]).refused(2, &["holds something already"]);
    bench.limbeck(&["export", "student", "--to", "new"]).refused(2, &["no run.ron"]);
    let weights = |name: &str| std::fs::read(bench.path(name)).unwrap();
    let last = "deep/er/run/checkpoints/step-000002/student/model.safetensors";
    assert_eq!(weights("hf/model.safetensors"), weights(last));
    bench.limbeck(&["score", "--model", "hf16", "--text", "^m4*5>"]).good();
}

trait RefusedChecks {
    fn refused_checks(self, words: &[&str]);
}

impl RefusedChecks for common::Said {
    /// `check` says on stdout what is well, and on stderr what is not.
    #[track_caller]
    fn refused_checks(self, words: &[&str]) {
        assert_eq!(self.code, Some(2), "{}", self.err);
        assert!(!self.out.contains("all is well") && !self.err.contains("panicked"), "{}", self.err);
        for word in words {
            assert!(self.err.contains(word), "no {word:?} in\n{}", self.err);
        }
    }
}

#[test]
fn check_names_all_that_is_wrong_at_once() {
    let bench = Bench::new();
    bench.run_with(
        "bad.ron",
        &[
            ("steps: 3, batch: 2", "steps: 0, batch: 0"),
            ("\"student\", teachers", "\"nowhere\", teachers"),
            ("\"math\": \"math\"", "\"maths\": \"math\""),
            ("tasks: (levels: (2, 2), per_level: 4, seed: 3)", "data: \"d.jsonl\", tasks: ()"),
            (
                "eval: (tasks: (levels: (2, 2), per_level: 3, split: HeldOut))",
                "eval: (samples: 0, temperature: NaN)",
            ),
            ("samples: 2", "samples: 0"),
            ("lr: 1e-3", "lr: inf"),
        ],
    );
    bench.limbeck(&["check", "bad.ron"]).refused_checks(&[
        "`steps`: a run of 0 steps",
        "`batch`: a batch of 0 prompts",
        "`data` is given, and so are built-in `tasks`",
        "held-out prompts come from",
        "`eval.samples`",
        "`eval.temperature`",
        "bad.ron:7:16: `data.samples`",
        "`step.lr`",
        "nothing at nowhere",
        "no teacher `maths`",
        "did you mean `math`?",
        "declares the teacher `math`",
        "nothing at d.jsonl",
    ]);

    // models and rows, several of each
    model(&bench.path("."), "short", 4, &["--context", "10"]);
    std::fs::write(bench.path("code/model.safetensors"), [7u8; 40]).unwrap();
    let rows = [
        r#"{"prompt": "^m4*5>", "domain": "math", "reference": "*5=20"}"#.to_string(),
        r#"{"prompt": "^m4*6>", "domain": "law"}"#.into(),
        r#"{"prompt": "^m4*7>", "domain": "law"}"#.into(),
        r#"{"prompt": "^m4*8>"}"#.into(),
        r#"{"prompt": "What?", "domain": "math"}"#.into(),
        format!(r#"{{"prompt": "^m{}>", "domain": "math"}}"#, "4*".repeat(80)),
    ];
    bench.write("d.jsonl", rows.join("\n"));
    bench.run_with(
        "rows.ron",
        &[
            ("tasks: (levels: (2, 2), per_level: 4, seed: 3)", "data: \"d.jsonl\""),
            ("\"math\": \"math\"", "\"math\": \"short\""),
        ],
    );
    let words = [
        "row 2, column `domain`: nobody teaches the domain `law` (and 1 more row)",
        "row 4, column `domain`: the row names no domain",
        "row 5: 'W' (U+0057)",
        "row 6: the prompt has 163 tokens and the model's context is 128",
        "the teacher `math` reads 10 tokens",
        "code/model.safetensors",
    ];
    bench.limbeck(&["check", "rows.ron"]).refused_checks(&words);
    bench.limbeck(&["train", "rows.ron", "--out", "new"]).refused(2, &["code/model.safetensors"]);
    bench.write(
        "sft.ron",
        bench
            .read("rows.ron")
            .replace("data: (samples: 2, max_response_tokens: 6),", "")
            .replace("rollout: (group_size: 3, max_response_tokens: 8),", ""),
    );
    bench
        .limbeck(&["check", "sft.ron", "--recipe", "Sft"])
        .refused_checks(&["column `reference`", "4 more rows"]);
    bench
        .limbeck(&["train", "sft.ron", "--recipe", "Sft", "--out", "new"])
        .refused(2, &["column `reference`"]);
    assert!(!bench.path("new").exists());
}

#[test]
fn eval_counts_by_seed() {
    let bench = Bench::new();
    let eval = |words: &[&str]| bench.limbeck(&[&["eval"], words, &["--json", "--quiet"]].concat());
    let task = ["--model", "student", "--task", "math", "--per-level", "20", "--samples", "3"];
    let once = eval(&task).good().json();
    assert_eq!(once, eval(&task).good().json());
    let rows = once["accuracy"]["rows"].as_array().unwrap();
    assert_eq!(once["k"], 3);
    assert_eq!((&rows[0]["policy"], &rows[1]["policy"]), (&json!("mean@3"), &json!("pass@3")));
    assert_eq!((&rows[0]["cells"]["math"]["n"], &rows[1]["cells"]["math"]["n"]), (&json!(180), &json!(60)));
    // the run's own seed, and another
    let run = eval(&["run.ron"]).good().json();
    assert_eq!(run, eval(&["run.ron", "--seed", "5"]).good().json());
    eval(&["run.ron", "--seed", "6", "--model", "math", "--samples", "2", "--temperature", "0"]).good();
    for (words, said) in [
        (&["--model", "student", "--task", "math,law"][..], "law"),
        (&["--model", "student"], "--task"),
        (&[], "neither a run file nor a model"),
        (&["--model", "student", "--task", "math", "--samples", "0"], "--samples"),
        (&["--model", "student", "--task", "math", "--samples", "99999999999999"], "--samples"),
        (&["--model", "student", "--task", "math", "--temperature", "inf"], "--temperature"),
        (&["--model", "student", "--task", "math", "--per-level", "0"], "per_level"),
        (&["--model", "nowhere", "--task", "math"], "nowhere"),
        (&["nowhere.ron"], "nowhere.ron"),
    ] {
        eval(words).refused(2, &[said]);
    }
    assert_eq!(eval(&["run.ron", "--task", "math"]).code, Some(2), "a task and a run exclude each other");
}

/// mean@k is the share of right answers, pass@k that of prompts with one; the unjudged count as neither.
#[test]
fn mean_and_pass_are_what_their_names_say() {
    let bench = Bench::new();
    let greedy = |prompt: &str| {
        bench.limbeck(&["generate", "--model", "student", "--prompt", prompt, "--max-tokens", "8"]).good().out
    };
    let said = greedy("^m4*5>");
    let rows = [
        json!({"prompt": "^m4*5>", "answer": said.trim_end_matches('\n')}),
        json!({"prompt": "^m4*5>", "answer": "nothing like it"}),
        json!({"prompt": "^m4*5>"}),
        json!({"prompt": "^m4*5>", "domain": "math", "answer": "not the result"}),
    ];
    bench.write("e.jsonl", rows.map(|row| row.to_string()).join("\n"));
    let tasks = "eval: (tasks: (levels: (2, 2), per_level: 3, split: HeldOut))";
    bench.run_with("e.ron", &[(tasks, "eval: (data: \"e.jsonl\", temperature: 0, samples: 2)")]);
    let got = bench.limbeck(&["eval", "e.ron", "--json", "--quiet"]).good().json();
    for (row, right, n, unjudged) in [(0, 0.5, 4, 2), (1, 0.5, 2, 1)] {
        let cell = &got["accuracy"]["rows"][row]["cells"][""];
        assert_eq!(
            (&cell["accuracy"], &cell["n"], &cell["unjudged"]),
            (&json!(right), &json!(n), &json!(unjudged))
        );
    }
    let cell = &got["accuracy"]["rows"][0]["cells"]["math"];
    assert_eq!((&cell["n"], &cell["unjudged"]), (&json!(0), &json!(2)), "a verifier that fails says nothing");
}
