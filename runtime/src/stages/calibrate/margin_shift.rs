use crate as limbeck;
use crate::batch::Rollouts;
use crate::capability::{Calibratable, Outcome};
use crate::check::{Facts, Fault};
use crate::dist;
use crate::error::Result;
use crate::stages::balance::Scope;
use crate::stages::calibrate::margin::{Shift, Tally};
use crate::stages::calibrate::{observe, Calibrate, Direction, Over, Statistic};
use limbeck::Settings;

/// Outcome-guided margin calibration by a shift (Uni-OPD, arXiv 2605.03677): where right responses do
/// not return at least `delta` more than wrong ones, the missing `λ = δ − m` is added to every token of
/// the right ones, taken from the wrong ones, or half each. Responses that were not judged are ignored.
#[derive(Clone, Debug, Settings)]
#[settings(check = check)]
pub struct MarginShift {
    /// Within each prompt's group, or over the whole batch.
    #[setting(default = Scope::Group)]
    pub scope: Scope,
    /// The margin between the means, or between the worst right and the best wrong response.
    #[setting(default = Statistic::Mean)]
    pub statistic: Statistic,
    /// The margin asked for, in nats per token.
    #[setting(default = 0.4)]
    pub delta: f64,
    /// Which responses are moved.
    #[setting(default = Direction::Both)]
    pub direction: Direction,
    /// Which rollouts enter the margin.
    #[setting(default = Over::All)]
    pub over: Over,
}

const fn check(method: &MarginShift, facts: &Facts) -> Option<Fault> {
    if !(method.delta > f64::NEG_INFINITY && method.delta < f64::INFINITY) {
        return Some(Fault {
            stage: "calibrate",
            field: "delta",
            says: "the margin `delta` must be a finite number",
        });
    }
    super::margin_mask::needs_groups(matches!(method.scope, Scope::Group), facts)
}

impl<S: Calibratable, J: Outcome> Calibrate<S, J> for MarginShift {
    fn calibrate(&self, rollouts: &Rollouts<J>, signal: &mut S) -> Result<usize> {
        let mut changed = 0;
        for set in self.scope.sets(rollouts) {
            let (returns, outcomes) = observe(rollouts, signal, &set, self.over);
            let tally = Tally::of(&returns, &outcomes);
            // the responses to one prompt are on one rank; a batch may lie on several
            let tally = if self.scope == Scope::Global { dist::tally(tally) } else { tally };
            let found = Shift::to(self.delta, tally.margin(self.statistic), &outcomes, self.direction);
            if found.lambda > 0.0 {
                changed += 1;
                for (&i, &offset) in set.iter().zip(&found.offsets) {
                    if offset != 0.0 {
                        signal.shift(i, offset);
                    }
                }
            }
        }
        Ok(changed)
    }
}
