//! Files that are wrong: what, where and what to do; never a panic, and nothing left behind.

mod common;

use std::io::Write;

use common::{model, Bench, RUN};
use limbeck::world::rows::read_jsonl;
use limbeck::world::Policy;
use limbeck::Entry;
use proptest::prelude::*;

const UNI_OPD: &Entry = &Entry::of::<limbeck_recipes::UniOpd>();

/// Run files that are wrong in one place, and the words that say so.
#[test]
fn run_files() {
    let bench = Bench::new();
    let mut wrong = Vec::new();
    for (from, to, words) in [
        (
            "steps: 3",
            "stpes: 3",
            &["bad.ron:2:", "a run file has no field `stpes`", "did you mean `steps`?"][..],
        ),
        (
            "levels: (2, 2), per_level: 4",
            "level: (2, 2)",
            &["bad.ron:4:", "`level`", "did you mean `levels`?"],
        ),
        ("levels: (2, 2), per_level: 3", "level: (2, 2)", &["bad.ron:5:", "did you mean `levels`?"]),
        ("eval: (tasks", "eval: (task", &["bad.ron:5:", "`task`", "did you mean `tasks`?"]),
        ("step: (lr", "stpe: (lr", &["bad.ron:9:", "no stage `stpe`", "did you mean `step`?"]),
        ("lr: 1e-3", "rl: 1e-3", &["bad.ron:9:", "`step` has no setting `rl`"]),
        ("lr: 1e-3", "lr: \"fast\"", &["bad.ron:9:"]),
        ("lr: 1e-3", "lr: NaN", &["bad.ron:9:", "`step.lr`", "finite"]),
        ("lr: 1e-3", "lr: -1e-3", &["bad.ron:9:", "`step.lr`"]),
        ("lr: 1e-3", "lr: 1e-3, lr: 1e-4", &["bad.ron:9:", "`lr` is given twice"]),
        ("seed: 5", "seed: 5, seed: 6", &["bad.ron:2:", "`seed` is given twice"]),
        ("seed: 5", "seed: -5", &["bad.ron:2:"]),
        ("seed: 5", "seed: 99999999999999999999999", &["bad.ron:2:"]),
        ("steps: 3, ", "", &["`steps` is missing"]),
        ("student: \"student\", ", "", &["`student` is missing"]),
        ("\"UniOpd\"", "\"UniOdp\"", &["did you mean `UniOpd`?"]),
        ("recipe: \"UniOpd\", ", "", &["`recipe` is missing"]),
        ("Run(", "Runs(", &["bad.ron:1:", "`Runs` does not belong here"]),
        ("batch: 2", "batch: 2.5", &["bad.ron:2:"]),
        ("batch: 2", "batch: 0", &["`batch`", "at least 1"]),
        ("batch: 2", "batch: 18446744073709551615", &["`batch`", "at most"]),
        ("group_size: 3", "group_size: 0", &["bad.ron:8:", "`rollout.group_size`"]),
        ("group_size: 3", "group_size: 1", &["`rollout.group_size`", "at least 2"]),
        ("group_size: 3", "group_size: 9223372036854775807", &["`rollout.group_size`", "at most"]),
        ("max_response_tokens: 8", "max_response_tokens: 0", &["`rollout.max_response_tokens`"]),
        ("samples: 2", "samples: 4294967295", &["`data.samples`", "at most"]),
        ("samples: 2", "temperature: inf", &["`data.temperature`"]),
        ("samples: 2", "target: Quantile(NaN)", &["`data.target`"]),
        ("samples: 2", "max_copies: Some(0)", &["`data.max_copies`"]),
        ("per_level: 4", "per_level: 0", &["`per_level`"]),
        ("per_level: 4", "per_level: 18446744073709551615", &["`per_level`"]),
        ("(2, 2), per_level: 4", "(2, 99), per_level: 4", &["`levels`"]),
        ("per_level: 4", "per_level: 4, domains: [\"law\"]", &["\"law\"", "`math` or `code`"]),
        ("per_level: 4", "per_level: 4, hinted: NaN", &["`hinted`"]),
        ("\"student\", teachers", "\"nowhere\", teachers", &["`student`", "nothing at nowhere"]),
        ("\"math\": \"math\", ", "", &["declares the teacher `math`"]),
        ("{\"math\"", "{\"law\": \"math\", \"math\"", &["no teacher `law`"]),
        ("split: HeldOut", "split: Heldout", &["did you mean `HeldOut`?"]),
        ("set: (", "set: ((", &["bad.ron:"]),
        (")\n", ")\n)", &["bad.ron:"]),
    ] {
        bench.run_with("bad.ron", &[(from, to)]);
        let said = bench.limbeck(&["train", "bad.ron", "--out", "new"]);
        let refused = std::panic::catch_unwind(|| said.refused(2, words));
        wrong.extend(refused.err().map(|_| (from, to)));
        assert!(!bench.path("new").exists(), "{from} → {to} left a run directory");
    }
    assert!(wrong.is_empty(), "{wrong:?}");
    let elsewhere: [(&str, Vec<u8>); 5] = [
        ("empty", Vec::new()),
        ("binary", (0..=255).collect()),
        ("zeros", vec![0; 4096]),
        ("deep", "(".repeat(100_000).into_bytes()),
        ("half", RUN.as_bytes()[..RUN.len() / 2].to_vec()),
    ];
    for (name, bytes) in elsewhere {
        bench.write("bad.ron", &bytes);
        for verb in ["train", "check", "eval"] {
            bench.limbeck(&[verb, "bad.ron"]).refused(2, &["bad.ron"]);
        }
        assert!(!bench.path("runs").exists(), "{name}");
    }
    // relative paths lead from the run file, wherever the command is called
    let from = bench.path("math");
    common::limbeck_in(&from, &["train", "../run.ron", "--dry-run", "--quiet"]).good();
}

