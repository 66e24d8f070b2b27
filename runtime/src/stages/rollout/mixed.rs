use serde::{Deserialize, Serialize};

use crate as limbeck;
use crate::batch::{Prompts, Rollouts};
use crate::capability::Unjudged;
use crate::check::{Facts, Fault};
use crate::error::{Error, Result};
use crate::rng::{Purpose, Stream};
use crate::stages::rollout::sample::{check as check_sampling, fault, sampling};
use crate::stages::rollout::{Reference, Rollout, Sample};
use crate::world::{Policy, World};
use limbeck::Settings;

/// Whose responses a batch learns from when they are not the student's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum OffPolicy {
    /// The reference answers of the data, one a prompt (TRL's `seq_kd = False`).
    #[default]
    Reference,
    /// The teacher's, sampled as the student's are (TRL's `seq_kd = True`).
    Teacher,
}

sampling! {
    /// Each batch is the student's own, or somebody else's (GKD, arXiv 2306.13649, algorithm 1): with
    /// probability `on_policy` the student samples.
    #[derive(Clone, Debug, Settings)]
    #[settings(check = check, facts = tell)]
    [pub struct Mixed] {
        /// How often a batch is the student's own: the paper's and TRL's λ.
        #[setting(default = 0.5)]
        pub on_policy: f64,
        /// Whose the other batches are.
        #[setting(default = OffPolicy::Reference)]
        pub off_policy: OffPolicy,
    }
}

impl Mixed {
    const fn sampling(&self) -> Sample {
        let Self { group_size, temperature, top_p, top_k, max_response_tokens, .. } = *self;
        Sample { group_size, temperature, top_p, top_k, max_response_tokens }
    }
}

const fn tell(method: &Mixed, facts: Facts) -> Facts {
    let on_policy = method.on_policy == 1.0;
    let alone = !on_policy && matches!(method.off_policy, OffPolicy::Reference);
    let group_size = if alone { 1 } else { method.group_size };
    let mixed = method.on_policy > 0.0 && method.on_policy < 1.0;
    Facts { group_size, on_policy, mixed, reads_references: alone, ..facts }
}

const fn check(method: &Mixed, facts: &Facts) -> Option<Fault> {
    if !(method.on_policy >= 0.0 && method.on_policy <= 1.0) {
        let says = "`on_policy` is how often a batch is the student's own: from 0 (never) to 1 (always)";
        return fault("on_policy", says);
    }
    if facts.served && matches!(method.off_policy, OffPolicy::Teacher) && method.on_policy < 1.0 {
        let says = "a teacher behind a server scores the student's answers and gives none of its own: use `off_policy = OffPolicy::Reference`, or a teacher whose weights are here, such as `Frozen`";
        return fault("off_policy", says);
    }
    check_sampling(&method.sampling(), facts)
}

impl Rollout for Mixed {
    fn respond<W: World>(&self, world: &W, prompts: Prompts) -> Result<Rollouts<Unjudged>> {
        let place = prompts.place;
        let drawn = Stream::new(place.seed, Purpose::Mixture, place.step, 0).uniform();
        let own = drawn < self.on_policy;
        let mut rollouts = match (own, self.off_policy) {
            (true, _) => self.sampling().respond(world, prompts)?,
            (false, OffPolicy::Reference) => Reference {}.respond(world, prompts)?,
            (false, OffPolicy::Teacher) => {
                let mut rollouts = self.sampling().answer(only_teacher(world)?, prompts, Purpose::Rollout)?;
                // the student did not sample these
                rollouts.responses_N.iter_mut().for_each(|response| response.log_probs_T.clear());
                rollouts
            }
        };
        rollouts.ledger.set("on_policy", f64::from(u8::from(own)));
        Ok(rollouts)
    }
}

/// The teacher of a world that has one.
fn only_teacher<W: World>(world: &W) -> Result<&Policy<W::Device>> {
    let teachers = world.seated();
    if let [(_, teacher)] = teachers[..] {
        return Ok(teacher);
    }
    let names: Vec<String> = teachers.iter().map(|(name, _)| format!("`{name}`")).collect();
    let what = match names.as_slice() {
        [] => "the teacher's own answers are asked for, and there is no teacher".to_string(),
        many => format!("the teacher's own answers are asked for, and there are {}", many.join(" and ")),
    };
    let next = "set `rollout.off_policy` to Reference, or declare one teacher";
    Err(Error::call(what).at("rollout").next(next))
}
