//! Prompts, hints and responses of every length in one batch: what a response is scored does not depend
//! on the others, to the bit. Rows are packed, not padded.

mod common;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use common::limbeck_in;
use limbeck::batch::{Place, Prompt, Response, Rollouts};
use limbeck::capability::{Rewards, TwoVoices, Unjudged};
use limbeck::prelude::*;
use limbeck::privileged::Placement;
use limbeck::rng::{Purpose, Stream};
use limbeck::run::Run;
use limbeck::stages::score::Score;
use limbeck::tensor::Cpu;
use limbeck::world::roster::Kind;
use limbeck::world::rows::Row;
use limbeck::world::FromFiles;
use limbeck::{Recipe, Settings};
use limbeck_recipes::Dopd;

/// More than a policy reads at once.
const RESPONSES: usize = 83;

struct Batch {
    world: FromFiles<Cpu>,
    prompts: Vec<Arc<Prompt>>,
    /// Which prompt, and the tokens.
    responses: Vec<(usize, Vec<u32>)>,
}

impl Batch {
    fn new(folder: &Path) -> Self {
        for (name, seed) in [("student", "1"), ("teacher", "2")] {
            let size = ["--hidden", "32", "--layers", "2", "--ffn", "64", "--kv-heads", "2"];
            limbeck_in(folder, &[&["init", "--to", name, "--seed", seed], &size[..]].concat()).good();
        }
        let teachers = BTreeMap::from([("teacher".to_owned(), folder.join("teacher"))]);
        let world =
            FromFiles::open(&Dopd::PLAN, &folder.join("student"), &teachers, &Cpu::default()).unwrap();
        // prompts and hints of 1 to 40 tokens, long ones beside short ones
        let text =
            |n: usize| "0123456789+-*=;".chars().cycle().skip(n).take(1 + n * 17 % 40).collect::<String>();
        let rows = (0..20).map(|n| {
            let mut row = Row::new(text(n).as_str());
            row.columns.insert("hints".to_owned(), text(7 * n + 3));
            row
        });
        let place = Placement::Suffix("?".to_owned());
        let prompts = Run::new(rows.collect(), 1, 1).with_privileged(place).prompts(&world).unwrap();
        let mut stream = Stream::new(4, Purpose::Task, 0, 0);
        let mut response =
            |i: usize| (0..1 + i * 13 % 41).map(|_| 3 + (stream.uniform() * 29.0) as u32).collect();
        let responses = (0..RESPONSES).map(|i| (i * 7 % 20, response(i))).collect();
        Self { world, prompts, responses }
    }

    /// The responses `which`, in that order, each prompt once.
    fn rollouts(&self, which: &[usize]) -> Rollouts<Unjudged> {
        let mut asked: Vec<usize> = which.iter().map(|&i| self.responses[i].0).collect();
        asked.sort_unstable();
        asked.dedup();
        let response = |&i: &usize| {
            let (prompt, tokens) = &self.responses[i];
            Response {
                prompt: asked.binary_search(prompt).unwrap(),
                tokens_T: tokens.clone(),
                text: String::new(),
                log_probs_T: vec![0.0; tokens.len()],
                finished: true,
            }
        };
        Rollouts {
            place: Place { seed: 0, step: 0 },
            prompts_P: asked.iter().map(|&p| Arc::clone(&self.prompts[p])).collect(),
            responses_N: which.iter().map(response).collect(),
            judgement: Unjudged,
            kept_N: vec![true; which.len()],
            ledger: limbeck::log::Metrics::default(),
        }
    }

    /// All that is scored of each response: the student after the plain prompt, the teacher and the
    /// student's own hindsight after the hinted one.
    fn scores(&self, which: &[usize]) -> Vec<Scores> {
        let rollouts = self.rollouts(which);
        let teacher = Frozen::DEFAULT.seat("teacher").reads(StepHints);
        let sampled = SampledToken::DEFAULT.ask(&self.world, &teacher, &rollouts).unwrap();
        let pair = (teacher, Own::DEFAULT.seat("hindsight").reads(StepHints));
        let whole = FullVocab::DEFAULT.ask(&self.world, &pair, &rollouts).unwrap();
        let scores = |i: usize| {
            let length = rollouts.responses_N[i].tokens_T.len();
            let row = |rows: &limbeck::signal::Rows, t| rows.row::<f32>(whole.width(), t).into_owned();
            let bits = |rows: &limbeck::signal::Rows| {
                (0..length).flat_map(|t| row(rows, t)).map(f32::to_bits).collect::<Vec<u32>>()
            };
            Scores {
                plain: (0..length).map(|t| sampled.student(i, t).to_bits()).collect(),
                hinted: (0..length).map(|t| sampled.teacher(i, t).unwrap().to_bits()).collect(),
                teacher: bits(whole.teacher(i)),
                hindsight: bits(whole.hindsight(i)),
            }
        };
        (0..which.len()).map(scores).collect()
    }
}

#[derive(Clone, Debug, PartialEq)]
struct Scores {
    plain: Vec<u64>,
    hinted: Vec<u64>,
    teacher: Vec<u32>,
    hindsight: Vec<u32>,
}

#[test]
fn a_response_is_scored_the_same_alone_and_in_any_company() {
    let folder = tempfile::tempdir().unwrap();
    let batch = Batch::new(folder.path());
    let order: Vec<usize> = (0..RESPONSES).collect();
    let together = batch.scores(&order);

    let mut shuffled = order.clone();
    Stream::new(4, Purpose::Shuffle, 0, 0).shuffle(&mut shuffled);
    assert_ne!(order, shuffled);
    for (&i, scores) in shuffled.iter().zip(batch.scores(&shuffled)) {
        assert_eq!(together[i], scores, "response {i} among others in another order");
    }
    for &i in &order {
        assert_eq!(batch.scores(&[i]), together[i..=i], "response {i} alone");
    }

    // it was not for want of differences
    let lengths = |of: &dyn Fn(usize) -> usize| (0..20).map(of).collect::<std::collections::BTreeSet<_>>();
    let prompts = lengths(&|p| batch.prompts[p].tokens.len());
    assert!(prompts.len() > 15 && prompts.contains(&1) && prompts.last() > Some(&35), "{prompts:?}");
    assert!(lengths(&|i| batch.responses[i].1.len()).len() > 15);
    assert!(together.iter().all(|one| one.plain != one.hinted && one.teacher != one.hindsight));
    for (i, scores) in together.iter().enumerate() {
        assert_eq!(scores.teacher.len(), 32 * batch.responses[i].1.len());
        assert!(together[..i].iter().all(|other| other.hindsight != scores.hindsight), "response {i}");
    }
}
