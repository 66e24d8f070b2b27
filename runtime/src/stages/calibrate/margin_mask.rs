use crate as limbeck;
use crate::batch::Rollouts;
use crate::capability::{Calibratable, Outcome};
use crate::check::{Facts, Fault};
use crate::error::Result;
use crate::stages::balance::Scope;
use crate::stages::calibrate::margin::greedy_mask;
use crate::stages::calibrate::{observe, Calibrate, Over, Statistic};
use limbeck::Settings;

/// Outcome-guided margin calibration by masking (Uni-OPD's greedy alternative to the shift): the right
/// response with the lowest return or the wrong one with the highest loses its rewards, whichever
/// widens the margin more, until the margin is `delta` or too few would be left.
#[derive(Clone, Debug, Settings)]
#[settings(check = check)]
pub struct MarginMask {
    /// Within each prompt's group, or over the whole batch.
    #[setting(default = Scope::Group)]
    pub scope: Scope,
    /// The margin between the means, or between the worst right and the best wrong response.
    #[setting(default = Statistic::Mean)]
    pub statistic: Statistic,
    /// The margin asked for, in nats per token.
    #[setting(default = 0.4)]
    pub delta: f64,
    /// The share of each class that always stays.
    #[setting(default = 0.25)]
    pub retain: f64,
    /// Which rollouts enter the margin.
    #[setting(default = Over::All)]
    pub over: Over,
}

const fn check(method: &MarginMask, facts: &Facts) -> Option<Fault> {
    if !(method.delta > f64::NEG_INFINITY && method.delta < f64::INFINITY) {
        return Some(Fault {
            stage: "calibrate",
            field: "delta",
            says: "the margin `delta` must be a finite number",
        });
    }
    if !(method.retain >= 0.0 && method.retain <= 1.0) {
        let says = "`retain` is the share of each class that stays: from 0 to 1";
        return Some(Fault { stage: "calibrate", field: "retain", says });
    }
    needs_groups(matches!(method.scope, Scope::Group), facts)
}

pub(super) const fn needs_groups(group_scope: bool, facts: &Facts) -> Option<Fault> {
    if group_scope && facts.group_size == 1 {
        let says = "calibration compares rollouts of one prompt, so `group_size` must be at least 2";
        return Some(Fault { stage: "rollout", field: "group_size", says });
    }
    None
}

impl<S: Calibratable, J: Outcome> Calibrate<S, J> for MarginMask {
    fn calibrate(&self, rollouts: &Rollouts<J>, signal: &mut S) -> Result<usize> {
        let mut changed = 0;
        for set in self.scope.sets(rollouts) {
            let (returns, outcomes) = observe(rollouts, signal, &set, self.over);
            let found = greedy_mask(&returns, &outcomes, self.statistic, self.delta, self.retain);
            changed += usize::from(!found.dropped.is_empty());
            for &place in &found.dropped {
                signal.silence(set[place]);
            }
        }
        Ok(changed)
    }
}
