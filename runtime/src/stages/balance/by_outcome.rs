use crate as limbeck;
use crate::batch::Rollouts;
use crate::capability::Outcome;
use crate::check::{Facts, Fault};
use crate::error::Result;
use crate::rng::{Purpose, Stream};
use crate::stages::balance::outcome::keep_balanced;
use crate::stages::balance::{Balance, Scope};
use limbeck::Settings;

/// Online correctness-aware balancing (Uni-OPD, section 2.3 of our notes on the method): right and
/// wrong responses reach the loss in the ratio asked for. Masked responses stay in the batch, so they
/// still enter the margin statistics.
#[derive(Clone, Debug, Settings)]
#[settings(check = check)]
pub struct ByOutcome {
    /// Within each prompt's group, or over the whole batch.
    #[setting(default = Scope::Group)]
    pub scope: Scope,
    /// Right responses per wrong one; `inf` keeps only the right, 0 only the wrong.
    #[setting(default = 1.0)]
    pub ratio: f64,
}

const fn check(method: &ByOutcome, facts: &Facts) -> Option<Fault> {
    if !(method.ratio >= 0.0) {
        let says = "the ratio of right to wrong is 0 or above (`inf` keeps only the right ones); to leave the balance out, remove the stage";
        return Some(Fault { stage: "balance", field: "ratio", says });
    }
    if !facts.on_policy {
        let says = "balance is between the student's own right and wrong answers, and these are not all its own: use `rollout: Sample`, or remove `balance`";
        return Some(Fault { stage: "balance", field: "", says });
    }
    None
}

impl<J: Outcome> Balance<J> for ByOutcome {
    fn choose(&self, rollouts: &Rollouts<J>) -> Result<Vec<bool>> {
        let place = rollouts.place;
        let mut kept_N = vec![true; rollouts.responses_N.len()];
        for (number, set) in self.scope.sets(rollouts).iter().enumerate() {
            let outcomes: Vec<_> = set.iter().map(|&i| rollouts.judgement.outcome(i)).collect();
            let mut stream = Stream::new(place.seed, Purpose::Balance, place.step, number as u64);
            for (&i, kept) in set.iter().zip(keep_balanced(&outcomes, self.ratio, &mut stream)) {
                kept_N[i] = kept;
            }
        }
        Ok(kept_N)
    }
}
