use crate as limbeck;
use crate::batch::{Prompts, Response, Rollouts};
use crate::capability::Unjudged;
use crate::check::{Facts, Fault};
use crate::error::Result;
use crate::models::{Request, Sampling};
use crate::rng::{Purpose, Stream};
use crate::stages::rollout::Rollout;
use crate::tensor::Device;
use crate::world::{Policy, World};
use limbeck::Settings;

/// A rollout that samples: its own settings, then those of sampling, written once.
macro_rules! sampling {
    // the head as it was written there, so that rustc points there and not here
    ($(#[$about:meta])* [$($head:tt)*] { $($own:tt)* }) => {
        $(#[$about])*
        $($head)* {
            $($own)*
            /// Responses per prompt.
            #[setting(default = 8)]
            pub group_size: usize,
            /// Sampling temperature; 0 is greedy.
            #[setting(default = 1.0)]
            pub temperature: f64,
            /// Nucleus sampling: the smallest set of tokens with this much probability; 1 turns it off.
            #[setting(default = 1.0)]
            pub top_p: f64,
            /// Only the so many likeliest tokens; 0 turns it off.
            #[setting(default = 0)]
            pub top_k: usize,
            /// The longest response, in tokens.
            #[setting(default = 16384)]
            pub max_response_tokens: usize,
        }
    };
}

pub(super) use sampling;

sampling! {
    /// The student samples a group of responses to each prompt. It sees the plain prompt and nothing else.
    #[derive(Clone, Debug, Settings)]
    #[settings(check = check, facts = tell)]
    [pub struct Sample] {}
}

const fn tell(method: &Sample, facts: Facts) -> Facts {
    Facts { group_size: method.group_size, on_policy: true, ..facts }
}

pub(super) const fn check(method: &Sample, _: &Facts) -> Option<Fault> {
    if method.group_size == 0 {
        return fault(
            "group_size",
            "a group of 0 responses would teach nothing: `group_size` must be at least 1",
        );
    }
    if method.group_size > 1 << 16 {
        return fault("group_size", "a group has at most 65536 responses");
    }
    if !(method.temperature >= 0.0 && method.temperature < f64::INFINITY) {
        return fault("temperature", "a temperature is 0 (greedy) or above, and finite");
    }
    if !(method.top_p > 0.0 && method.top_p <= 1.0) {
        return fault("top_p", "`top_p` is a share of probability: above 0 and at most 1");
    }
    if method.max_response_tokens == 0 {
        return fault(
            "max_response_tokens",
            "a response needs room for its end: `max_response_tokens` must be at least 1",
        );
    }
    None
}

pub(super) const fn fault(field: &'static str, says: &'static str) -> Option<Fault> {
    Some(Fault { stage: "rollout", field, says })
}

/// What the student said, as text. Decoding leaves pads out, and a pad that was sampled is a mistake:
/// it stays visible, so that no verifier takes the rest for an answer.
fn read<D: Device>(policy: &Policy<D>, spoken: &[u32]) -> String {
    let text = policy.tokenizer.decode(spoken);
    match policy.tokenizer.pad() {
        Some(pad) if spoken.contains(&pad) => format!("{text}\u{fffd}"),
        _ => text,
    }
}

impl Rollout for Sample {
    fn respond<W: World>(&self, world: &W, prompts: Prompts) -> Result<Rollouts<Unjudged>> {
        self.answer(world.student(), prompts, Purpose::Rollout)
    }
}

impl Sample {
    /// `policy` answers `prompts`; `purpose` keeps the random numbers of training, difficulty and
    /// evaluation apart.
    ///
    /// # Errors
    /// A policy whose numbers are not finite.
    pub fn answer<D: Device>(
        &self,
        policy: &Policy<D>,
        prompts: Prompts,
        purpose: Purpose,
    ) -> Result<Rollouts<Unjudged>> {
        let Prompts { place, prompts_P, ledger } = prompts;
        let mut row = 0;
        let requests: Vec<Request> = prompts_P
            .iter()
            .map(|prompt| {
                let streams = (0..self.group_size)
                    .map(|_| {
                        row += 1;
                        Stream::new(place.seed, purpose, place.step, row - 1)
                    })
                    .collect();
                Request { prompt: prompt.tokens.clone(), copies: self.group_size, streams }
            })
            .collect();
        let eos = policy.eos();
        let sampling = Sampling {
            temperature: self.temperature,
            top_p: self.top_p,
            top_k: self.top_k,
            max_tokens: self.max_response_tokens,
            eos: eos.clone(),
        };
        let sights: Vec<_> = prompts_P.iter().map(|prompt| prompt.before().sights).collect();
        let generations = policy.decoder.generate_seeing(&requests, &sights, &sampling, None)?;
        let mut responses_N = Vec::with_capacity(generations.len());
        for (i, generation) in generations.into_iter().enumerate() {
            let spoken = match generation.tokens.split_last() {
                Some((last, spoken)) if eos.contains(last) => spoken,
                _ => &generation.tokens[..],
            };
            responses_N.push(Response {
                prompt: i / self.group_size,
                text: read(policy, spoken),
                log_probs_T: generation.log_probs,
                finished: generation.finished,
                tokens_T: generation.tokens,
            });
        }
        let kept_N = vec![true; responses_N.len()];
        Ok(Rollouts { place, prompts_P, responses_N, judgement: Unjudged, kept_N, ledger })
    }
}
