//! Rollouts in, decisions out: a recipe's balance, calibrate, route and loss on recorded rollouts, with
//! the same code that trains, in `f64`, without a model.

mod line;
mod recorded;

pub use recorded::{Recorded, Voice};

use serde::Serialize;

use crate::batch::Routed;
use crate::capability::Signal;
use crate::error::{Error, Result};
use crate::stages::calibrate::margin::trajectory_return;
use crate::stages::loss::row::StudentRow;
use crate::stages::loss::Loss;
use crate::stages::route::gap::Regime;

/// What a recipe decided about each recorded response, and in all.
#[derive(Clone, Debug)]
pub struct Replay {
    /// One decision a response, in the order of the recording.
    pub decisions: Vec<Decision>,
    /// The whole recording.
    pub summary: Summary,
}

/// What a recipe decided about one response.
#[derive(Clone, Debug, Serialize)]
pub struct Decision {
    /// The prompt, as recorded.
    pub prompt: String,
    /// Whether the loss learns from it.
    pub kept: bool,
    /// Its return before calibration: the mean token reward.
    #[serde(rename = "return")]
    pub return_before: Option<f64>,
    /// Its return after calibration.
    pub calibrated_return: Option<f64>,
    /// The token rewards after calibration.
    pub advantage: Option<Vec<f64>>,
    /// The regime of each token, for recipes that route by regime.
    pub regime: Option<Vec<String>>,
    /// The routed weight of each token.
    pub weight: Vec<f64>,
    /// The loss of each token, weight included.
    pub loss: Vec<f64>,
}

/// What a recipe decided in all.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// How many responses.
    pub responses: usize,
    /// How many tokens.
    pub tokens: usize,
    /// How many prompts.
    pub groups: usize,
    /// How many groups the calibration changed.
    pub calibrated_groups: usize,
    /// How many responses the loss learns from.
    pub kept: usize,
    /// The mean over responses of the mean over tokens; a response that is not kept counts 0 above and 1 below.
    pub loss: f64,
    /// How many tokens are in each regime, for recipes that route by regime.
    pub regimes: Option<std::collections::BTreeMap<String, usize>>,
}

/// The last line of a replay.
#[derive(Serialize)]
struct Closing<'a> {
    summary: &'a Summary,
}

/// The loss of every recorded response, token by token.
pub(crate) fn replay<S: Signal, L: Loss<S>>(
    loss: &L,
    recorded: &Recorded,
    routed: &Routed<S>,
) -> Result<Replay> {
    if L::WHOLE_ROWS {
        recorded.log_rows(Voice::Student)?;
    }
    let (rollouts, signal) = (routed.rollouts(), routed.signal());
    let mut decisions = Vec::with_capacity(rollouts.responses_N.len());
    let mut total = 0.0;
    for (i, response) in rollouts.responses_N.iter().enumerate() {
        let length = response.tokens_T.len();
        let (mut weights, mut losses) = (Vec::with_capacity(length), Vec::with_capacity(length));
        for t in 0..length {
            let mut student = match recorded.student_row(i, t) {
                Some(row) => StudentRow::whole(row, response.tokens_T[t] as usize),
                None => StudentRow::recorded(recorded.student_log_prob(i, t)?),
            };
            let found = loss.token(signal, i, t, &mut student);
            let weight = routed.weight(i, t);
            weights.push(weight * found.weight.unwrap_or(1.0));
            losses.push(weight * found.loss);
        }
        let rewards = signal.rewards(i).unwrap_or_default();
        let numbers = losses.iter().chain(rewards).copied().chain(signal.return_before(i));
        if numbers.chain([losses.iter().sum(), trajectory_return(rewards)]).any(|x| !x.is_finite()) {
            return Err(Error::call("the numbers are too large to compute with")
                .at(recorded.place(i))
                .next("a log-probability of a model lies within some hundreds of 0"));
        }
        if routed.learnt_from(i) {
            total += losses.iter().sum::<f64>() / length.max(1) as f64;
        }
        let return_before = signal.return_before(i);
        decisions.push(Decision {
            prompt: rollouts.prompt_of(i).text.clone(),
            kept: rollouts.kept_N[i],
            return_before,
            calibrated_return: return_before
                .map(|before| signal.rewards(i).map_or(before, trajectory_return)),
            advantage: signal.rewards(i).map(<[f64]>::to_vec),
            regime: (0..length).map(|t| signal.regime(i, t).map(|regime| regime.to_string())).collect(),
            weight: weights,
            loss: losses,
        });
    }
    let summary = Summary {
        responses: decisions.len(),
        tokens: decisions.iter().map(|d| d.loss.len()).sum(),
        groups: rollouts.prompts_P.len(),
        calibrated_groups: rollouts.ledger.get("calibrated_groups").unwrap_or(0.0) as usize,
        kept: decisions.iter().filter(|d| d.kept).count(),
        loss: total / decisions.len().max(1) as f64,
        regimes: count_regimes(&decisions),
    };
    Ok(Replay { decisions, summary })
}

/// How many tokens are in each regime; none for recipes that do not route by regime.
fn count_regimes(decisions: &[Decision]) -> Option<std::collections::BTreeMap<String, usize>> {
    decisions.iter().any(|d| d.regime.is_some()).then(|| {
        let mut counts: std::collections::BTreeMap<String, usize> =
            Regime::ALL.iter().map(|regime| (regime.to_string(), 0)).collect();
        for regime in decisions.iter().flat_map(|d| d.regime.iter().flatten()) {
            *counts.entry(regime.clone()).or_default() += 1;
        }
        counts
    })
}

impl Replay {
    /// The JSON Lines that `limbeck replay` prints.
    pub fn to_json_lines(&self) -> String {
        let line = |value: serde_json::Result<String>| {
            value.unwrap_or_else(|why| format!("{{\"error\": \"{why}\"}}"))
        };
        let mut text = String::new();
        for decision in &self.decisions {
            text.push_str(&line(serde_json::to_string(decision)));
            text.push('\n');
        }
        text.push_str(&line(serde_json::to_string(&Closing { summary: &self.summary })));
        text.push('\n');
        text
    }
}
