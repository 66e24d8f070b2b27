use crate as limbeck;
use crate::batch::Rollouts;
use crate::capability::Outcome;
use crate::check::{Facts, Fault};
use crate::error::Result;
use crate::replay::{Recorded, Voice};
use crate::signal::OutcomeRewards;
use crate::stages::loss::grpo::group_advantages;
use crate::stages::score::read::student_log_probs;
use crate::stages::score::Score;
use crate::world::roster::Unattended;
use crate::world::World;
use limbeck::Settings;

/// No teacher: a response is worth how much better it came out than its group, and every token of it
/// gets that number (GRPO).
#[derive(Clone, Debug, Settings)]
#[settings(check = check)]
pub struct GroupOutcome {}

const fn check(_: &GroupOutcome, facts: &Facts) -> Option<Fault> {
    if facts.group_size == 1 {
        let says =
            "the outcome of a response is measured against its group, so `group_size` must be at least 2";
        return Some(Fault { stage: "rollout", field: "group_size", says });
    }
    None
}

impl<R: Unattended, J: Outcome> Score<R, J> for GroupOutcome {
    type Signal = OutcomeRewards;

    fn ask<W: World>(&self, world: &W, _: &R, rollouts: &Rollouts<J>) -> Result<OutcomeRewards> {
        Ok(rewards(student_log_probs(world, rollouts)?, rollouts))
    }

    fn remember(&self, recorded: &Recorded, _: &R, rollouts: &Rollouts<J>) -> Result<OutcomeRewards> {
        Ok(rewards(recorded.log_probs(Voice::Student)?, rollouts))
    }
}

fn rewards<J: Outcome>(student_N_T: Vec<Vec<f64>>, rollouts: &Rollouts<J>) -> OutcomeRewards {
    let mut rewards_N_T: Vec<Vec<f64>> = student_N_T.iter().map(|tokens| vec![0.0; tokens.len()]).collect();
    for group in rollouts.groups() {
        let outcomes: Vec<_> = group.iter().map(|&i| rollouts.judgement.outcome(i)).collect();
        for (&i, advantage) in group.iter().zip(group_advantages(&outcomes)) {
            rewards_N_T[i].fill(advantage);
        }
    }
    OutcomeRewards { student_N_T, rewards_N_T }
}
