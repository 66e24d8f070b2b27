//! Where the gradient of DOPD goes: through the student that reads the plain prompt, and nowhere else.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use limbeck::batch;
use limbeck::capability::{Signal, TwoVoices};
use limbeck::loops::Log;
use limbeck::models::{Decoder, Family, ModelConfig, Packed, WeightType};
use limbeck::prelude::*;
use limbeck::privileged::Placement;
use limbeck::run::Run;
use limbeck::signal::RegimeRows;
use limbeck::stages::data::Data;
use limbeck::stages::loss::dopd::{self, Target, Targets};
use limbeck::stages::loss::row::StudentRow;
use limbeck::stages::loss::top_k::Truncation;
use limbeck::stages::loss::Loss;
use limbeck::stages::rollout::Rollout;
use limbeck::stages::route::Route;
use limbeck::stages::score::Score;
use limbeck::tasks::{generate, TaskSpec};
use limbeck::tensor::{to_host, Cpu};
use limbeck::world::roster::Kind;
use limbeck::world::tokenizer::Tokenizer;
use limbeck::world::{FromFiles, Policy, World};

#[recipe]
struct Hinted {
    #[teacher(reads = StepHints)]
    teacher: Frozen,
    #[teacher(reads = StepHints)]
    hindsight: Own,

    data: Prompts,
    #[with(group_size = 3, max_response_tokens = 8)]
    rollout: Sample,
    score: FullVocab,
    route: AdvantageGap,
    loss: Routed,
    step: AdamW,
}

/// A small model whose logits are of some size.
fn make(folder: &Path, seed: u64) {
    let tokenizer = Tokenizer::tasks().unwrap();
    let config = ModelConfig {
        family: Family::Llama,
        hidden_size: 16,
        intermediate_size: 32,
        num_hidden_layers: 1,
        num_attention_heads: 2,
        num_key_value_heads: 1,
        head_dim: 8,
        vocab_size: tokenizer.vocab_size(),
        max_position_embeddings: 256,
        rope_theta: 10_000.0,
        rms_norm_eps: 1e-5,
        tie_word_embeddings: true,
        attention_bias: false,
        bos_token_id: None,
        eos_token_id: tokenizer.eos().into_iter().collect(),
        pad_token_id: tokenizer.pad(),
    };
    let mut decoder = Decoder::random(&config, seed, &Cpu::default()).unwrap();
    for parameter in decoder.parameters_mut() {
        if !parameter.name().contains("norm") {
            let livelier: Vec<f32> = parameter.to_host().iter().map(|w| 12.0 * w).collect();
            parameter.set(&livelier).unwrap();
        }
    }
    let policy = Policy { name: "model".to_string(), decoder, tokenizer: Arc::new(tokenizer) };
    policy.save(folder, WeightType::F32).unwrap();
}

fn weights(policy: &Policy<Cpu>) -> Vec<Vec<f32>> {
    policy.decoder.parameters().iter().map(|parameter| parameter.to_host()).collect()
}

/// The student, moved by `by` along `direction`.
fn moved(world: &mut FromFiles<Cpu>, start: &[Vec<f32>], direction: &[Vec<f32>], by: f64) {
    for (index, (start, direction)) in start.iter().zip(direction).enumerate() {
        let at: Vec<f32> =
            start.iter().zip(direction).map(|(w, d)| w + (by * f64::from(*d)) as f32).collect();
        world.student_mut().decoder.parameters_mut()[index].set(&at).unwrap();
    }
}

