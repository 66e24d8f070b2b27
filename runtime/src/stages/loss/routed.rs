use std::marker::PhantomData;

use crate as limbeck;
use crate::capability::Regimes;
use crate::check::{Facts, Fault};
use crate::real::Real;
use crate::stages::loss::divergences::{check_width, Width};
use crate::stages::loss::dopd::{Dopd, Target, Targets, Weights};
use crate::stages::loss::row::StudentRow;
use crate::stages::loss::top_k::{Support, Tail, Truncation};
use crate::stages::loss::{Full, Loss, TokenLoss};
use crate::stages::route::gap::Regime;
use limbeck::Settings;

/// Each token by its regime (DOPD, arXiv 2606.30626, Eqs. 6 to 11): where teacher and hindsight differ
/// and the teacher is surer, the Jensen-Shannon divergence over the whole vocabulary; elsewhere reverse
/// KL on the top K to whichever of the two the token was routed to, with less weight. A K wider than
/// the vocabulary compares all of it.
#[derive(Clone, Debug, Settings)]
#[settings(check = check)]
pub struct Routed<W: Width = Full> {
    /// The weight of tokens with a small gap that both find likely, and of those the hindsight prefers.
    #[setting(default = 0.6)]
    pub light: f64,
    /// The weight of tokens with a small gap that neither finds likely.
    #[setting(default = 0.3)]
    pub weak: f64,
    /// Whose likeliest tokens are compared; for `TopK` only.
    #[setting(default = Support::Student)]
    pub support: Support,
    /// What becomes of the other tokens; for `TopK` only.
    #[setting(default = Tail::Renormalise)]
    pub tail: Tail,
    /// How much of the vocabulary.
    #[setting(skip)]
    pub width: PhantomData<W>,
}

const fn check<W: Width>(method: &Routed<W>, _: &Facts) -> Option<Fault> {
    if !(method.light >= 0.0 && method.light < f64::INFINITY) {
        return fault("light", "a weight is 0 or above, and finite");
    }
    if !(method.weak >= 0.0 && method.weak < f64::INFINITY) {
        return fault("weak", "a weight is 0 or above, and finite");
    }
    check_width::<W>(method.support, method.tail)
}

const fn fault(field: &'static str, says: &'static str) -> Option<Fault> {
    Some(Fault { stage: "loss", field, says })
}

impl<S: Regimes, W: Width> Loss<S> for Routed<W> {
    const WHOLE_ROWS: bool = true;

    fn token<R: Real>(&self, signal: &S, i: usize, t: usize, student: &mut StudentRow<'_, R>) -> TokenLoss {
        let k = W::K.unwrap_or(usize::MAX);
        let dopd = Dopd {
            weights: Weights { light: self.light, weak: self.weak },
            truncation: Truncation { k, support: self.support, tail: self.tail },
        };
        let row = signal.teacher_row::<R>(i, t);
        // the route kept the row of the one this token learns from
        let target = Some(Target::Row(&row[..]));
        let regime = signal.regime(i, t).unwrap_or(Regime::HT);
        match dopd.push(regime, student, Targets { teacher: target, student: target }) {
            None => TokenLoss { loss: f64::NAN, ..TokenLoss::default() },
            Some(found) => TokenLoss {
                loss: found.value.f64(),
                weight: Some(found.weight.f64()),
                masses: found.masses.map(|(student, teacher)| (student.f64(), teacher.f64())),
                ..TokenLoss::default()
            },
        }
    }
}
