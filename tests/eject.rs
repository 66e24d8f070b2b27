//! The way out: what `limbeck show` prints compiles against `limbeck` alone, and trains bit for bit as the recipe.
//!
//! `eject/` holds what it prints for every recipe. After a change of a recipe or of the generated loop:
//! `LIMBECK_WRITE=1 cargo test --test eject`, twice, for the second run compiles what the first wrote.

mod common;

use std::path::{Path, PathBuf};

use common::Bench;
use limbeck::run::{replay, train, TrainOptions};
use limbeck::tasks::{generate, TaskSpec};
use limbeck::world::rows::write_jsonl;
use limbeck::{Entry, Recipe};

macro_rules! ejected {
    ($($file:ident: $recipe:ident,)*; $($fork_file:ident: $fork:ident,)*) => {
        /// What `limbeck show` printed, compiled.
        #[rustfmt::skip]
        mod eject {
            $(pub mod $file;)*
            $(pub mod $fork_file;)*
        }

        $(
            #[test]
            fn $file() {
                printed::<limbeck_recipes::$recipe>(stringify!($file));
                same::<limbeck_recipes::$recipe, eject::$file::$recipe>();
            }
        )*

        $(
            #[test]
            fn $fork_file() {
                printed::<limbeck_recipes::ablations::$fork>(stringify!($fork_file));
                same::<limbeck_recipes::ablations::$fork, eject::$fork_file::$fork>();
            }
        )*

        #[test]
        fn every_recipe_is_here() {
            let here = [$(stringify!($recipe)),*];
            let listed: Vec<_> = limbeck_recipes::ALL.iter().map(Entry::name).collect();
            assert_eq!(here[..], listed[..]);
        }
    };
}

ejected! {
    vanilla_opd: VanillaOpd,
    vanilla_opd_single: VanillaOpdSingle,
    uni_opd: UniOpd,
    uni_opd_single: UniOpdSingle,
    uni_opd_greedy_mask: UniOpdGreedyMask,
    uni_opd_cross_modal: UniOpdCrossModal,
    uni_opd_strong_to_weak: UniOpdStrongToWeak,
    ex_opd: ExOpd,
    full_vocab_opd: FullVocabOpd,
    gkd: Gkd,
    eopd: Eopd,
    tip: Tip,
    reopold: Reopold,
    va_opd: VaOpd,
    dopd: Dopd,
    dopd_vision: DopdVision,
    hinted_teacher: HintedTeacher,
    hinted_student: HintedStudent,
    hinted_both: HintedBoth,
    opsd: Opsd,
    sdpo: Sdpo,
    vision_opd: VisionOpd,
    sdft: Sdft,
    opcd: Opcd,
    grpo: Grpo,
    sft: Sft,
    ; // ablations, which are forks, one of them of a fork: the others are made of the same words
    no_calibration: NoCalibration,
    answer_for_hints: AnswerForHints,
    equal_jsd_full: EqualJsdFull,
    equal_reverse_full: EqualReverseFull,
    prune_random: PruneRandom,
}