/// Model folders that are wrong in one place.
/// A GPU that this program was not built for: found before anything is made, by every verb that would use it.
#[test]
fn devices() {
    let bench = Bench::new();
    bench.run_with("gpu.ron", &[("steps: 3", "device: Cuda(0), steps: 3")]);
    let words = ["`device`", "cannot use GPU 0", "cargo build --release --features cuda"];
    bench.limbeck(&["train", "gpu.ron", "--out", "out"]).refused(2, &words);
    bench.limbeck(&["train", "run.ron", "--out", "out", "--set", "device=Cuda(0)"]).refused(2, &words);
    bench.limbeck(&["bench", "--device", "cuda", "--verify"]).refused(2, &words);
    let looked = bench.limbeck(&["check", "gpu.ron"]);
    assert!(looked.code == Some(2) && words.iter().all(|word| looked.err.contains(word)), "{}", looked.err);
    let named = bench.limbeck(&["train", "run.ron", "--out", "out", "--set", "device=Tpu(1)"]);
    named.refused(2, &["did you mean `Cpu`?", "The values are: Cpu, Cuda"]);
    let set = |words: &[&'static str]| -> Vec<&'static str> {
        let set = words.iter().flat_map(|word| ["--set", *word]);
        ["train", "run.ron", "--out", "out", "--quiet"].into_iter().chain(set).collect()
    };
    for precision in ["precision=F16", "precision=Tf32"] {
        let words = ["`precision`", "on the CPU all numbers are f32", "device: Cuda(0)"];
        bench.limbeck(&set(&[precision])).refused(2, &words);
    }
    bench.limbeck(&set(&["precision=F16", "device=Cuda(0)"])).refused(2, &words);
    bench.limbeck(&set(&["precision=F61"])).refused(2, &["did you mean `F16`?", "F32, Tf32, F16"]);
    bench.limbeck(&["bench", "--device", "cuda", "--verify", "--f16"]).refused(2, &words);
    assert!(!bench.path("out").exists());
    bench.limbeck(&set(&["device=Cpu", "precision=F32"])).good();
}

#[test]
fn model_folders() {
    let bench = Bench::new();
    let weights = std::fs::read(bench.path("student/model.safetensors")).unwrap();
    let config = bench.read("student/config.json");
    let not_a_number = {
        let mut bytes = weights.clone();
        let end = bytes.len();
        bytes[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
        bytes
    };
    let wide = config.replace("\"hidden_size\": 16", "\"hidden_size\": 32");
    assert_ne!(wide, config);
    let tokenizer = bench.read("student/tokenizer.json");
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("model.safetensors", weights[..weights.len() - 9].to_vec(), "model.safetensors"),
        ("model.safetensors", weights[..5].to_vec(), "model.safetensors"),
        ("model.safetensors", Vec::new(), "model.safetensors"),
        ("model.safetensors", vec![0xff; 100], "model.safetensors"),
        ("model.safetensors", not_a_number, "not finite"),
        ("config.json", wide.into_bytes(), "shape"),
        ("config.json", b"{".to_vec(), "config.json"),
        ("config.json", b"[]".to_vec(), "config.json"),
        ("config.json", config.replace("\"llama\"", "\"gpt9\"").into_bytes(), "gpt9"),
        (
            "config.json",
            config.replace("\"num_hidden_layers\": 1", "\"num_hidden_layers\": 4000000000").into_bytes(),
            "num_hidden_layers",
        ),
        (
            "config.json",
            config
                .replace("\"num_attention_heads\": 4", "\"num_attention_heads\": 9223372036854775807")
                .into_bytes(),
            "config.json",
        ),
        ("config.json", config.replace("\"vocab_size\": 32", "\"vocab_size\": 8").into_bytes(), "8"),
        ("tokenizer.json", b"{}".to_vec(), "tokenizer.json"),
        ("tokenizer.json", tokenizer.as_bytes()[..tokenizer.len() / 2].to_vec(), "tokenizer.json"),
    ];
    for (file, bytes, word) in cases {
        bench.copy("student", "damaged");
        bench.write(&format!("damaged/{file}"), bytes);
        bench.limbeck(&["score", "--model", "damaged", "--text", "^m4*5>"]).refused(2, &[word]);
        bench.run_with("bad.ron", &[("\"code\": \"code\"", "\"code\": \"damaged\"")]);
        bench.limbeck(&["train", "bad.ron", "--out", "new"]).refused(2, &[word]);
    }
    for file in ["config.json", "tokenizer.json", "model.safetensors"] {
        bench.copy("student", "damaged");
        std::fs::remove_file(bench.path("damaged").join(file)).unwrap();
        bench.limbeck(&["score", "--model", "damaged", "--text", "^m4*5>"]).refused(2, &[file]);
    }
    // a teacher with a vocabulary of its own
    bench.copy("student", "damaged");
    bench.write("damaged/tokenizer.json", tokenizer.replace("\"^\"", "\"~\""));
    bench.run_with("bad.ron", &[("\"code\": \"code\"", "\"code\": \"damaged\"")]);
    bench
        .limbeck(&["train", "bad.ron", "--out", "new"])
        .refused(2, &["speaks another vocabulary", "teachers.code"]);
    assert!(!bench.path("new").exists());
}

/// Data that is wrong leaves no run directory, in training rows as in held-out ones.
#[test]
fn data() {
    let bench = Bench::new();
    let good = r#"{"prompt": "^m4*5>", "domain": "math"}"#;
    let tasks = "tasks: (levels: (2, 2), per_level: 4, seed: 3)";
    let eval = "eval: (tasks: (levels: (2, 2), per_level: 3, split: HeldOut))";
    bench.run_with("bad.ron", &[(tasks, "data: \"d.jsonl\"")]);
    bench.run_with("held.ron", &[(eval, "eval: (data: \"d.jsonl\")")]);
    for (bytes, words) in [
        (Vec::new(), &["no rows"][..]),
        (format!("{good}\n{}", &good[..20]).into_bytes(), &["d.jsonl:2:"]),
        (
            format!("{good}\n{}", good.replace("\"math\"", "7")).into_bytes(),
            &["d.jsonl:2:", "`domain` is a number"],
        ),
        (format!("{good}\n{{\"domain\": \"math\"}}").into_bytes(), &["d.jsonl:2:", "`prompt` is missing"]),
        ([good.as_bytes(), b"\n\xff\xff"].concat(), &["d.jsonl:2:", "not UTF-8"]),
        (
            format!("{0}\n{0}", good.replace('}', ", \"id\": 7}")).into_bytes(),
            &["d.jsonl:2:", "already the id of line 1"],
        ),
        (good.replace("^m4*5>", &"^".repeat(128)).into_bytes(), &["row 1", "128 tokens", "context is 128"]),
    ] {
        bench.write("d.jsonl", bytes);
        for run in ["bad.ron", "held.ron"] {
            bench.limbeck(&["train", run, "--out", "new"]).refused(2, words);
            assert!(!bench.path("new").exists());
        }
    }
    bench.write("d.jsonl", good.replace("math", "law"));
    bench.limbeck(&["train", "bad.ron", "--out", "new"]).refused(2, &["nobody teaches the domain `law`"]);

    // what is not in the task's language cannot be judged: counted, said, and never wrong
    bench.write("d.jsonl", "{\"prompt\": \"45\", \"domain\": \"math\"}\n".repeat(3));
    let said = bench.limbeck(&["train", "bad.ron", "--out", "new", "--json"]).good();
    assert!(said.err.contains("6 responses could not be judged"), "{}", said.err);
    let line: serde_json::Value =
        serde_json::from_str(bench.read("new/metrics.jsonl").lines().next().unwrap()).unwrap();
    assert_eq!((line["verify_failures"].clone(), line["reward"].is_null()), (6.0.into(), true), "{line}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is done to a run file, it is read or refused at a place in it.
    #[test]
    fn a_damaged_run_file_is_read_or_refused(
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0usize..12, "[-a-zA-Z0-9 (){}:,.\"\\[\\]]{0,6}"), 1..4),
    ) {
        let mut text: Vec<char> = RUN.chars().collect();
        for (at, length, put) in cuts {
            let from = at.index(text.len() + 1);
            let to = (from + length).min(text.len());
            text.splice(from..to, put.chars());
        }
        let text: String = text.into_iter().collect();
        match limbeck::run::read_for(UNI_OPD, &text, "run.ron") {
            Ok(file) => drop(file.faults("run.ron")),
            Err(why) => prop_assert!(why.to_string().starts_with("run.ron:"), "{}", why),
        }
        if let Err(why) = limbeck::run::recipe_of(&text, "run.ron") {
            prop_assert!(why.to_string().starts_with("run.ron:"), "{}", why);
        }
    }

    /// `--set` too, whatever its words.
    #[test]
    fn any_word_after_set_is_taken_or_refused(word in "[a-z_.]{0,14}=?[-a-zA-Z0-9 (){}:,.\"]{0,14}") {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "{\"prompt\": \"p\", \"student\": [-1.0], \"teacher\": [-0.5]}").unwrap();
        if let Err(why) = limbeck::run::replay(UNI_OPD, file.path(), &[word], 0) {
            prop_assert_eq!(why.exit_code(), 2);
        }
    }

    /// Data rows and recordings with damage anywhere.
    #[test]
    fn damaged_lines_are_read_or_refused(
        at in any::<prop::sample::Index>(), length in 0usize..9, put in prop::collection::vec(any::<u8>(), 0..5),
        rows in any::<bool>(),
    ) {
        let said = match rows {
            true => "\"tokens\": [1], \"logits\": {\"student\": [[0.5, -1.0]], \"teacher\": [[0, 2e0]]}",
            false => "\"student\": [-1.0], \"teacher\": [-0.5]",
        };
        let row = format!("{{\"prompt\": \"^m4*5>\", \"domain\": \"math\", \"level\": 2, \"id\": \"a\", {said}}}\n");
        let mut bytes = row.repeat(2).replacen("\"a\"", "\"b\"", 1).into_bytes();
        let from = at.index(bytes.len());
        let to = (from + length).min(bytes.len());
        bytes.splice(from..to, put);
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&bytes).unwrap();
        if let Err(why) = read_jsonl(file.path()) {
            prop_assert_eq!(why.exit_code(), 2);
        }
        if let Err(why) = limbeck::replay::Recorded::read(&bytes[..], "r.jsonl", 0) {
            prop_assert!(why.to_string().starts_with("r.jsonl"), "{}", why);
        }
    }
}

/// Damage anywhere in a model folder is read or refused, and never more.
#[test]
fn damaged_model_files_are_read_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    model(folder.path(), "m", 1, &[]);
    let path = folder.path().join("m");
    let mut seed = 1u64;
    let mut dice = |n: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % n
    };
    for name in ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"] {
        let good = std::fs::read(path.join(name)).unwrap();
        for _ in 0..150 {
            let mut bytes = good.clone();
            for _ in 0..1 + dice(3) {
                let at = dice(bytes.len().min(2000));
                match dice(3) {
                    0 => bytes[at] = dice(256) as u8,
                    1 => bytes.truncate(at + 1),
                    _ => drop(bytes.splice(at..at, [b'9'; 3])),
                }
            }
            std::fs::write(path.join(name), bytes).unwrap();
            if let Err(why) = Policy::load("m", &path, &limbeck::tensor::Cpu::default()) {
                assert_eq!(why.exit_code(), 2, "{why}");
            }
        }
        std::fs::write(path.join(name), good).unwrap();
    }
}
