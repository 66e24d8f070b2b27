use std::cell::RefCell;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate as limbeck;
use crate::batch::{Routed, Scored};
use crate::capability::{Judgement, TwoVoices};
use crate::check::{Facts, Fault};
use crate::error::Result;
use crate::rng::{Purpose, Stream};
use crate::signal::TaughtRows;
use crate::stages::route::gap::gap;
use crate::stages::route::prune::{prune, Which};
use crate::stages::route::scope::{settle, TokenScope};
use crate::stages::route::Route;
use limbeck::Settings;

/// Which tokens are taken out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Pruned {
    /// Those with the largest gaps.
    #[default]
    Highest,
    /// Those with the smallest gaps.
    Lowest,
    /// Any, by the run's seed and the step.
    Random,
}

/// Every token learns from the teacher, but a share of them is taken out by the gap
/// `A = |log q_T − log q_S|` (the pruning study of DOPD, arXiv 2606.30626): `trunc(share·n)` of `n` have
/// weight 0. It shows what the tokens of a large gap teach.
#[derive(Clone, Debug, Settings)]
#[settings(check = check)]
pub struct PruneByGap {
    /// The share of the tokens that is taken out.
    #[setting(default = 0.2)]
    pub share: f64,
    /// Which tokens are taken out.
    #[setting(default = Pruned::Highest)]
    pub which: Pruned,
    /// Among which tokens they are chosen.
    #[setting(default = TokenScope::Batch)]
    pub scope: TokenScope,
}

const fn check(method: &PruneByGap, _: &Facts) -> Option<Fault> {
    if method.share >= 0.0 && method.share < 1.0 {
        return None;
    }
    let says = "`share` is the part of the tokens that is taken out: from 0 to below 1";
    Some(Fault { stage: "route", field: "share", says })
}

impl<S: TwoVoices, J: Judgement> Route<S, J> for PruneByGap {
    type Signal = TaughtRows;

    fn route(&self, scored: Scored<S, J>) -> Result<Routed<TaughtRows>> {
        let start = Instant::now();
        let place = scored.rollouts.place;
        let stream = RefCell::new(Stream::new(place.seed, Purpose::Prune, place.step, 0));
        let weight_N_T = self.scope.weigh(&scored, |tokens| {
            let gap_of = |&(i, t): &(usize, usize)| {
                let (teacher, hindsight) = scored.signal.said(i, t);
                gap(teacher, hindsight)
            };
            let gaps: Vec<f64> = tokens.iter().map(gap_of).collect();
            let which = match self.which {
                Pruned::Highest => Which::Highest,
                Pruned::Lowest => Which::Lowest,
                Pruned::Random => Which::Random(&mut stream.borrow_mut()),
            };
            prune(&gaps, self.share, which)
        });
        let Scored { rollouts, signal } = scored;
        let signal = TaughtRows::of(&signal, rollouts.responses_N.len());
        Ok(settle(Scored { rollouts, signal }, weight_N_T, start))
    }
}
