//! One recipe, two worlds: sizes from the files, and sizes as types. The same bits come out.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use limbeck::models::{Decoder, Family, ModelConfig, WeightType};
use limbeck::prelude::*;
use limbeck::run::{Run, RunDirectory};
use limbeck::tasks::{generate, TaskSpec};
use limbeck::tensor::Cpu;
use limbeck::world::tokenizer::Tokenizer;
use limbeck::world::{Architecture, FromFiles, Pinned, Policy, Vocabulary, World};

/// The tokens of the built-in tasks.
struct Tasks;

impl Vocabulary for Tasks {
    const SIZE: usize = 32;
    const NAME: &'static str = "the built-in tasks";
}

struct Small;

impl Architecture for Small {
    type Vocabulary = Tasks;
    const NAME: &'static str = "Small";
    const HIDDEN: usize = 16;
    const LAYERS: usize = 1;
    const HEADS: usize = 2;
    const KV_HEADS: usize = 1;
}

/// As `Small`, and twice as deep.
struct Deep;

impl Architecture for Deep {
    type Vocabulary = Tasks;
    const NAME: &'static str = "Deep";
    const HIDDEN: usize = 16;
    const LAYERS: usize = 2;
    const HEADS: usize = 2;
    const KV_HEADS: usize = 1;
}

#[recipe]
struct TwoSteps {
    #[teacher(domain = Domain::Math)]
    math: Frozen,
    #[teacher(domain = Domain::Code)]
    code: Frozen,

    data: Prompts,
    #[with(group_size = 2, max_response_tokens = 8)]
    rollout: Sample,
    verify: TaskAnswer,
    score: FullVocab,
    #[with(tail = Tail::Bucket)]
    loss: ReverseKl<TopK<32>>,
    #[with(lr = 1e-2)]
    step: AdamW,
}

limbeck::fits!(TwoSteps, Pinned<Small, (Small, Deep)>);

fn make(folder: &Path, layers: usize, seed: u64) {
    let tokenizer = Tokenizer::tasks().unwrap();
    let config = ModelConfig {
        family: Family::Llama,
        hidden_size: 16,
        intermediate_size: 32,
        num_hidden_layers: layers,
        num_attention_heads: 2,
        num_key_value_heads: 1,
        head_dim: 8,
        vocab_size: tokenizer.vocab_size(),
        max_position_embeddings: 256,
        rope_theta: 10_000.0,
        rope_scaling: Default::default(),
        rms_norm_eps: 1e-5,
        tie_word_embeddings: true,
        attention_bias: false,
        bos_token_id: None,
        eos_token_id: tokenizer.eos().into_iter().collect(),
        pad_token_id: tokenizer.pad(),
        generation: None,
        other: Default::default(),
    };
    let decoder = Decoder::random(&config, seed, &Cpu::default()).unwrap();
    let policy = Policy { name: "model".to_string(), decoder, tokenizer: Arc::new(tokenizer) };
    policy.save(folder, WeightType::F32).unwrap();
}

/// A student and two teachers, the second of which is deeper.
fn open(folder: &Path) -> FromFiles<Cpu> {
    let mut teachers: BTreeMap<String, PathBuf> = BTreeMap::new();
    for (name, layers, seed) in [("student", 1, 1), ("math", 1, 2), ("code", 2, 3)] {
        make(&folder.join(name), layers, seed);
        if name != "student" {
            teachers.insert(name.to_string(), folder.join(name));
        }
    }
    FromFiles::open(&TwoSteps::PLAN, &folder.join("student"), &teachers, &Cpu::default()).unwrap()
}

fn run() -> Run {
    let rows = generate(&TaskSpec { per_level: 4, ..TaskSpec::default() }).unwrap();
    let mut run = Run::new(rows, 2, 3);
    (run.seed, run.micro_batch) = (7, 4);
    run
}

fn weights<W: World>(world: &W) -> Vec<u32> {
    let parameters = world.student().decoder.parameters().iter();
    parameters.flat_map(|parameter| parameter.to_host()).map(f32::to_bits).collect()
}

#[test]
fn pinned_or_from_files_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let mut free = open(folder.path());
    let mut pinned = Pinned::<Small, (Small, Deep)>::new(open(folder.path())).unwrap();
    let before = weights(&free);
    assert_eq!(before, weights(&pinned));

    let one = TwoSteps::DEFAULT.train(&run(), &mut free).unwrap();
    let other = TwoSteps::DEFAULT.train(&run(), &mut pinned).unwrap();
    assert_eq!((one.steps, other.steps), (2, 2));
    assert_ne!(before, weights(&free), "nothing was learnt");
    assert_eq!(weights(&free), weights(&pinned));
}

#[test]
fn a_run_in_code_can_be_saved() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let mut world = open(folder.path());
    let directory = RunDirectory::create(Some(&out), "unused").unwrap();
    TwoSteps::DEFAULT.train(&run().saved_in(directory, 1), &mut world).unwrap();
    for file in ["metrics.jsonl", "checkpoints/step-000001/student/config.json"] {
        assert!(out.join(file).is_file(), "no {file}");
    }
    let kept = out.join("checkpoints/step-000002/student");
    let student = Policy::load("student", &kept, &Cpu::default()).unwrap();
    let saved: Vec<u32> =
        student.decoder.parameters().iter().flat_map(|p| p.to_host()).map(f32::to_bits).collect();
    assert_eq!(saved, weights(&world));
}

#[test]
fn files_of_another_size_are_refused_with_both_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let said = |error: Option<limbeck::Error>| error.map(|error| error.to_string()).unwrap_or_default();
    let student = said(Pinned::<Deep, (Small, Deep)>::new(open(folder.path())).err());
    assert!(student.contains("the `num_hidden_layers` of `student` is 1, and Deep has 2"), "{student}");
    assert!(student.contains("open them with `FromFiles`"), "{student}");
    let teacher = said(Pinned::<Small, (Small,)>::new(open(folder.path())).err());
    assert!(teacher.contains("the `num_hidden_layers` of `code` is 2, and Small has 1"), "{teacher}");
}
