use std::marker::PhantomData;

use crate as limbeck;
use crate::capability::Distributions;
use crate::check::{Facts, Fault};
use crate::kernels::token_loss::{Described, Part, Tells, Weight};
use crate::real::Real;
use crate::signal::Target;
use crate::stages::loss::described::{nothing, part};
use crate::stages::loss::divergence::Divergence;
use crate::stages::loss::row::StudentRow;
use crate::stages::loss::top_k::{top_k, Support, Tail, Truncation};
use crate::stages::loss::{Loss, TokenLoss};
use limbeck::Settings;

/// The whole vocabulary.
#[derive(Clone, Copy, Debug)]
pub struct Full;

/// The `K` likeliest tokens.
#[derive(Clone, Copy, Debug)]
pub struct TopK<const K: usize>;

/// The `K` likeliest tokens, or the whole vocabulary where it has fewer.
#[derive(Clone, Copy, Debug)]
pub struct UpTo<const K: usize>;

/// Over how much of the vocabulary a divergence is taken: [`Full`], [`TopK`] or [`UpTo`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say how much of the vocabulary to compare",
    note = "write `Full`, `TopK<128>`, or `UpTo<128>` where a vocabulary may have fewer"
)]
pub trait Width: Clone + std::fmt::Debug + Send + Sync + 'static {
    /// How many tokens; `None` is all of them.
    const K: Option<usize>;
    /// The narrowest vocabulary that has so many.
    const NARROWEST: usize;
}

impl Width for Full {
    const K: Option<usize> = None;
    const NARROWEST: usize = 1;
}

impl<const K: usize> Width for TopK<K> {
    const K: Option<usize> = Some(K);
    const NARROWEST: usize = K;
}

impl<const K: usize> Width for UpTo<K> {
    const K: Option<usize> = Some(K);
    const NARROWEST: usize = 1;
}

/// `KL(s‖q)`: the student is pulled to where the teacher has mass (mode-seeking).
#[derive(Clone, Debug, Settings)]
#[settings(check = check_reverse, facts = tell_reverse)]
pub struct ReverseKl<W: Width = Full> {
    /// Whose likeliest tokens are compared; not for `Full`.
    #[setting(default = Support::Student)]
    pub support: Support,
    /// What becomes of the other tokens; not for `Full`.
    #[setting(default = Tail::Renormalise)]
    pub tail: Tail,
    /// Allows `Tail::Drop`, under which the student can lower the loss by lowering its mass on the set.
    #[setting(default = false)]
    pub collapse_is_known: bool,
    /// The most that an importance weight may be (SDPO takes 2); `inf` weights nothing.
    #[setting(default = f64::INFINITY)]
    pub importance_clip: f64,
    /// How much of the vocabulary.
    #[setting(skip)]
    pub width: PhantomData<W>,
}

/// `KL(q‖s)`: the student is spread over all that the teacher might say (mass-covering).
#[derive(Clone, Debug, Settings)]
#[settings(check = check_forward, facts = tell_forward)]
pub struct ForwardKl<W: Width = Full> {
    /// Whose likeliest tokens are compared; not for `Full`.
    #[setting(default = Support::Student)]
    pub support: Support,
    /// What becomes of the other tokens; not for `Full`.
    #[setting(default = Tail::Renormalise)]
    pub tail: Tail,
    /// The most that an importance weight may be (SDPO takes 2); `inf` weights nothing.
    #[setting(default = f64::INFINITY)]
    pub importance_clip: f64,
    /// How much of the vocabulary.
    #[setting(skip)]
    pub width: PhantomData<W>,
}

/// The generalised Jensen-Shannon divergence `β KL(q‖m) + (1−β) KL(s‖m)`, `m = βq + (1−β)s`.
#[derive(Clone, Debug, Settings)]
#[settings(check = check_jsd, facts = tell_jsd)]
pub struct Jsd<W: Width = Full> {
    /// The teacher's weight `β` in the mixture; ½ is the plain Jensen-Shannon divergence.
    #[setting(default = 0.5)]
    pub beta: f64,
    /// Whose likeliest tokens are compared; not for `Full`.
    #[setting(default = Support::Student)]
    pub support: Support,
    /// What becomes of the other tokens; not for `Full`.
    #[setting(default = Tail::Renormalise)]
    pub tail: Tail,
    /// The most that an importance weight may be (SDPO takes 2); `inf` weights nothing.
    #[setting(default = f64::INFINITY)]
    pub importance_clip: f64,
    /// How much of the vocabulary.
    #[setting(skip)]
    pub width: PhantomData<W>,
}

