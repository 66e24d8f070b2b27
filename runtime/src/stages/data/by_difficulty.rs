use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate as limbeck;
use crate::batch::{Place, Prompt, Prompts as Batch};
use crate::check::{Facts, Fault};
use crate::error::Result;
use crate::log::Metrics;
use crate::rng::{Purpose, Stream};
use crate::run::Run;
use crate::stages::data::difficulty::{balanced, Balanced};
use crate::stages::data::{Data, Feed, Shape, Target};
use crate::stages::rollout::Sample;
use crate::world::verifier::verdicts;
use crate::world::World;
use limbeck::Settings;

/// Offline difficulty-aware balancing (Uni-OPD, section 2.2 of our notes on the method): prompts are
/// drawn evenly over how often the *initial* student gets them right. Nothing is removed; prompts of
/// the rarer difficulties are drawn as seeded copies. Domains are balanced each for itself.
#[derive(Clone, Debug, Settings)]
#[settings(check = check)]
pub struct ByDifficulty {
    /// Samples of the initial student per prompt.
    #[setting(default = 8)]
    pub samples: u32,
    /// The shape of the difficulty histogram: which bins are filled up.
    #[setting(default = Shape::Auto)]
    pub shape: Shape,
    /// Up to which level they are filled.
    #[setting(default = Target::Max)]
    pub target: Target,
    /// At most so many copies of one prompt; `None` copies without end.
    #[setting(default = Some(4))]
    pub max_copies: Option<u32>,
    /// The temperature at which difficulty is measured.
    #[setting(default = 1.0)]
    pub temperature: f64,
    /// Nucleus sampling while difficulty is measured; 1 turns it off.
    #[setting(default = 0.95)]
    pub top_p: f64,
    /// Only the so many likeliest tokens while difficulty is measured; 0 turns it off.
    #[setting(default = 50)]
    pub top_k: usize,
    /// The longest response while difficulty is measured, in tokens.
    #[setting(default = 16384)]
    pub max_response_tokens: usize,
}

const fn check(method: &ByDifficulty, _: &Facts) -> Option<Fault> {
    if method.samples == 0 {
        return fault_on(
            "samples",
            "difficulty is a count over samples of the student, so `samples` must be at least 1",
        );
    }
    if let Some(0) = method.max_copies {
        return fault_on(
            "max_copies",
            "`max_copies` counts the prompt itself, so it must be at least 1 (or `None` for no bound)",
        );
    }
    if method.samples > 1 << 16 {
        return fault_on("samples", "difficulty is measured on at most 65536 samples of a prompt");
    }
    if let Target::Quantile(share) = method.target
        && !(share >= 0.0 && share <= 1.0)
    {
        return fault_on("target", "a quantile is a share: from 0 to 1");
    }
    if method.max_response_tokens == 0 {
        return fault_on(
            "max_response_tokens",
            "a response needs room for its end: `max_response_tokens` must be at least 1",
        );
    }
    if !(method.temperature >= 0.0 && method.temperature < f64::INFINITY) {
        return fault_on("temperature", "a temperature is 0 (greedy) or above, and finite");
    }
    if !(method.top_p > 0.0 && method.top_p <= 1.0) {
        return fault_on("top_p", "`top_p` is a share of probability: above 0 and at most 1");
    }
    None
}

const fn fault_on(field: &'static str, says: &'static str) -> Option<Fault> {
    Some(Fault { stage: "data", field, says })
}

/// Pass counts of the initial student, as cached in the run directory.
#[derive(Serialize, Deserialize)]
struct Measured {
    samples: u32,
    pool: String,
    pass_counts: Vec<u32>,
}

impl Data for ByDifficulty {
    fn open<W: World>(&self, run: &Run, world: &W) -> Result<Feed> {
        let prompts = run.prompts(world)?;
        let pass_counts = self.pass_counts(run, world, &prompts)?;
        let mut by_domain: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (i, prompt) in prompts.iter().enumerate() {
            by_domain.entry(prompt.domain()).or_default().push(i);
        }
        let mut order = Vec::new();
        for (number, (domain, members)) in by_domain.iter().enumerate() {
            let counts: Vec<u32> = members.iter().map(|&i| pass_counts[i]).collect();
            let mut stream = Stream::new(run.seed, Purpose::Difficulty, 0, number as u64);
            let result =
                balanced(&counts, self.samples, self.shape, self.target, self.max_copies, &mut stream);
            run.say(&describe(domain, members.len(), &result));
            order.extend(result.indices.iter().map(|&i| members[i]));
        }
        Ok(Feed::new(run.seed, prompts, order))
    }
}

impl ByDifficulty {
    /// How often the initial student gets each prompt right, from the run directory when it is there.
    fn pass_counts<W: World>(&self, run: &Run, world: &W, prompts: &[Arc<Prompt>]) -> Result<Vec<u32>> {
        let pool: String = prompts.iter().map(|p| p.text.as_str()).collect::<Vec<_>>().join("\0");
        let pool = crate::plan::fingerprint(format!("{pool}{self:?}{}", run.seed).as_bytes());
        if let Some(known) = run.recall::<Measured>("difficulty.json")? {
            let whole = known.pass_counts.len() == prompts.len()
                && known.pass_counts.iter().all(|&right| right <= self.samples);
            if known.pool == pool && known.samples == self.samples && whole {
                return Ok(known.pass_counts);
            }
        }
        let sample = Sample {
            group_size: self.samples as usize,
            temperature: self.temperature,
            top_p: self.top_p,
            top_k: self.top_k,
            max_response_tokens: self.max_response_tokens,
        };
        let side = run.side("measuring difficulty", prompts.len());
        let mut pass_counts = Vec::with_capacity(prompts.len());
        for (step, some) in prompts.chunks(32).enumerate() {
            let place = Place { seed: run.seed, step: step as u64 };
            let batch = Batch { place, prompts_P: some.to_vec(), ledger: Metrics::default() };
            let rollouts = sample.answer(world.student(), batch, Purpose::Measure)?;
            let mut right = vec![0; some.len()];
            for (response, verdict) in rollouts.responses_N.iter().zip(verdicts(some, &rollouts.responses_N))
            {
                // a verifier that fails judges nothing: such a sample does not count as passed
                if verdict == Ok(Some(true)) {
                    right[response.prompt] += 1;
                }
            }
            side.inc(some.len() as u64);
            pass_counts.extend(right);
        }
        run.keep(
            "difficulty.json",
            &Measured { samples: self.samples, pool, pass_counts: pass_counts.clone() },
        )?;
        Ok(pass_counts)
    }
}

/// The histogram before and after, in words; with a warning where few prompts are left to see.
fn describe(domain: &str, total: usize, result: &Balanced) -> String {
    let mut text = format!(
        "offline balance, {domain}: {:?}, {total} prompts → {} draws of {} distinct prompts\n  correct of N, before: {:?}\n  correct of N, after:  {:?}",
        result.shape,
        result.indices.len(),
        result.distinct,
        result.before,
        result.after,
    );
    let copied = result.indices.len().saturating_sub(total);
    if copied as f64 > 0.6 * result.indices.len() as f64 {
        text.push_str(
            "\n  warning: most draws are copies of few prompts; lower `data.max_copies` or use a larger pool",
        );
    }
    text
}
