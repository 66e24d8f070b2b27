use std::marker::PhantomData;

use crate as limbeck;
use crate::capability::Regimes;
use crate::check::{Facts, Fault};
use crate::kernels::token_loss::{Described, Tells, Weight};
use crate::real::Real;
use crate::signal;
use crate::stages::loss::described::{nothing, part};
use crate::stages::loss::divergence::Divergence;
use crate::stages::loss::divergences::{check_width, Width, COLLAPSE};
use crate::stages::loss::dopd::{Dopd, Target, Targets, Weights};
use crate::stages::loss::row::StudentRow;
use crate::stages::loss::top_k::{top_k, Gathered, Support, Tail, Truncation};
use crate::stages::loss::{Full, Loss, TokenLoss};
use crate::stages::route::gap::{Regime, RegimeSet};
use limbeck::Settings;

/// Each token by its regime (DOPD, arXiv 2606.30626, Eqs. 6 to 11): where teacher and hindsight differ
/// and the teacher is surer, the Jensen-Shannon divergence over the whole vocabulary; elsewhere reverse
/// KL on the top K to whichever of the two the token was routed to, with less weight. A K wider than
/// the vocabulary compares all of it.
///
/// Other settings are the paper's ablations: without the teacher is a `learn` without LH and HT, without
/// the hindsight one without LL and HS; one objective is `strong: ReverseKl`, one granularity
/// `strong_whole: false`, equal tokens `light: 1, weak: 1`. The paper does not say what becomes of tokens
/// whose source is removed; here they have no loss.
#[derive(Clone, Debug, Settings)]
#[settings(check = check, facts = tell)]
pub struct Routed<W: Width = Full> {
    /// The weight of tokens with a small gap that both find likely, and of those the hindsight prefers.
    #[setting(default = 0.6)]
    pub light: f64,
    /// The weight of tokens with a small gap that neither finds likely.
    #[setting(default = 0.3)]
    pub weak: f64,
    /// Which regimes learn; the tokens of the others have no loss, and still count in the mean.
    #[setting(default = RegimeSet::ALL)]
    pub learn: RegimeSet,
    /// How tokens are compared where teacher and hindsight differ and the teacher is surer (HT).
    #[setting(default = Divergence::Jsd { beta: 0.5 })]
    pub strong: Divergence,
    /// Whether those are compared over the whole vocabulary; false leaves them the top K too.
    #[setting(default = true)]
    pub strong_whole: bool,
    /// How all other tokens are compared.
    #[setting(default = Divergence::ReverseKl)]
    pub gentle: Divergence,
    /// Whose likeliest tokens are compared; for `TopK` only.
    #[setting(default = Support::Student)]
    pub support: Support,
    /// What becomes of the other tokens; for `TopK` only.
    #[setting(default = Tail::Renormalise)]
    pub tail: Tail,
    /// Allows `Tail::Drop`, under which the student can lower a reverse KL by lowering its mass on the set.
    #[setting(default = false)]
    pub collapse_is_known: bool,
    /// How much of the vocabulary.
    #[setting(skip)]
    pub width: PhantomData<W>,
}

const fn tell<W: Width>(_: &Routed<W>, facts: Facts) -> Facts {
    Facts { learns_cut_rows: true, ..facts }
}

const fn check<W: Width>(method: &Routed<W>, facts: &Facts) -> Option<Fault> {
    if facts.kept > 0 {
        let says = match (W::K, method.support) {
            (None, _) => "`keep` leaves the student's likeliest tokens of most rows, and the loss compares all of them: name a K of at most `keep` in the loss, as in `Routed<TopK<128>>`, or remove `keep`",
            (Some(k), _) if k > facts.kept => "the loss compares more tokens than `keep` leaves of a row: raise `keep` to the loss's K, or lower that",
            (_, Support::Teacher | Support::Union | Support::Sampled) => "`keep` leaves the student's likeliest tokens, and the loss asks for others: use `Support::Student`, or remove `keep`",
            (Some(_), Support::Student) => "",
        };
        if !says.is_empty() {
            return Some(Fault { stage: "score", field: "keep", says });
        }
    }
    if !(method.light >= 0.0 && method.light < f64::INFINITY) {
        return fault("light", "a weight is 0 or above, and finite");
    }
    if !(method.weak >= 0.0 && method.weak < f64::INFINITY) {
        return fault("weak", "a weight is 0 or above, and finite");
    }
    if method.learn.is_empty() {
        return fault("learn", "nobody would learn: let at least one of the regimes lh, ll, ht, hs be true");
    }
    if method.strong.is_nothing() {
        return fault("strong", Divergence::NOTHING);
    }
    if method.gentle.is_nothing() {
        return fault("gentle", Divergence::NOTHING);
    }
    if W::K.is_none() && !method.strong_whole {
        let says = "the full vocabulary is compared everywhere: remove `strong_whole`, or name a K, as in `Routed<TopK<128>>`";
        return fault("strong_whole", says);
    }
    if reverse_on_a_part(method) && matches!(method.tail, Tail::Drop) && !method.collapse_is_known {
        return fault("tail", COLLAPSE);
    }
    check_width::<W>(method.support, method.tail)
}

