//! Drawing a token from logits.

use crate::kernels::exp::{exp64, largest};
use crate::kernels::simd::vectorised;

/// How tokens are drawn, and when a response ends.
#[derive(Clone, Debug, PartialEq)]
pub struct Sampling {
    /// Logits are divided by this; 0 takes the most likely token.
    pub temperature: f64,
    /// Only the most likely tokens that reach this probability together; 1 keeps all.
    pub top_p: f64,
    /// Only this many of the most likely tokens; 0 keeps all.
    pub top_k: usize,
    /// Tokens of a response at most.
    pub max_tokens: usize,
    /// The tokens that end a response.
    pub eos: Vec<u32>,
}

impl Default for Sampling {
    /// Everything the model would say, as it would say it, up to 256 tokens.
    fn default() -> Self {
        Self { temperature: 1.0, top_p: 1.0, top_k: 0, max_tokens: 256, eos: Vec::new() }
    }
}

/// The token at `u` in `[0, 1)` of the distribution that `sampling` makes of finite `logits`: temperature,
/// then top-k, then top-p over what is left (the token that crosses `top_p` is kept, and the first always).
/// Among equals the lowest id goes first. Tokens lie along `[0, 1)` in the order of their ids, summed in
/// `f64`.
pub fn sample(logits: &[f32], sampling: &Sampling, u: f64) -> u32 {
    sample_in(&mut Vec::new(), logits, sampling, u)
}

/// [`sample`] with memory that is used again.
pub(crate) fn sample_in(weights: &mut Vec<f64>, logits: &[f32], sampling: &Sampling, u: f64) -> u32 {
    let best = most_likely(logits);
    if sampling.temperature == 0.0 || logits.len() < 2 {
        return best as u32;
    }
    weights.resize(logits.len(), 0.0);
    weigh(logits, f64::from(logits[best]), sampling.temperature, weights);
    let some = sampling.top_k > 0 && sampling.top_k < logits.len();
    if some || sampling.top_p < 1.0 {
        let kept = if some { sampling.top_k } else { logits.len() };
        keep_most_likely(logits, weights, kept, sampling.top_p);
    }
    // u next to 1 and a sum that was rounded: the last token that can be drawn
    let last = || weights.iter().rposition(|&weight| weight > 0.0).unwrap_or(best);
    at(weights, u).unwrap_or_else(last) as u32
}

/// Weights that are summed before they are looked at one by one.
const BLOCK: usize = 64;

/// Where `u` of the whole weight is reached, from the left.
fn at(weights: &[f64], u: f64) -> Option<usize> {
    let target = u * weights.chunks(BLOCK).map(total).sum::<f64>();
    let mut before = 0.0;
    for (block, weights) in weights.chunks(BLOCK).enumerate() {
        let behind = before + total(weights);
        if behind > target {
            let mut sum = before;
            let reached = weights.iter().position(|weight| {
                sum += weight;
                sum > target
            });
            // one by one they may add up to a little less
            let reached = reached.or_else(|| weights.iter().rposition(|&weight| weight > 0.0));
            return reached.map(|place| block * BLOCK + place);
        }
        before = behind;
    }
    None
}

vectorised! {
    /// What each token weighs, the most likely one 1.
    fn weigh(logits: &[f32], top: f64, temperature: f64, weights: &mut [f64]) {
        for (weight, &logit) in weights.iter_mut().zip(logits) {
            *weight = exp64((f64::from(logit) - top) / temperature);
        }
    }

    fn total(weights: &[f64]) -> f64 {
        let mut lanes = [0.0f64; 16];
        let (chunks, rest) = weights.as_chunks::<16>();
        for chunk in chunks {
            lanes.iter_mut().zip(chunk).for_each(|(lane, weight)| *lane += weight);
        }
        lanes.iter_mut().zip(rest).for_each(|(lane, weight)| *lane += weight);
        lanes.iter().sum()
    }

    fn most_likely(logits: &[f32]) -> usize {
        let top = largest(logits);
        logits.iter().position(|&logit| logit == top).unwrap_or(0)
    }
}

