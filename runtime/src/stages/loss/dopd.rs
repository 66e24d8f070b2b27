//! The loss of one routed token: DOPD, arXiv 2606.30626, eqs 6–11.

use serde::{Deserialize, Serialize};

use super::divergence::Divergence;
use super::row::StudentRow;
use super::top_k::{Gathered, Support, Tail, Truncated, Truncation};
use crate::real::Real;
use crate::stages::route::gap::{Regime, RegimeSet, Source};

/// How much a token of each regime counts. The sum over tokens is not divided by the weights.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Weights {
    /// `β_l`, of LH and HS.
    pub light: f64,
    /// `β_w`, of LL.
    pub weak: f64,
}

impl Default for Weights {
    fn default() -> Self {
        Self { light: 0.6, weak: 0.3 }
    }
}

impl Weights {
    /// The weight of a regime; that of HT is 1.
    ///
    /// ```
    /// use limbeck::stages::{loss::dopd::Weights, route::gap::Regime};
    /// assert_eq!(Regime::ALL.map(|regime| Weights::default().of(regime)), [0.6, 0.3, 1.0, 0.6]);
    /// ```
    pub fn of(self, regime: Regime) -> f64 {
        match regime {
            Regime::LH | Regime::HS => self.light,
            Regime::LL => self.weak,
            Regime::HT => 1.0,
        }
    }
}

/// A hinted model at one position: as much of it as was kept.
#[derive(Clone, Copy, Debug)]
pub enum Target<'a, R> {
    /// Its whole row of logits or log-probabilities; HT needs it.
    Row(&'a [R]),
    /// Only these tokens (ascending), whoever's top K they are: enough for LH, LL and HS.
    On(&'a [usize], &'a Gathered<R>),
}

/// The two hinted models at one position, both constants; what the regime does not ask may be missing.
#[derive(Clone, Copy, Debug)]
pub struct Targets<'a, R> {
    /// `Π_T(·|x, p)`.
    pub teacher: Option<Target<'a, R>>,
    /// `sg Π_S(·|x, p)`.
    pub student: Option<Target<'a, R>>,
}

impl<'a, R> Targets<'a, R> {
    /// The one a regime learns from.
    fn of(self, regime: Regime) -> Option<Target<'a, R>> {
        match regime.source() {
            Source::Teacher => self.teacher,
            Source::Student => self.student,
        }
    }
}

/// The settings of the loss.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dopd {
    /// Of the regimes.
    pub weights: Weights,
    /// What LH, LL and HS compare.
    pub truncation: Truncation,
    /// Which regimes learn; a token of another has no loss, and still counts in the mean.
    pub learn: RegimeSet,
    /// How HT is compared.
    pub strong: Divergence,
    /// Whether HT compares all tokens, and not only those of the truncation.
    pub strong_whole: bool,
    /// How LH, LL and HS are compared.
    pub gentle: Divergence,
}

/// The paper's weights, divergences and K = 128; whose K and what of the rest it does not say.
impl Default for Dopd {
    fn default() -> Self {
        let truncation = Truncation { k: 128, support: Support::Student, tail: Tail::Renormalise };
        Self {
            weights: Weights::default(),
            truncation,
            learn: RegimeSet::ALL,
            strong: Divergence::Jsd { beta: 0.5 },
            strong_whole: true,
            gentle: Divergence::ReverseKl,
        }
    }
}

/// What [`Dopd::push`] finds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DopdLoss<R> {
    /// `βD`: this, divided by the response's length, is the token's part of the loss.
    pub value: R,
    /// `D`.
    pub divergence: R,
    /// `β`.
    pub weight: R,
    /// The probabilities that the student and its target give to the tokens compared; none where all are
    /// compared, as for HT.
    pub masses: Option<(R, R)>,
}

impl Dopd {
    /// The loss of one token, `row` being the student *without* hints (eqs 6–11), as the paper has it:
    ///
    /// | regime | `D` | `β` |
    /// |---|---|---|
    /// | LH | `KL(s‖teacher)` on the top K | `β_l` |
    /// | LL | `KL(s‖hinted student)` on the top K | `β_w` |
    /// | HT | Jensen-Shannon of `s` and the teacher, all tokens | 1 |
    /// | HS | `KL(s‖hinted student)` on the top K | `β_l` |
    ///
    /// `β` times the gradient of `D` goes into the row. None if the row was recorded, or if what the
    /// regime asks is not at hand: its source, or for HT the source's whole row. The ablations set `D` and
    /// the tokens compared anew, or give a regime no loss.
    ///
    /// ```
    /// use limbeck::stages::{loss::{dopd::*, row::StudentRow}, route::gap::Regime};
    /// let (student, teacher) = ([0.1f64, 0.6, 0.3].map(f64::ln), [0.65f64, 0.05, 0.3].map(f64::ln));
    /// let hinted = [0.2f64, 0.5, 0.3].map(f64::ln);
    /// let targets =
    ///     Targets { teacher: Some(Target::Row(&teacher)), student: Some(Target::Row(&hinted)) };
    /// let of = |regime| {
    ///     Dopd::default().push(regime, &mut StudentRow::whole(&student, 0), targets).unwrap().value
    /// };
    /// assert!((of(Regime::HT) - 0.249814).abs() < 1e-6); // JSD(s, teacher)
    /// assert!((of(Regime::LL) - 0.3 * 0.040078).abs() < 1e-6); // β_w KL(s‖hinted student)
    /// assert!((of(Regime::HS) - 2.0 * of(Regime::LL)).abs() < 1e-12);
    /// ```
    pub fn push<R: Real>(
        self,
        regime: Regime,
        row: &mut StudentRow<R>,
        targets: Targets<R>,
    ) -> Option<DopdLoss<R>> {
        if !self.learn.has(regime) {
            let zero = R::zero();
            return Some(DopdLoss { value: zero, divergence: zero, weight: zero, masses: None });
        }
        let (weight, target) = (R::of(self.weight(regime)), targets.of(regime)?);
        let divergence = if regime == Regime::HT { self.strong } else { self.gentle };
        let (divergence, masses) = match (regime == Regime::HT && self.strong_whole, target) {
            (true, Target::Row(teacher)) => (divergence.push(row, teacher, weight)?, None),
            (true, Target::On(..)) => return None,
            (false, target) => {
                let Truncated { value, student_mass, teacher_mass } =
                    self.truncated(divergence, row, target, weight)?;
                (value, Some((student_mass, teacher_mass)))
            }
        };
        Some(DopdLoss { value: weight * divergence, divergence, weight, masses })
    }

    /// How much a token of this regime counts: nothing if the regime does not learn.
    pub fn weight(self, regime: Regime) -> f64 {
        if self.learn.has(regime) {
            self.weights.of(regime)
        } else {
            0.0
        }
    }

    /// The divergence on the top K, or on the tokens that were kept of the target.
    fn truncated<R: Real>(
        self,
        divergence: Divergence,
        row: &mut StudentRow<R>,
        target: Target<R>,
        weight: R,
    ) -> Option<Truncated<R>> {
        match target {
            Target::Row(target) => self.truncation.push(divergence, row, target, weight),
            Target::On(ids, target) => self.truncation.tail.push(divergence, row, ids, target, weight),
        }
    }
}