/// The file in `eject/` is what the recipe says today.
fn printed<R: Recipe>(file: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/eject/{file}.rs"));
    if std::env::var_os("LIMBECK_WRITE").is_some() {
        std::fs::write(&path, R::EJECTED).unwrap();
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(there == R::EJECTED, "{file}.rs is of another day: LIMBECK_WRITE=1 cargo test --test eject");
    assert!(!there.contains("limbeck_") && !there.contains("#[recipe]"));
}

/// The recipe and its ejected twin declare the same, decide the same and train to the same bits.
fn same<R: Recipe, E: Recipe>() {
    assert_eq!(E::PLAN.to_ron(), R::PLAN.to_ron());
    assert_eq!((E::NAME, E::DOC), (R::NAME, R::DOC));
    assert_eq!(E::DEFAULT.faults(), []);
    assert!(E::LOOP.contains("impl Recipe for"), "the run directory keeps the file itself");

    let bench = Bench::new();
    rows::<R>(&bench);
    let (out, file) = (|who: &str| Some(bench.path(who)), bench.path("any.ron"));
    let teachers: Vec<String> = (R::PLAN.from_folders())
        .map(|name| format!("\"{name}\": \"{}\"", asset(if name == "code" { "code" } else { "math" })))
        .collect();
    bench.write(
        "any.ron",
        RUN.replace("RECIPE", R::NAME)
            .replace("STUDENT", &asset("start"))
            .replace("TEACHERS", &teachers.join(", ")),
    );
    let short = "rollout.max_response_tokens";
    let speaks = (R::PLAN.settings("rollout").iter()).any(|setting| short.ends_with(setting.name));
    let set = if speaks { vec![format!("{short}=16")] } else { Vec::new() };
    let options = |who: &str| {
        let (file, set, out) = (file.clone(), set.clone(), out(who));
        TrainOptions { file, set, out, quiet: true, ..TrainOptions::default() }
    };
    train(&Entry::of::<R>(), &options("declared")).unwrap_or_else(|why| panic!("{why}"));
    train(&Entry::of::<E>(), &options("ejected")).unwrap_or_else(|why| panic!("{why}"));
    assert_eq!(numbers(&bench, "declared"), numbers(&bench, "ejected"));
    assert_eq!(numbers(&bench, "declared").len(), 2);
    let weights =
        |who: &str| std::fs::read(bench.path(who).join("checkpoints/step-000002/student/model.safetensors"));
    assert!(weights("declared").unwrap() == weights("ejected").unwrap());
    assert!(
        weights("ejected").unwrap()
            != std::fs::read(Path::new(&asset("start")).join("model.safetensors")).unwrap()
    );
    assert!(bench.read("ejected/loop.rs").ends_with(&format!("{}\n", E::LOOP)));

    let recorded = bench.path("recorded.jsonl");
    let decided = |entry: &Entry| replay(entry, &recorded, &[], 1).map(|said| said.to_json_lines());
    match (decided(&Entry::of::<R>()), decided(&Entry::of::<E>())) {
        (Ok(declared), Ok(ejected)) => assert_eq!(declared, ejected),
        (declared, ejected) => {
            let said = |why: limbeck::Result<String>| why.map_err(|why| why.to_string());
            assert_eq!(said(declared), said(ejected));
        }
    }
}

const RUN: &str = r#"Run(
    recipe: "RECIPE", seed: 5, steps: 2, batch: 2, micro_batch: 3,
    student: "STUDENT", teachers: {TEACHERS}, data: "rows.jsonl",
    privileged: Before(mark: ">", lead: "?"),
)
"#;

/// A small trained model, which is right at times.
fn asset(name: &str) -> String {
    format!("{}/examples/assets/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// Rows with all that any teacher reads, and a recording with all that any recipe needs.
fn rows<R: Recipe>(bench: &Bench) {
    let spec = TaskSpec { levels: (2, 3), per_level: 3, worked: 1.0, ..TaskSpec::default() };
    let mut rows = generate(&spec).unwrap();
    let seen = R::PLAN.teachers.iter().any(|teacher| teacher.name == "scene");
    for row in &mut rows {
        if seen && row.domain == "math" {
            row.domain = "scene".to_string();
        }
        let prompt = row.prompt.plain().unwrap().to_string();
        let (hints, worked) = (row.columns["hints"].clone(), row.reference.clone().unwrap_or_default());
        for (column, text) in [
            ("evidence", &hints),
            ("boxes", &hints),
            ("experience", &worked),
            ("pixelated", &prompt),
            ("hints", &hints),
        ] {
            row.columns.insert(column.to_string(), text.clone());
        }
    }
    write_jsonl(bench.path("rows.jsonl"), &rows).unwrap();
    let row = "[[0.5, -1.0, 0.25], [1.5, 0.0, -0.5]]";
    let other = "[[-0.5, 0.75, 0.1], [0.5, 1.0, -1.5]]";
    let line = |correct: &str, student: &str, teacher: &str| {
        format!(
            "{{\"prompt\": \"p\", \"domain\": \"math\", \"correct\": {correct}, \"tokens\": [0, 2], \"logits\": \
             {{\"student\": {student}, \"teacher\": {teacher}, \"hinted_student\": {student}, \
             \"hinted_teacher\": {teacher}, \"reference\": {student}}}}}\n"
        )
    };
    bench.write("recorded.jsonl", line("true", row, other) + &line("false", other, row));
}

/// Every number of every step but the times.
fn numbers(bench: &Bench, run: &str) -> Vec<serde_json::Map<String, serde_json::Value>> {
    let path: PathBuf = [run, "metrics.jsonl"].iter().collect();
    let text = bench.read(path.to_str().unwrap());
    let lines = text.lines().map(|line| {
        let mut numbers: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line).unwrap();
        numbers.retain(|name, _| {
            !name.ends_with("_time") && !["hash", "tokens_per_second"].contains(&name.as_str())
        });
        numbers
    });
    lines.collect()
}