/// Sets the weight of every token outside top-k and top-p to 0.
fn keep_most_likely(logits: &[f32], weights: &mut [f64], top_k: usize, top_p: f64) {
    let mut ids: Vec<usize> = (0..logits.len()).collect();
    let order = |a: &usize, b: &usize| logits[*b].total_cmp(&logits[*a]).then(a.cmp(b));
    if top_k < ids.len() {
        ids.select_nth_unstable_by(top_k, order);
        ids.truncate(top_k);
    }
    ids.sort_unstable_by(order);
    let total: f64 = ids.iter().map(|&id| weights[id]).sum();
    let mut before = 0.0;
    let kept = ids.iter().take_while(|&&id| {
        let keep = before == 0.0 || before < top_p * total;
        before += weights[id];
        keep
    });
    let kept: Vec<(usize, f64)> = kept.map(|&id| (id, weights[id])).collect();
    weights.fill(0.0);
    kept.into_iter().for_each(|(id, weight)| weights[id] = weight);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(logits: &[f32], sampling: &Sampling) -> Vec<f64> {
        let mut counts = vec![0.0; logits.len()];
        for i in 0..10_000 {
            counts[sample(logits, sampling, (f64::from(i) + 0.5) / 10_000.0) as usize] += 1e-4;
        }
        counts
    }

    fn near(a: &[f64], b: &[f64]) -> bool {
        a.iter().zip(b).all(|(a, b)| (a - b).abs() < 2e-4)
    }

    #[test]
    fn all_tokens_by_their_probability_in_order_of_id() {
        let logits = [0.5f32.ln(), 0.2f32.ln(), 0.3f32.ln()];
        let plain = Sampling::default();
        assert!(near(&counts(&logits, &plain), &[0.5, 0.2, 0.3]));
        assert_eq!(
            [0.0, 0.499, 0.501, 0.699, 0.701, 0.999_999].map(|u| sample(&logits, &plain, u)),
            [0, 0, 1, 1, 2, 2]
        );
        let cold = Sampling { temperature: 0.5, ..plain };
        assert!(near(&counts(&logits, &cold), &[0.25 / 0.38, 0.04 / 0.38, 0.09 / 0.38]));
    }

    #[test]
    fn greedy_takes_the_lowest_of_equals() {
        let greedy = Sampling { temperature: 0.0, ..Sampling::default() };
        assert_eq!(sample(&[1.0, 3.0, 3.0, 2.0], &greedy, 0.99), 1);
        assert_eq!(sample(&[-0.0, 0.0], &greedy, 0.99), 0);
    }

    #[test]
    fn top_k_and_top_p_keep_what_hugging_face_keeps() {
        let logits = [0.1f32.ln(), 0.4f32.ln(), 0.1f32.ln(), 0.3f32.ln(), 0.1f32.ln()];
        let with = |top_k, top_p| Sampling { top_k, top_p, ..Sampling::default() };
        assert!(near(&counts(&logits, &with(2, 1.0)), &[0.0, 4.0 / 7.0, 0.0, 3.0 / 7.0, 0.0]));
        // the third of k = 3 is the lowest id among three equals
        assert!(near(&counts(&logits, &with(3, 1.0)), &[0.125, 0.5, 0.0, 0.375, 0.0]));
        // 0.4 + 0.3 does not reach 0.75, so the next one is kept as well
        assert!(near(&counts(&logits, &with(0, 0.75)), &[0.125, 0.5, 0.0, 0.375, 0.0]));
        assert!(near(&counts(&logits, &with(0, 0.3)), &[0.0, 1.0, 0.0, 0.0, 0.0]));
        assert!(near(&counts(&logits, &with(0, 0.0)), &[0.0, 1.0, 0.0, 0.0, 0.0]));
        // top-p counts within top-k: 4/7 reaches 0.5
        assert!(near(&counts(&logits, &with(2, 0.5)), &[0.0, 1.0, 0.0, 0.0, 0.0]));
    }
}
