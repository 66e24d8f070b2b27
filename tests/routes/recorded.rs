//! Batches of random rows, as recordings and as plain numbers.

use limbeck::batch::{Rollouts, Routed, Scored};
use limbeck::capability::{Signal, Unjudged};
use limbeck::replay::{Recorded, Replay};
use limbeck::rng::{Purpose, Stream};
use limbeck::Recipe;
use proptest::prelude::*;
use serde_json::{json, Value};

/// One response: its prompt, its tokens, and a row of logits a token for each voice.
#[derive(Clone, Debug)]
pub struct Answer {
    pub prompt: usize,
    pub tokens: Vec<usize>,
    pub rows: Vec<(&'static str, Vec<Vec<f64>>)>,
}

impl Answer {
    /// The probabilities that `voice` gives at token `t`.
    pub fn of(&self, voice: &str, t: usize) -> Vec<f64> {
        let (_, rows) = self.rows.iter().find(|(name, _)| *name == voice).unwrap();
        softmax(&rows[t])
    }

    pub fn line(&self) -> Value {
        let logits: serde_json::Map<_, _> =
            self.rows.iter().map(|(name, rows)| ((*name).to_string(), json!(rows))).collect();
        json!({"prompt": format!("p{}", self.prompt), "correct": null, "tokens": self.tokens, "logits": logits})
    }
}

pub fn softmax(row: &[f64]) -> Vec<f64> {
    let max = row.iter().copied().fold(f64::MIN, f64::max);
    let sum: f64 = row.iter().map(|x| (x - max).exp()).sum();
    row.iter().map(|x| (x - max).exp() / sum).collect()
}

pub fn kl(p: &[f64], q: &[f64]) -> f64 {
    p.iter().zip(q).map(|(p, q)| p * (p / q).ln()).sum()
}

pub fn entropy(p: &[f64]) -> f64 {
    -p.iter().map(|p| p * p.ln()).sum::<f64>()
}

/// Responses of these lengths to two prompts in turn; the voices differ, but not by much.
pub fn answers(lengths: &[usize], width: usize, voices: &[&'static str], seed: u64) -> Vec<Answer> {
    let mut stream = Stream::new(seed, Purpose::Task, 0, 0);
    let mut one = |(i, &length): (usize, &usize)| {
        let mut rows: Vec<_> = voices.iter().map(|&voice| (voice, Vec::new())).collect();
        for _ in 0..length {
            let scale = 0.5 + 3.0 * stream.uniform();
            let base: Vec<f64> = (0..width).map(|_| scale * stream.normal()).collect();
            for (_, rows) in &mut rows {
                rows.push(base.iter().map(|z| z + 0.7 * stream.normal()).collect());
            }
        }
        Answer { prompt: i % 2, tokens: (0..length).map(|_| stream.below(width)).collect(), rows }
    };
    lengths.iter().enumerate().map(&mut one).collect()
}

pub fn recorded(answers: &[Answer]) -> Recorded {
    read(&answers.iter().map(Answer::line).collect::<Vec<_>>())
}

pub fn read(lines: &[Value]) -> Recorded {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    Recorded::read(text.as_bytes(), "test", 0).unwrap()
}

pub fn replay<R: Recipe>(recipe: &R, answers: &[Answer]) -> Replay {
    recipe.replay(recorded(answers)).unwrap()
}

/// Rollouts of these lengths with a signal of the test's own.
pub fn scored<S>(lengths: &[usize], signal: S) -> Scored<S, Unjudged> {
    let line = |&n: &usize| json!({"prompt": "p", "student": vec![-1.0; n], "teacher": vec![-1.0; n]});
    let rollouts: Rollouts<Unjudged> =
        read(&lengths.iter().map(line).collect::<Vec<_>>()).unjudged().unwrap();
    Scored { rollouts, signal }
}

pub fn weights<S: Signal>(routed: &Routed<S>) -> Vec<Vec<f64>> {
    let tokens = |i: usize| 0..routed.rollouts().responses_N[i].tokens_T.len();
    routed.part().map(|i| tokens(i).map(|t| routed.weight(i, t)).collect()).collect()
}

#[track_caller]
pub fn close(got: f64, want: f64) {
    assert!((got - want).abs() <= 1e-9 * (1.0 + want.abs()), "{got} is not {want}");
}

/// The decisions are `wanted`'s, weight and loss token by token, and the loss of the batch is the mean
/// over responses of the mean over tokens.
#[track_caller]
pub fn agree(got: &Replay, wanted: &[Vec<(f64, f64)>]) {
    assert_eq!(got.decisions.len(), wanted.len());
    let mut total = 0.0;
    for (decision, wanted) in got.decisions.iter().zip(wanted) {
        assert_eq!((decision.weight.len(), decision.loss.len()), (wanted.len(), wanted.len()));
        for (t, &(weight, loss)) in wanted.iter().enumerate() {
            close(decision.weight[t], weight);
            close(decision.loss[t], loss);
        }
        total += wanted.iter().map(|(_, loss)| loss).sum::<f64>() / wanted.len() as f64;
    }
    close(got.summary.loss, total / wanted.len() as f64);
}

/// However the batch is split, every token has the share it has in the whole.
pub fn splits_alike<S: Signal>(routed: &Routed<S>) -> Result<(), TestCaseError> {
    for size in 1..4 {
        let parts = routed.chunks(size);
        prop_assert_eq!(
            parts.iter().flat_map(Routed::part).collect::<Vec<_>>(),
            routed.part().collect::<Vec<_>>()
        );
        for part in parts {
            for i in part.part() {
                for t in 0..part.rollouts().responses_N[i].tokens_T.len() {
                    prop_assert_eq!(part.share(i, t), routed.share(i, t));
                }
            }
        }
    }
    Ok(())
}

/// Lengths of a few responses, a width, and a seed.
pub fn shapes() -> impl Strategy<Value = (Vec<usize>, usize, u64)> {
    (proptest::collection::vec(1usize..12, 1..6), 3usize..12, any::<u64>())
}

/// The same answers in another order, and which answer each place has.
pub fn shuffled(answers: &[Answer], seed: u64) -> (Vec<Answer>, Vec<usize>) {
    let mut order: Vec<usize> = (0..answers.len()).collect();
    Stream::new(seed, Purpose::Shuffle, 1, 0).shuffle(&mut order);
    (order.iter().map(|&i| answers[i].clone()).collect(), order)
}

/// A recipe decides the same of a batch in another order.
pub fn order_is_nothing<R: Recipe>(recipe: &R, batch: &[Answer], seed: u64) -> Result<(), TestCaseError> {
    let (other, order) = shuffled(batch, seed);
    let (got, moved) = (replay(recipe, batch), replay(recipe, &other));
    for (place, &i) in order.iter().enumerate() {
        prop_assert_eq!(&moved.decisions[place].weight, &got.decisions[i].weight);
        prop_assert_eq!(&moved.decisions[place].loss, &got.decisions[i].loss);
        prop_assert_eq!(&moved.decisions[place].regime, &got.decisions[i].regime);
    }
    prop_assert!((moved.summary.loss - got.summary.loss).abs() <= 1e-12 * (1.0 + got.summary.loss.abs()));
    Ok(())
}