/// The loss of the batch at the student's weights of now, with these voices as the targets.
fn total(
    world: &FromFiles<Cpu>,
    routed: &batch::Routed<RegimeRows>,
    teacher: &impl TwoVoices,
    hindsight: &impl TwoVoices,
) -> f64 {
    let rollouts = routed.rollouts();
    let pairs = rollouts.responses_N.iter().enumerate();
    let packed =
        Packed::of(pairs.map(|(i, response)| (&rollouts.prompt_of(i).tokens[..], &response.tokens_T[..])));
    let logits: Vec<f64> =
        to_host(&world.student().decoder.logits(&packed).unwrap()).into_iter().map(f64::from).collect();
    let width = world.student().vocabulary();
    let mut rows = logits.chunks_exact(width);
    let whole = Truncation { k: usize::MAX, ..dopd::Dopd::default().truncation };
    let loss = dopd::Dopd { truncation: whole, ..dopd::Dopd::default() };
    let mut sum = 0.0;
    for i in routed.part() {
        for t in 0..rollouts.responses_N[i].tokens_T.len() {
            let mut student = StudentRow::whole(rows.next().unwrap(), 0);
            let (q, s) =
                (teacher.teacher(i).row::<f64>(width, t), hindsight.hindsight(i).row::<f64>(width, t));
            let targets = Targets { teacher: Some(Target::Row(&q)), student: Some(Target::Row(&s)) };
            let regime = routed.signal().regime(i, t).unwrap();
            sum += routed.share(i, t) * loss.push(regime, &mut student, targets).unwrap().value;
        }
    }
    sum
}

#[test]
fn no_gradient_reaches_the_teacher_or_the_hindsight() {
    let folder = tempfile::tempdir().unwrap();
    make(&folder.path().join("student"), 1);
    make(&folder.path().join("teacher"), 2);
    let teachers = BTreeMap::from([("teacher".to_string(), folder.path().join("teacher"))]);
    let mut world =
        FromFiles::open(&Hinted::PLAN, &folder.path().join("student"), &teachers, &Cpu::default()).unwrap();
    let spec =
        TaskSpec { domains: vec!["math".to_string()], levels: (2, 3), per_level: 4, ..TaskSpec::default() };
    let place = Placement::Before { mark: ">".to_string(), lead: "?".to_string() };
    let run = Run::new(generate(&spec).unwrap(), 2, 4).with_privileged(place);

    let recipe = Hinted::DEFAULT;
    let seats = (
        recipe.teacher.seat("teacher").reads(StepHints),
        recipe.hindsight.seat("hindsight").reads(StepHints),
    );
    let prompts = recipe.data.open(&run, &world).unwrap().draw(4).unwrap();
    let rollouts = recipe.rollout.sample(&world, prompts).unwrap();
    let scored = recipe.score.score(&world, &seats, rollouts.clone()).unwrap();
    let voices = scored.signal.clone();
    let routed = recipe.route.route(scored).unwrap();
    let mut log = Log::open(&run, &recipe).unwrap();
    let grads = world.student().zero_grads().unwrap();
    let grads = recipe.loss.backward(&world, &routed, grads, &mut log).unwrap();

    let start = weights(world.student());
    let gradient: Vec<Vec<f32>> = (0..start.len()).map(|index| grads.to_host(index).unwrap()).collect();
    let square: f64 = gradient.iter().flatten().map(|&g| f64::from(g) * f64::from(g)).sum();
    // along the gradient the slope is its length; five points, and the targets move along or they do not
    let slope = |world: &mut FromFiles<Cpu>, along: bool| {
        let step = 2e-3 / square.sqrt();
        let points = [(1.0, 8.0), (-1.0, -8.0), (2.0, -1.0), (-2.0, 1.0)];
        let sum: f64 = points
            .iter()
            .map(|(side, share)| {
                moved(world, &start, &gradient, side * step);
                let again = recipe.score.score(world, &seats, rollouts.clone()).unwrap().signal;
                share * total(world, &routed, &voices, if along { &again } else { &voices })
            })
            .sum();
        moved(world, &start, &gradient, 0.0);
        sum / (12.0 * step)
    };
    let (held, along) = (slope(&mut world, false), slope(&mut world, true));
    assert!((held / square - 1.0).abs() < 1e-3, "the gradient's square is {square}, the slope {held}");
    assert!((along / square - 1.0).abs() > 0.03, "the hindsight moves along, and the slope is still {along}");

    let teacher = weights(world.teacher("teacher").unwrap());
    recipe.train(&run, &mut world).unwrap();
    assert_eq!(teacher, weights(world.teacher("teacher").unwrap()));
    assert_ne!(start, weights(world.student()));
}
