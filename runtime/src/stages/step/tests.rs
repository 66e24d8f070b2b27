//! Losses that are scaled: the same bits, and what is done about a scale that is too large.

use std::path::Path;
use std::sync::Arc;

use crate::capability::Signal;
use crate::error::{Error, Result};
use crate::models::{Decoder, LossScale};
use crate::prelude::*;
use crate::real::Real;
use crate::run::{Report, Run, RunDirectory};
use crate::stages::loss::row::StudentRow;
use crate::stages::loss::{Loss, TokenLoss};
use crate::tasks::{generate, TaskSpec};
use crate::tensor::Cpu;
use crate::world::tokenizer::Tokenizer;
use crate::world::{AnyVocabulary, Policy, World};
use crate::Settings;

/// `−log s(y_t)` with a gradient that is so many times too long.
#[derive(Clone, Debug, Settings)]
struct Steep {
    #[setting(default = 1.0)]
    slope: f64,
}

impl<S: Signal> Loss<S> for Steep {
    const WHOLE_ROWS: bool = false;

    fn token<R: Real>(&self, _: &S, _: usize, _: usize, student: &mut StudentRow<'_, R>) -> TokenLoss {
        student.push_log_prob(R::of(-self.slope));
        TokenLoss { loss: -student.log_prob().f64(), ..TokenLoss::default() }
    }
}

#[recipe]
struct Scaled {
    #[teacher]
    teacher: Frozen,

    data: Prompts,
    #[with(group_size = 2, max_response_tokens = 6)]
    rollout: Sample,
    score: SampledToken,
    loss: Steep,
    #[with(lr = 1e-2)]
    step: AdamW,
}

struct Pair {
    student: Policy<Cpu>,
    teacher: Policy<Cpu>,
}

impl World for Pair {
    type Device = Cpu;
    type Vocabulary = AnyVocabulary;

    fn student(&self) -> &Policy<Cpu> {
        &self.student
    }

    fn student_mut(&mut self) -> &mut Policy<Cpu> {
        &mut self.student
    }

    fn seated(&self) -> Vec<(&str, &Policy<Cpu>)> {
        vec![("teacher", &self.teacher)]
    }

    fn teacher(&self, _: &str) -> Result<&Policy<Cpu>> {
        Ok(&self.teacher)
    }
}

fn pair(scale: Option<LossScale>) -> Pair {
    let tokenizer = Arc::new(Tokenizer::tasks().unwrap());
    let mut config = crate::models::tests::tiny();
    (config.vocab_size, config.max_position_embeddings) = (tokenizer.vocab_size(), 128);
    let policy = |seed| {
        let decoder = Decoder::random(&config, seed, &Cpu::default()).unwrap();
        Policy { name: "a model".to_string(), decoder, tokenizer: Arc::clone(&tokenizer) }
    };
    let (mut student, teacher) = (policy(1), policy(2));
    student.decoder.scale_losses(scale);
    Pair { student, teacher }
}

fn run(steps: u64) -> Run {
    let rows = generate(&TaskSpec { levels: (2, 2), per_level: 8, ..TaskSpec::default() }).unwrap();
    let mut run = Run::new(rows, steps, 3);
    run.micro_batch = 4;
    run
}

fn train(slope: f64, run: &Run, pair: &mut Pair) -> Result<Report> {
    let mut recipe = Scaled::DEFAULT;
    recipe.loss.slope = slope;
    recipe.train(run, pair)
}

fn weights(pair: &Pair) -> Vec<u32> {
    let parameters = pair.student.decoder.parameters().iter();
    parameters.flat_map(|parameter| parameter.to_host()).map(f32::to_bits).collect()
}

#[test]
fn a_scale_that_is_divided_out_again_changes_no_bit() {
    let (mut plain, mut scaled) = (pair(None), pair(Some(LossScale::default())));
    let before = weights(&plain);
    let expected = train(1.0, &run(4), &mut plain).unwrap();
    let found = train(1.0, &run(4), &mut scaled).unwrap();
    assert_ne!(before, weights(&plain), "nothing was learnt");
    assert_eq!(weights(&plain), weights(&scaled));
    for ((_, expected), (_, found)) in expected.metrics.iter().zip(&found.metrics) {
        for name in ["loss", "grad_norm", "lr"] {
            assert_eq!(expected.get(name), found.get(name), "{name}");
        }
        assert_eq!((expected.get("loss_scale"), expected.get("skipped_steps")), (None, None));
        assert_eq!((found.get("loss_scale"), found.get("skipped_steps")), (Some(65536.0), Some(0.0)));
    }
}