/// Whether reverse KL is taken on a part of the vocabulary.
const fn reverse_on_a_part<W: Width>(method: &Routed<W>) -> bool {
    let strong = matches!(method.strong, Divergence::ReverseKl) && !method.strong_whole;
    W::K.is_some() && (strong || matches!(method.gentle, Divergence::ReverseKl))
}

const fn fault(field: &'static str, says: &'static str) -> Option<Fault> {
    Some(Fault { stage: "loss", field, says })
}

/// The student's `k` likeliest of the tokens that were kept.
fn narrowed<R: Real>(
    ids: Vec<usize>,
    some: Gathered<R>,
    k: usize,
    student: &StudentRow<'_, R>,
) -> signal::Target<'static, R> {
    let Some(logits) = student.logits().filter(|_| k < ids.len()) else {
        return signal::Target::On(ids, some);
    };
    let places = top_k(&ids.iter().map(|&id| logits[id]).collect::<Vec<R>>(), k);
    signal::Target::On(places.iter().map(|&at| ids[at]).collect(), some.narrowed(&places))
}

impl<W: Width> Routed<W> {
    fn dopd(&self) -> Dopd {
        Dopd {
            weights: Weights { light: self.light, weak: self.weak },
            truncation: Truncation { k: W::K.unwrap_or(usize::MAX), support: self.support, tail: self.tail },
            learn: self.learn,
            strong: self.strong,
            strong_whole: self.strong_whole,
            gentle: self.gentle,
        }
    }
}

impl<S: Regimes, W: Width> Loss<S> for Routed<W> {
    const WHOLE_ROWS: bool = true;

    fn token<R: Real>(&self, signal: &S, i: usize, t: usize, student: &mut StudentRow<'_, R>) -> TokenLoss {
        let k = W::K.unwrap_or(usize::MAX);
        let dopd = self.dopd();
        // the route kept the row of the one this token learns from, or the student's likeliest tokens of it
        let held = match signal.target::<R>(i, t) {
            signal::Target::On(ids, some) => narrowed(ids, some, k, student),
            row => row,
        };
        let target = Some(match &held {
            signal::Target::Row(row) => Target::Row(row),
            signal::Target::On(ids, some) => Target::On(ids, some),
        });
        let regime = signal.regime(i, t).unwrap_or(Regime::HT);
        match dopd.push(regime, student, Targets { teacher: target, student: target }) {
            None => TokenLoss { loss: f64::NAN, ..TokenLoss::default() },
            Some(found) => TokenLoss {
                loss: found.value.f64(),
                weight: Some(dopd.weight(regime)),
                masses: found.masses.map(|(student, teacher)| (student.f64(), teacher.f64())),
                ..TokenLoss::default()
            },
        }
    }
    fn described<'a>(&self, signal: &'a S, i: usize, t: usize, _: usize) -> Option<Described<'a>> {
        let (dopd, regime) = (self.dopd(), signal.regime(i, t).unwrap_or(Regime::HT));
        let weight = dopd.weight(regime);
        let tells = Tells { weight: Weight::Fixed(weight), ..Tells::default() };
        if !dopd.learn.has(regime) {
            return Some(Described { tells, ..nothing() });
        }
        let whole = regime == Regime::HT && dopd.strong_whole;
        let divergence = if regime == Regime::HT { dopd.strong } else { dopd.gentle };
        let target = signal.target::<f32>(i, t);
        let truncation = match (&target, whole) {
            (signal::Target::On(..), true) => return None,
            (signal::Target::Row(_), true) => Truncation { k: usize::MAX, ..dopd.truncation },
            (_, false) => dopd.truncation,
        };
        let parts = vec![part(divergence, truncation, target, weight)];
        Some(Described { parts, tells: Tells { masses: !whole, ..tells }, ..nothing() })
    }
}
