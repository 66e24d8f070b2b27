//! One recipe, two worlds: sizes from the files, and sizes as types. The same bits come out.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use limbeck::models::{Decoder, Family, ModelConfig, WeightType};
use limbeck::prelude::*;
use limbeck::run::{Run, RunDirectory};
use limbeck::tasks::{generate, TaskSpec};
use limbeck::tensor::Cpu;
use limbeck::world::architectures::{
    Llama3_2_1B, Qwen2_5_0_5B, Qwen2_5_1_5B, Qwen3_0_6B, Qwen3_1_7B, Qwen3_4B, Qwen3_8B, SmolLm2_135M,
};
use limbeck::world::tokenizer::Tokenizer;
use limbeck::world::{Architecture, FromFiles, Pinned, Policy, Speaks, Vocabulary, World};

limbeck::architecture! {
    /// Speaks the tokens of the built-in tasks.
    Small: vocabulary Tasks = 32, hidden 16, layers 1, heads 2, kv_heads 1
}
limbeck::architecture! {
    /// As `Small`, and twice as deep.
    Deep: vocabulary Tasks, hidden 16, layers 2, heads 2, kv_heads 1
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
        vision: None,
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

/// The parameters of a decoder whose head is its table, but for biases and norms: near what its name says.
fn millions<A: Architecture>(inner: usize, head: usize, tied: bool) -> f64 {
    let tables = A::Vocabulary::SIZE * A::HIDDEN * if tied { 1 } else { 2 };
    let attention = 2 * A::HIDDEN * head * (A::HEADS + A::KV_HEADS);
    (tables + A::LAYERS * (attention + 3 * A::HIDDEN * inner)) as f64 / 1e6
}

#[test]
fn the_named_sizes_have_the_parameters_their_makers_count() {
    // width of the feed-forward block and of a head, whether tied, and the millions in the model's card
    let counted = [
        (millions::<SmolLm2_135M>(1536, 64, true), 134.5),
        (millions::<Qwen2_5_0_5B>(4864, 64, true), 494.0),
        (millions::<Qwen2_5_1_5B>(8960, 128, true), 1543.7),
        (millions::<Qwen3_0_6B>(3072, 128, true), 596.0),
        (millions::<Qwen3_1_7B>(6144, 128, true), 1720.6),
        (millions::<Qwen3_4B>(9728, 128, true), 4022.5),
        (millions::<Qwen3_8B>(12288, 128, false), 8190.7),
        (millions::<Llama3_2_1B>(8192, 64, true), 1235.8),
    ];
    for (found, published) in counted {
        assert!((found / published - 1.0_f64).abs() < 2e-3, "{found} instead of {published} million");
    }
}

/// Compiles only where every teacher speaks the student's vocabulary.
fn can_teach<S: Architecture, T: Speaks<S::Vocabulary>>() -> (&'static str, usize, usize) {
    (S::NAME, S::Vocabulary::SIZE, T::SHAPES.len())
}

#[test]
fn models_of_a_family_teach_each_other() {
    assert_eq!(can_teach::<Qwen3_0_6B, (Qwen3_8B, Qwen3_4B)>(), ("Qwen3_0_6B", 151_936, 2));
    assert_eq!(can_teach::<Qwen2_5_0_5B, (Qwen2_5_1_5B,)>(), ("Qwen2_5_0_5B", 151_936, 1));
    assert_eq!(can_teach::<SmolLm2_135M, (SmolLm2_135M,)>(), ("SmolLm2_135M", 49_152, 1));
}
