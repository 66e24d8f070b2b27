//! Whole rows of the teacher for HT only: the same numbers from less memory.

use limbeck::prelude::*;
use limbeck::signal::Rows;
use limbeck::stages::data::Data;
use limbeck::stages::rollout::Rollout;
use limbeck::stages::route::Route;
use limbeck::stages::score::Score;
use limbeck::world::roster::Kind;
use limbeck::world::World;

use crate::models::{hinted_run, hinted_world, weights};
use crate::recorded::{answers, close, replay};

#[recipe]
struct Cut {
    #[teacher(reads = StepHints)]
    teacher: Frozen,
    #[teacher(reads = StepHints)]
    hindsight: Own,

    data: Prompts,
    #[with(group_size = 3, max_response_tokens = 8)]
    rollout: Sample,
    #[with(keep = 8)]
    score: FullVocab,
    route: AdvantageGap,
    loss: Routed<TopK<8>>,
    #[with(lr = 1e-2)]
    step: AdamW,
}

const VOICES: [&str; 3] = ["student", "hinted_student", "hinted_teacher"];

fn keeping(keep: usize, tail: Tail) -> Cut {
    let loss = Routed { tail, ..Cut::DEFAULT.loss };
    Cut { score: FullVocab { keep }, loss, ..Cut::DEFAULT }
}

#[test]
fn a_replay_of_cut_rows_decides_the_same() {
    for (width, seed) in [(40, 1), (300, 2)] {
        let batch = answers(&[3, 7, 1, 12, 30], width, &VOICES, seed);
        for tail in [Tail::Renormalise, Tail::Bucket, Tail::Drop] {
            let whole = replay(&keeping(0, tail), &batch);
            // as many as the loss compares, or as there are: to the last bit
            for keep in [8, width, 10 * width] {
                assert_eq!(replay(&keeping(keep, tail), &batch).to_json_lines(), whole.to_json_lines());
            }
            // more than it compares: the rest is summed in another order
            let more = replay(&keeping(20, tail), &batch);
            for (more, whole) in more.decisions.iter().zip(&whole.decisions) {
                assert_eq!((&more.regime, &more.weight), (&whole.regime, &whole.weight));
                more.loss.iter().zip(&whole.loss).for_each(|(&more, &whole)| close(more, whole));
            }
        }
    }
}

#[test]
fn training_on_cut_rows_gives_the_same_bits() {
    for tail in [Tail::Renormalise, Tail::Bucket] {
        let train = |keep: usize| {
            let mut world = hinted_world(&Cut::PLAN);
            let before = weights(world.student());
            keeping(keep, tail).train(&hinted_run(), &mut world).unwrap();
            let after = weights(world.student());
            assert_ne!(before, after);
            after.into_iter().flatten().map(f32::to_bits).collect::<Vec<u32>>()
        };
        assert!(train(0) == train(8), "not the same bits");
    }
}

/// In `f32`: a whole row has V numbers, a cut one K, their ids, and the rest.
#[test]
fn what_is_held_is_whole_for_ht_only() {
    let (world, run) = (hinted_world(&Cut::PLAN), hinted_run());
    let seats = (
        Cut::DEFAULT.teacher.seat("teacher").reads(StepHints),
        Cut::DEFAULT.hindsight.seat("hindsight").reads(StepHints),
    );
    let prompts = Cut::DEFAULT.data.open(&run, &world).unwrap().draw(4).unwrap();
    let rollouts = Cut::DEFAULT.rollout.sample(&world, prompts).unwrap();
    let width = world.student().vocabulary();
    let tokens: usize = rollouts.responses_N.iter().map(|response| response.tokens_T.len()).sum();
    let held = |keep: usize| {
        let score = FullVocab { keep };
        let scored = score.score(&world, &seats, rollouts.clone()).unwrap();
        let hindsight: usize =
            (0..rollouts.responses_N.len()).map(|i| hindsight_of(&scored.signal, i).bytes()).sum();
        let routed = Cut::DEFAULT.route.route(scored).unwrap();
        let note = |name: &str| routed.rollouts().ledger.get(name).unwrap();
        (hindsight, note("row_bytes") as usize, (note("regime/HT") * tokens as f64).round() as usize)
    };
    let ((whole_hindsight, whole_routed, _), (hindsight, routed, ht)) = (held(0), held(8));
    assert_eq!((whole_hindsight, whole_routed), (4 * width * tokens, 4 * width * tokens));
    assert_eq!(hindsight, 4 * (8 + 8 + 1) * tokens);
    assert_eq!(routed, 4 * width * ht + 4 * (8 + 8 + 1) * (tokens - ht));
    assert!(ht > 0 && ht < tokens && routed < whole_routed);
}

fn hindsight_of(signal: &impl limbeck::capability::TwoVoices, i: usize) -> &Rows {
    signal.hindsight(i)
}
