//! Where the gradient of DOPD goes: through the student that reads the plain prompt, and nowhere else.

use limbeck::batch;
use limbeck::capability::{Signal, TwoVoices};
use limbeck::loops::Log;
use limbeck::models::Packed;
use limbeck::prelude::*;
use limbeck::signal::RegimeRows;
use limbeck::stages::data::Data;
use limbeck::stages::loss::dopd::{self, Target, Targets};
use limbeck::stages::loss::row::StudentRow;
use limbeck::stages::loss::top_k::Truncation;
use limbeck::stages::loss::Loss;
use limbeck::stages::rollout::Rollout;
use limbeck::stages::route::Route;
use limbeck::stages::score::Score;
use limbeck::tensor::{to_host, Cpu};
use limbeck::world::roster::Kind;
use limbeck::world::{FromFiles, World};

use crate::models::{hinted_run, hinted_world, weights};

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
    let mut world = hinted_world(&Hinted::PLAN);
    let run = hinted_run();

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