/// So steep that gradients are infinite at a scale of 2^14, and finite at 2^13.
const STEEP: f64 = 2e33;
const STEPS: u64 = 8;

/// Trains into `out`, from the checkpoint after step `from` where there is one, in a world that knows nothing of it.
fn steep(out: &Path, from: Option<u64>) -> (Run, Pair, Report) {
    let directory = match from {
        None => RunDirectory::create(Some(out), "unused").unwrap(),
        Some(_) => RunDirectory::existing(out).unwrap(),
    };
    let mut run = run(STEPS).saved_in(directory, 2);
    run.checkpoint = from.map(|step| out.join(format!("checkpoints/step-{step:06}")));
    let mut pair = pair(Some(LossScale::default()));
    let report = train(STEEP, &run, &mut pair).unwrap();
    (run, pair, report)
}

#[test]
fn the_scale_is_halved_until_the_gradient_is_finite_and_a_checkpoint_knows_it() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let (run, pair, report) = steep(&out, None);
    let of = |name: &str| -> Vec<Option<f64>> {
        report.metrics.iter().map(|(_, metrics)| metrics.get(name)).collect()
    };
    let scales = [65536.0, 32768.0, 16384.0, 8192.0, 8192.0, 8192.0, 8192.0, 8192.0];
    assert_eq!(of("loss_scale"), scales.map(Some));
    assert_eq!(of("skipped_steps"), [1.0, 2.0, 3.0, 3.0, 3.0, 3.0, 3.0, 3.0].map(Some));
    let moved = |norm: &Option<f64>| norm.is_some_and(f64::is_finite);
    assert_eq!(of("grad_norm").iter().map(moved).collect::<Vec<_>>(), scales.map(|scale| scale == 8192.0));

    let bytes = |step: u64, name: &str| {
        std::fs::read(out.join(format!("checkpoints/step-{step:06}/{name}"))).unwrap()
    };
    let weights = "student/model.safetensors";
    assert_ne!(bytes(2, weights), bytes(4, weights));
    let state = String::from_utf8(bytes(2, "state.json")).unwrap();
    let state: serde_json::Value = serde_json::from_str(&state).unwrap();
    let kept = serde_json::json!({"scale": 16384.0, "good": 0, "skipped": 2});
    assert_eq!((&state["loss_scale"], &state["updates"]), (&kept, &0.into()));
    // two steps moved nothing
    let untouched = self::pair(None);
    untouched.student.save(&folder.path().join("start"), crate::models::WeightType::F32).unwrap();
    assert_eq!(bytes(2, weights), std::fs::read(folder.path().join("start/model.safetensors")).unwrap());

    // a server that is lost now finds all eight steps finished, the skipped ones too
    let lost = run.rescue(Error::lost("gone"), &pair).to_string();
    assert!(lost.contains("the state after step 8 is saved"), "{lost}");

    let all = || ["optimizer.safetensors", "state.json", weights].map(|name| bytes(STEPS, name));
    let before = all();
    let (_, _, again) = steep(&out, Some(2));
    assert_eq!(all(), before);
    for name in ["loss_scale", "skipped_steps", "grad_norm", "loss"] {
        let resumed: Vec<_> = again.metrics.iter().map(|(_, metrics)| metrics.get(name)).collect();
        assert_eq!(resumed, of(name)[2..], "{name}");
    }
}

#[test]
fn a_gradient_that_no_scale_helps_is_an_error_and_the_batch_is_saved() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let mut pair = pair(Some(LossScale::starting_at(2)));
    let before = weights(&pair);
    let run = run(STEPS).saved_in(RunDirectory::create(Some(&out), "unused").unwrap(), 0);
    let why = train(f64::INFINITY, &run, &mut pair).unwrap_err().to_string();
    assert!(why.contains("the gradient is not finite, and the loss scale is 1 already"), "{why}");
    assert!(why.contains("failed-batch.jsonl") && out.join("failed-batch.jsonl").is_file(), "{why}");
    let metrics = std::fs::read_to_string(out.join("metrics.jsonl")).unwrap();
    assert_eq!(metrics.lines().count(), 2, "skipped at 4 and at 2");
    assert_eq!(before, weights(&pair));
}
