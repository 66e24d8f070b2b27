use std::time::Instant;

use crate as limbeck;
use crate::batch::{Routed, Scored};
use crate::capability::{Judgement, UncertainRewards};
use crate::check::{Facts, Fault};
use crate::error::Result;
use crate::signal::Floored;
use crate::stages::route::reopold::{floor, Phase};
use crate::stages::route::scope::{note_entropy, settle, TokenScope};
use crate::stages::route::Route;
use limbeck::Settings;

/// Rewards with a floor, on a part of the tokens (REOPOLD, arXiv 2603.11137, eqs 7, 9 and 10):
/// `R̂ = max(R, (log λ)/(1−λ))`. In the first `explore_steps` steps only the tokens with `R` at the floor
/// or above are trained on; after that, only the share `keep` at which the student's entropy is highest.
/// The others have weight 0; weights are not scaled.
#[derive(Clone, Debug, Settings)]
#[settings(check = check)]
pub struct ExploreThenRefine {
    /// How much of the student a teacher is mixed with that finds a token impossible: it sets the floor.
    #[setting(default = 0.1)]
    pub lambda: f64,
    /// How many steps the first phase has.
    #[setting(default = 50)]
    pub explore_steps: u64,
    /// The share of the tokens that the second phase trains on.
    #[setting(default = 0.2)]
    pub keep: f64,
    /// Among which tokens the share is chosen.
    #[setting(default = TokenScope::Batch)]
    pub scope: TokenScope,
}

const fn check(method: &ExploreThenRefine, _: &Facts) -> Option<Fault> {
    if !(method.lambda > 0.0 && method.lambda < 1.0) {
        let says = "`lambda` is a share of the student in a mixture with the teacher: above 0 and below 1";
        return Some(Fault { stage: "route", field: "lambda", says });
    }
    if !(method.keep > 0.0 && method.keep <= 1.0) {
        let says = "`keep` is the share of the tokens that is trained on: above 0 and at most 1";
        return Some(Fault { stage: "route", field: "keep", says });
    }
    None
}

impl<S: UncertainRewards, J: Judgement> Route<S, J> for ExploreThenRefine {
    type Signal = Floored;

    fn route(&self, mut scored: Scored<S, J>) -> Result<Routed<Floored>> {
        let start = Instant::now();
        let floor = floor(self.lambda);
        let exploring = scored.rollouts.place.step < self.explore_steps;
        let signal = &scored.signal;
        let weight_N_T = if exploring {
            self.scope.weigh(&scored, |tokens| {
                let rewards: Vec<f64> = tokens.iter().map(|&(i, t)| signal.reward(i, t)).collect();
                Phase::Explore { floor }.keep(&rewards, &[])
            })
        } else {
            let entropies_N_T = signal.entropies()?;
            self.scope.weigh(&scored, |tokens| {
                let entropies: Vec<f64> = tokens.iter().map(|&(i, t)| entropies_N_T[i][t]).collect();
                Phase::Refine { share: self.keep }.keep(&[], &entropies)
            })
        };
        // a recording may lack entropies as long as nothing depends on them
        if !exploring || signal.entropies().is_ok() {
            note_entropy(&mut scored, &weight_N_T)?;
        }
        let Scored { rollouts, signal } = scored;
        let lengths_N: Vec<usize> = rollouts.responses_N.iter().map(|r| r.tokens_T.len()).collect();
        let signal = Floored::new(&signal, &lengths_N, floor);
        Ok(settle(Scored { rollouts, signal }, weight_N_T, start))
    }
}
