//! What a stage may ask of what came before it. Each trait is one sentence that rustc says under the
//! user's own word when the recipe does not hold it.

use std::borrow::Cow;

use crate::error::Result;
use crate::real::Real;
use crate::signal::{Rows, Target};
use crate::stages::route::gap::Regime;

/// Rollouts that may or may not have been judged.
pub trait Judgement: Clone {
    /// Whether response `i` was right; `None` when that is not known.
    fn outcome(&self, i: usize) -> Option<bool>;
}

/// Rollouts of which it is known whether they were right.
#[diagnostic::on_unimplemented(
    message = "this stage must know which rollouts were right, and nothing before it says so",
    label = "needs outcomes",
    note = "add a `verify` stage before it, for example `verify: TaskAnswer`"
)]
pub trait Outcome: Judgement {}

/// Nothing has been judged.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unjudged;

impl Judgement for Unjudged {
    fn outcome(&self, _: usize) -> Option<bool> {
        None
    }
}

/// What the task said of each response: right, wrong, or not judged.
#[derive(Clone, Debug, Default)]
pub struct Judged {
    /// One outcome a response.
    pub outcomes_N: Vec<Option<bool>>,
}

impl Judgement for Judged {
    fn outcome(&self, i: usize) -> Option<bool> {
        self.outcomes_N.get(i).copied().flatten()
    }
}

impl Outcome for Judged {}

/// Whatever a score stage found out: what logs and replays may show of it.
pub trait Signal: Clone + Send + Sync + 'static {
    /// The reward of each token of response `i` as it stands, if the signal has rewards.
    fn rewards(&self, i: usize) -> Option<&[f64]>;
    /// The mean token reward of response `i` before any calibration: its return `G`.
    fn return_before(&self, i: usize) -> Option<f64>;
    /// Whether there was anything to hear about response `i`; what nobody spoke of is left out of the loss.
    fn heard(&self, _: usize) -> bool {
        true
    }
    /// The regime of token `t` of response `i`, if the signal is routed by regime.
    fn regime(&self, _: usize, _: usize) -> Option<Regime> {
        None
    }
}

/// One reward per sampled token: what a policy gradient learns from.
#[diagnostic::on_unimplemented(
    message = "this loss learns from one reward per sampled token, and the score stage gives none",
    label = "needs a reward per token",
    note = "use a score such as `score: SampledToken`, or a loss that compares whole distributions such as `loss: ReverseKl`"
)]
pub trait Rewards: Signal {
    /// The reward of token `t` of response `i`.
    fn reward(&self, i: usize, t: usize) -> f64;
    /// The student's log-probability of that token before the update.
    fn student(&self, i: usize, t: usize) -> f64;
    /// The teacher's log-probability of that token, when a teacher was asked.
    fn teacher(&self, i: usize, t: usize) -> Option<f64>;
}

/// A teacher's log-probability of each sampled token, and nothing else, behind the rewards.
#[diagnostic::on_unimplemented(
    message = "this loss pulls the student to one teacher's own log-probabilities, and the score stage gives rewards of another kind",
    label = "needs a teacher's log-probabilities",
    note = "use `score: SampledToken`, or `loss: PolicyGradient`, which learns from any reward per token"
)]
pub trait TeacherLogProbs: Rewards {}

/// Rewards that compare teacher and student, so that a whole response can be shifted.
#[diagnostic::on_unimplemented(
    message = "calibration sets a teacher's token rewards right, and the score stage gives none",
    label = "needs a teacher's reward per token",
    note = "use `score: SampledToken` (or another score that compares a teacher with the student token by token)"
)]
pub trait Calibratable: Rewards {
    /// Adds `offset` to every token reward of response `i`.
    fn shift(&mut self, i: usize, offset: f64);
    /// Sets every token reward of response `i` to zero.
    fn silence(&mut self, i: usize);
}

/// The teacher's whole distribution at every position.
#[diagnostic::on_unimplemented(
    message = "this loss compares the student with one whole distribution at every token, and what comes before it does not settle on one",
    label = "needs one teacher's whole distribution",
    note = "where the score asks for sampled tokens: use `score: FullVocab`, or a loss on sampled tokens such as `loss: PolicyGradient`",
    note = "where it hears a teacher and an `Own` hindsight: choose between them with `route: AdvantageGap`, take both with `loss: JsdToBoth`, or remove one"
)]
pub trait Distributions: Signal {
    /// The teacher's log-probabilities over the vocabulary at token `t` of response `i`: `[V]`.
    fn teacher_row<R: Real>(&self, i: usize, t: usize) -> Cow<'_, [R]>;

