use std::time::Instant;

use crate as limbeck;
use crate::batch::{Rollouts, Routed, Scored};
use crate::capability::{Judgement, TwoViews};
use crate::check::{Facts, Fault};
use crate::error::Result;
use crate::stages::route::visual::{token_weights, visual_advantage};
use crate::stages::route::Route;
use limbeck::Settings;

/// Responses and tokens weigh by the visual advantage `VA = max(0, log q_orig(y) − log q_pix(y))`
/// (VA-OPD, arXiv 2605.21924): how much the teacher's belief in a token rests on what the poorer view
/// hides.
///
/// In a group, responses share by the softmax of their standardised mean `VA`; in a response, the top
/// `ceil(share·T)` tokens share `mass` evenly, and the others the rest. The weights of one prompt sum to
/// 1, and the loss is their mean over prompts. As every loss divides by a response's length and by the
/// count of responses, weights are routed times both and over the count of prompts.
#[derive(Clone, Debug, Settings)]
#[settings(check = check)]
pub struct ByVisualAdvantage {
    /// The share of a response's tokens that counts as the top.
    #[setting(default = 0.2)]
    pub share: f64,
    /// How much of a response's weight the top has.
    #[setting(default = 0.5)]
    pub mass: f64,
}

const fn check(method: &ByVisualAdvantage, _: &Facts) -> Option<Fault> {
    if !(method.share > 0.0 && method.share < 1.0) {
        let says = "`share` is the part of a response's tokens that counts as its top: above 0 and below 1";
        return Some(Fault { stage: "route", field: "share", says });
    }
    if !(method.mass >= 0.0 && method.mass <= 1.0) {
        let says = "`mass` is the part of a response's weight that its top tokens have: from 0 to 1";
        return Some(Fault { stage: "route", field: "mass", says });
    }
    None
}

impl<S: TwoViews, J: Judgement> Route<S, J> for ByVisualAdvantage {
    type Signal = S;

    fn route(&self, scored: Scored<S, J>) -> Result<Routed<S>> {
        let start = Instant::now();
        let Scored { mut rollouts, signal } = scored;
        let mut weight_N_T: Vec<Vec<f64>> =
            rollouts.responses_N.iter().map(|response| vec![0.0; response.tokens_T.len()]).collect();
        let groups: Vec<Vec<usize>> =
            rollouts.groups().into_iter().filter(|group| !group.is_empty()).collect();
        let scale = crate::dist::sum(rollouts.responses_N.len() as f64)
            / crate::dist::sum(groups.len() as f64).max(1.0);
        for group in groups {
            // who is not learnt from takes no weight away from the others
            let group: Vec<usize> = group.into_iter().filter(|&i| learnt(&rollouts, &signal, i)).collect();
            let advantages: Vec<Vec<f64>> =
                group.iter().map(|&i| of_response(&signal, i, weight_N_T[i].len())).collect();
            for &advantage in advantages.iter().flatten() {
                rollouts.ledger.mean("visual_advantage", advantage, 1.0);
            }
            for (&i, weights) in group.iter().zip(token_weights(&advantages, self.share, self.mass)) {
                let length = weights.len() as f64;
                weight_N_T[i] = weights.into_iter().map(|weight| weight * length * scale).collect();
            }
        }
        crate::stages::note_time(&mut rollouts.ledger, "route", start);
        Ok(Routed::weighted(Scored { rollouts, signal }, weight_N_T))
    }
}

fn learnt<S: TwoViews, J>(rollouts: &Rollouts<J>, signal: &S, i: usize) -> bool {
    rollouts.kept_N[i] && signal.heard(i) && !rollouts.responses_N[i].tokens_T.is_empty()
}

fn of_response<S: TwoViews>(signal: &S, i: usize, length: usize) -> Vec<f64> {
    let tokens = (0..length).map(|t| signal.views(i, t));
    tokens.map(|(whole, poorer)| visual_advantage(whole, poorer)).collect()
}