const fn tell_reverse<W: Width>(method: &ReverseKl<W>, facts: Facts) -> Facts {
    tell::<W>(method.support, facts)
}

const fn tell_forward<W: Width>(method: &ForwardKl<W>, facts: Facts) -> Facts {
    tell::<W>(method.support, facts)
}

const fn tell_jsd<W: Width>(method: &Jsd<W>, facts: Facts) -> Facts {
    tell::<W>(method.support, facts)
}

const fn tell<W: Width>(support: Support, facts: Facts) -> Facts {
    let content_with = match (W::K, support) {
        (Some(k), Support::Teacher) => k,
        _ => 0,
    };
    Facts { vocabulary: W::NARROWEST, content_with, ..facts }
}

const fn check_reverse<W: Width>(method: &ReverseKl<W>, facts: &Facts) -> Option<Fault> {
    if W::K.is_some() && matches!(method.tail, Tail::Drop) && !method.collapse_is_known {
        return fault("tail", COLLAPSE);
    }
    match check_importance(method.importance_clip, facts) {
        None => check_width::<W>(method.support, method.tail),
        fault => fault,
    }
}

pub(super) const COLLAPSE: &str = "reverse KL on a top-K set that is neither renormalised nor given a tail falls when the student leaves the set: use Tail::Renormalise or Tail::Bucket, or say `collapse_is_known = true`";

const fn check_forward<W: Width>(method: &ForwardKl<W>, facts: &Facts) -> Option<Fault> {
    match check_importance(method.importance_clip, facts) {
        None => check_width::<W>(method.support, method.tail),
        fault => fault,
    }
}

const fn check_jsd<W: Width>(method: &Jsd<W>, facts: &Facts) -> Option<Fault> {
    if !(method.beta > 0.0 && method.beta < 1.0) {
        let says = "at beta 0 or 1 the Jensen-Shannon divergence is zero for everyone: say `ForwardKl` or `ReverseKl` instead, or choose a beta between";
        return fault("beta", says);
    }
    match check_importance(method.importance_clip, facts) {
        None => check_width::<W>(method.support, method.tail),
        fault => fault,
    }
}

const fn check_importance(clip: f64, facts: &Facts) -> Option<Fault> {
    if !(clip > 0.0) {
        let says = "a clip of 0 or below leaves no token any weight: `importance_clip` is above 0, for example 2.0, or `inf` for no weights";
        return fault("importance_clip", says);
    }
    if clip < f64::INFINITY && !facts.on_policy {
        let says = "importance weighs what an older student sampled, and these responses are not all the student's own: use `rollout: Sample`, or remove `importance_clip`";
        return fault("importance_clip", says);
    }
    None
}

pub(super) const fn check_width<W: Width>(support: Support, tail: Tail) -> Option<Fault> {
    match W::K {
        None if !matches!(tail, Tail::Renormalise) => {
            fault("tail", "the full vocabulary has no tail: remove `tail`, or compare `TopK<128>`")
        }
        None if !matches!(support, Support::Student) => fault(
            "support",
            "the full vocabulary is everybody's: remove `support`, or compare `TopK<128>`",
        ),
        Some(0) => fault("", "the 0 likeliest tokens are none, so nothing would be compared: name a K of at least 2, as in `TopK<128>`, or leave the width out for the full vocabulary"),
        Some(_) if matches!(support, Support::Sampled) && !matches!(tail, Tail::Bucket) => {
            fault("tail", "one token alone is compared with nothing: count the others as one with `tail = Tail::Bucket`, or choose another support")
        }
        Some(1) if matches!(tail, Tail::Renormalise) => {
            fault("tail", "one token renormalised is always certain, so nothing would be learnt: use a larger K or Tail::Bucket")
        }
        _ => None,
    }
}

const fn fault(field: &'static str, says: &'static str) -> Option<Fault> {
    Some(Fault { stage: "loss", field, says })
}

/// The settings that all of them share.
#[derive(Clone, Copy)]
struct How {
    support: Support,
    tail: Tail,
    importance_clip: f64,
}