    /// What a divergence on the teacher's likeliest tokens is given: the row, unless less than that is at hand.
    fn at_hand<R: Real>(&self, i: usize, t: usize) -> Target<'_, R> {
        Target::Row(self.teacher_row(i, t))
    }
}

/// How uncertain the student is at every token.
#[diagnostic::on_unimplemented(
    message = "this route looks for tokens at which the student is uncertain, and the score stage does not say how uncertain it is",
    label = "needs the student's entropy at every token",
    note = "use `score: SampledToken` with a policy gradient, or `score: Contrasted` with a loss that compares whole distributions"
)]
pub trait Uncertain: Signal {
    /// The student's entropy in nats at each token of each response: `[N][T]`.
    ///
    /// # Errors
    /// A recording that holds the student's sampled tokens only.
    fn entropies(&self) -> Result<&[Vec<f64>]>;
}

/// One reward per sampled token, and how uncertain the student was there.
#[diagnostic::on_unimplemented(
    message = "this route chooses among token rewards by how uncertain the student is, and the score stage does not give both",
    label = "needs a reward and the student's entropy at every token",
    note = "use `score: SampledToken`"
)]
pub trait UncertainRewards: Rewards + Uncertain {}

/// How uncertain the student is at every token, and how far from its teacher.
#[diagnostic::on_unimplemented(
    message = "this route weighs the student's entropy and its distance from the teacher, and the score stage does not measure them",
    label = "needs entropy and divergence at every token",
    note = "use `score: Contrasted`, which hears what `FullVocab` hears and measures both"
)]
pub trait Diverging: Uncertain {
    /// How far the student's distribution is from the teacher's at token `t` of response `i`.
    fn divergence(&self, i: usize, t: usize) -> f64;
}

/// What a teacher and the student's own hindsight say at every position.
#[diagnostic::on_unimplemented(
    message = "this weighs a teacher against the student's own hindsight, and the score heard no such pair",
    label = "needs two voices",
    note = "declare both, reading the same, for example `#[teacher(reads = StepHints)] teacher: Frozen` and `#[teacher(reads = StepHints)] hindsight: Own`, with `score: FullVocab`"
)]
pub trait TwoVoices: Signal {
    /// The log-probability of the sampled token under the teacher and under the hindsight.
    fn said(&self, i: usize, t: usize) -> (f64, f64);
    /// The teacher's rows of response `i`.
    fn teacher(&self, i: usize) -> &Rows;
    /// The hindsight's rows of response `i`.
    fn hindsight(&self, i: usize) -> &Rows;
    /// The width of a row.
    fn width(&self) -> usize;
}

/// What a teacher says of the prompt, and of a poorer view of it.
#[diagnostic::on_unimplemented(
    message = "this route weighs tokens by what the teacher loses in a poorer view, and the score heard one view only",
    label = "needs two views",
    note = "let the teacher read twice, for example `#[teacher] teacher: Frozen` and `#[teacher(reads = Pixelated)] pixelated: Frozen`, with `score: BothViews`"
)]
pub trait TwoViews: Distributions {
    /// The teacher's log-probability of the sampled token after the prompt and after the poorer view.
    fn views(&self, i: usize, t: usize) -> (f64, f64);
}

/// A regime for every token, with the row of the policy it was routed to.
#[diagnostic::on_unimplemented(
    message = "this loss treats each token by its regime, and no stage before it says which regime that is",
    label = "needs regimes",
    note = "add a route that finds them, for example `route: AdvantageGap`"
)]
pub trait Regimes: Distributions {
    /// What is at hand of the policy that token `t` of response `i` was routed to: its row, unless less
    /// was kept.
    fn target<R: Real>(&self, i: usize, t: usize) -> Target<'_, R> {
        Target::Row(self.teacher_row(i, t))
    }
}

/// Tokens to imitate as they stand.
#[diagnostic::on_unimplemented(
    message = "this loss imitates given tokens, and the score stage does not say that the tokens are to be imitated",
    label = "needs demonstrated tokens",
    note = "use `score: Demonstrated` with `rollout: Reference`"
)]
pub trait Demonstration: Signal {}
