use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate as limbeck;
use crate::batch::{Routed, Scored};
use crate::capability::{Diverging, Judgement};
use crate::check::{Facts, Fault};
use crate::error::Result;
use crate::stages::route::scope::{note_entropy, settle, TokenScope};
use crate::stages::route::tip::{keep_soft_or, keep_uncertain};
use crate::stages::route::Route;
use limbeck::Settings;

/// What makes a token important (TIP, arXiv 2604.14084).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Importance {
    /// The student is uncertain or far from the teacher: `ĥ + d̂ − ĥd̂`.
    #[default]
    SoftOr,
    /// The student is uncertain: its entropy alone.
    Entropy,
}

/// Only the most important tokens are trained on; the others have weight 0 (TIP, arXiv 2604.14084).
///
/// The `ceil(keep·n)` with the highest scores among the `n` tokens of the scope have weight 1; of equals,
/// the earlier. Weights are not scaled: a token kept counts as much as it would with all others.
#[derive(Clone, Debug, Settings)]
#[settings(check = check)]
pub struct ByImportance {
    /// The share of the tokens that is trained on.
    #[setting(default = 0.5)]
    pub keep: f64,
    /// What makes a token important.
    #[setting(default = Importance::SoftOr)]
    pub importance: Importance,
    /// The share of the highest entropies that is lowered to the next, so that one odd token does not set
    /// the scale; for `SoftOr` only.
    #[setting(default = 0.02)]
    pub clip: f64,
    /// Among which tokens the share is chosen.
    #[setting(default = TokenScope::Batch)]
    pub scope: TokenScope,
}

const fn check(method: &ByImportance, _: &Facts) -> Option<Fault> {
    if !(method.keep > 0.0 && method.keep <= 1.0) {
        let says = "`keep` is the share of the tokens that is trained on: above 0 and at most 1";
        return Some(Fault { stage: "route", field: "keep", says });
    }
    if !(method.clip >= 0.0 && method.clip < 1.0) {
        let says = "`clip` is the share of the highest entropies taken as one: from 0 to below 1";
        return Some(Fault { stage: "route", field: "clip", says });
    }
    None
}

impl<S: Diverging, J: Judgement> Route<S, J> for ByImportance {
    type Signal = S;

    fn route(&self, mut scored: Scored<S, J>) -> Result<Routed<S>> {
        let start = Instant::now();
        let signal = &scored.signal;
        let entropies_N_T = signal.entropies()?;
        let weight_N_T = self.scope.weigh(&scored, |tokens| {
            let entropies: Vec<f64> = tokens.iter().map(|&(i, t)| entropies_N_T[i][t]).collect();
            match self.importance {
                Importance::Entropy => keep_uncertain(&entropies, self.keep),
                Importance::SoftOr => {
                    let far: Vec<f64> = tokens.iter().map(|&(i, t)| signal.divergence(i, t)).collect();
                    keep_soft_or(&entropies, &far, self.clip, self.keep)
                }
            }
        });
        note_entropy(&mut scored, &weight_N_T)?;
        Ok(settle(scored, weight_N_T, start))
    }
}