fn compare<S: Distributions, R: Real, W: Width>(
    divergence: Divergence,
    how: How,
    signal: &S,
    (i, t): (usize, usize),
    student: &mut StudentRow<'_, R>,
) -> TokenLoss {
    let limited = how.importance_clip < f64::INFINITY;
    let importance = if limited { student.importance(how.importance_clip) } else { None };
    let weight = importance.unwrap_or(R::one());
    let k = W::K.unwrap_or(usize::MAX);
    let found = match signal.at_hand::<R>(i, t) {
        Target::Row(teacher) => {
            Truncation { k, support: how.support, tail: how.tail }.push(divergence, student, &teacher, weight)
        }
        // the teacher's likeliest tokens, of which the loss may want fewer
        Target::On(ids, some) => {
            let places = top_k(&some.logits, k);
            let ids: Vec<usize> = places.iter().map(|&at| ids[at]).collect();
            how.tail.push(divergence, student, &ids, &some.narrowed(&places), weight)
        }
    };
    // a row that was not recorded has no loss; recordings without logits are refused before
    found.map_or(TokenLoss { loss: f64::NAN, ..TokenLoss::default() }, |found| TokenLoss {
        loss: (weight * found.value).f64(),
        weight: importance.map(Real::f64),
        masses: W::K.map(|_| (found.student_mass.f64(), found.teacher_mass.f64())),
        ..TokenLoss::default()
    })
}

fn describe<'a, S: Distributions, W: Width>(
    divergence: Divergence,
    how: How,
    signal: &'a S,
    (i, t): (usize, usize),
) -> Described<'a> {
    let limited = how.importance_clip < f64::INFINITY;
    let truncation = Truncation { k: W::K.unwrap_or(usize::MAX), support: how.support, tail: how.tail };
    let target = match signal.at_hand::<f32>(i, t) {
        Target::On(ids, some) => {
            let places = top_k(&some.logits, truncation.k);
            Target::On(places.iter().map(|&at| ids[at]).collect(), some.narrowed(&places))
        }
        row => row,
    };
    let compared = Part { weighed: limited, ..part(divergence, truncation, target, 1.0) };
    let weight = if limited { Weight::Importance } else { Weight::Nothing };
    let tells = Tells { weight, masses: W::K.is_some(), masked: false };
    Described { importance_clip: how.importance_clip as f32, parts: vec![compared], tells, ..nothing() }
}

macro_rules! divergence_loss {
    ($method:ident, $self:ident => $divergence:expr) => {
        impl<S: Distributions, W: Width> Loss<S> for $method<W> {
            const NEEDS_VOCABULARY: usize = W::NARROWEST;
            const WHOLE_ROWS: bool = true;

            fn token<R: Real>(
                &$self,
                signal: &S,
                i: usize,
                t: usize,
                student: &mut StudentRow<'_, R>,
            ) -> TokenLoss {
                let how = How {
                    support: $self.support,
                    tail: $self.tail,
                    importance_clip: $self.importance_clip,
                };
                compare::<S, R, W>($divergence, how, signal, (i, t), student)
            }

            fn described<'a>(&$self, signal: &'a S, i: usize, t: usize, _: usize) -> Option<Described<'a>> {
                let how = How {
                    support: $self.support,
                    tail: $self.tail,
                    importance_clip: $self.importance_clip,
                };
                Some(describe::<S, W>($divergence, how, signal, (i, t)))
            }
        }
    };
}

divergence_loss!(ReverseKl, self => Divergence::ReverseKl);
divergence_loss!(ForwardKl, self => Divergence::ForwardKl);
divergence_loss!(Jsd, self => Divergence::Jsd { beta: self.beta });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn up_to_k_asks_no_width_and_is_checked_as_top_k_is() {
        assert_eq!(<TopK<100> as Width>::NARROWEST, 100);
        assert_eq!(<UpTo<100> as Width>::NARROWEST, 1);
        assert_eq!(<UpTo<100> as Width>::K, <TopK<100> as Width>::K);
        let field = |fault: Option<Fault>| fault.map(|fault| fault.field);
        assert_eq!(field(check_width::<UpTo<0>>(Support::Student, Tail::Bucket)), Some(""));
        assert_eq!(field(check_width::<UpTo<1>>(Support::Student, Tail::Renormalise)), Some("tail"));
        assert_eq!(field(check_width::<UpTo<1>>(Support::Teacher, Tail::Bucket)), None);
    }

    #[test]
    fn importance_is_of_the_students_own_samples() {
        let faults = |clip: f64, on_policy| {
            let fault = check_importance(clip, &Facts { on_policy, ..Facts::NONE });
            fault.map_or("", |fault| fault.field)
        };
        assert_eq!([2.0, 0.5, f64::INFINITY].map(|clip| faults(clip, true)), [""; 3]);
        assert_eq!([0.0, -1.0, f64::NAN].map(|clip| faults(clip, true)), ["importance_clip"; 3]);
        assert_eq!([2.0, f64::INFINITY].map(|clip| faults(clip, false)), ["importance_clip", ""]);
    }
}
