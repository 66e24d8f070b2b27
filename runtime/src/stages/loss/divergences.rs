use std::marker::PhantomData;

use crate as limbeck;
use crate::capability::Distributions;
use crate::check::{Facts, Fault};
use crate::real::Real;
use crate::stages::loss::divergence::Divergence;
use crate::stages::loss::row::StudentRow;
use crate::stages::loss::top_k::{Support, Tail, Truncation};
use crate::stages::loss::{Loss, TokenLoss};
use limbeck::Settings;

/// The whole vocabulary.
#[derive(Clone, Copy, Debug)]
pub struct Full;

/// The `K` likeliest tokens.
#[derive(Clone, Copy, Debug)]
pub struct TopK<const K: usize>;

/// Over how much of the vocabulary a divergence is taken: [`Full`] or [`TopK`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say how much of the vocabulary to compare",
    note = "write `Full` or `TopK<128>`"
)]
pub trait Width: Clone + std::fmt::Debug + Send + Sync + 'static {
    /// How many tokens; `None` is all of them.
    const K: Option<usize>;
}

impl Width for Full {
    const K: Option<usize> = None;
}

impl<const K: usize> Width for TopK<K> {
    const K: Option<usize> = Some(K);
}

/// `KL(s‖q)`: the student is pulled to where the teacher has mass (mode-seeking).
#[derive(Clone, Debug, Settings)]
#[settings(check = check_reverse, facts = tell_reverse)]
pub struct ReverseKl<W: Width = Full> {
    /// Whose likeliest tokens are compared; for `TopK` only.
    #[setting(default = Support::Student)]
    pub support: Support,
    /// What becomes of the other tokens; for `TopK` only.
    #[setting(default = Tail::Renormalise)]
    pub tail: Tail,
    /// Allows `Tail::Drop`, under which the student can lower the loss by lowering its mass on the set.
    #[setting(default = false)]
    pub collapse_is_known: bool,
    /// How much of the vocabulary.
    #[setting(skip)]
    pub width: PhantomData<W>,
}

/// `KL(q‖s)`: the student is spread over all that the teacher might say (mass-covering).
#[derive(Clone, Debug, Settings)]
#[settings(check = check_forward, facts = tell_forward)]
pub struct ForwardKl<W: Width = Full> {
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

/// The generalised Jensen-Shannon divergence `β KL(q‖m) + (1−β) KL(s‖m)`, `m = βq + (1−β)s`.
#[derive(Clone, Debug, Settings)]
#[settings(check = check_jsd, facts = tell_jsd)]
pub struct Jsd<W: Width = Full> {
    /// The teacher's weight `β` in the mixture; ½ is the plain Jensen-Shannon divergence.
    #[setting(default = 0.5)]
    pub beta: f64,
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

const fn tell_reverse<W: Width>(_: &ReverseKl<W>, facts: Facts) -> Facts {
    Facts { vocabulary: narrowest::<W>(), ..facts }
}

const fn tell_forward<W: Width>(_: &ForwardKl<W>, facts: Facts) -> Facts {
    Facts { vocabulary: narrowest::<W>(), ..facts }
}

const fn tell_jsd<W: Width>(_: &Jsd<W>, facts: Facts) -> Facts {
    Facts { vocabulary: narrowest::<W>(), ..facts }
}

/// The narrowest vocabulary that has so many tokens.
const fn narrowest<W: Width>() -> usize {
    match W::K {
        Some(k) => k,
        None => 1,
    }
}

const fn check_reverse<W: Width>(method: &ReverseKl<W>, _: &Facts) -> Option<Fault> {
    if W::K.is_some() && matches!(method.tail, Tail::Drop) && !method.collapse_is_known {
        return fault("tail", COLLAPSE);
    }
    check_width::<W>(method.support, method.tail)
}

pub(super) const COLLAPSE: &str = "reverse KL on a top-K set that is neither renormalised nor given a tail falls when the student leaves the set: use Tail::Renormalise or Tail::Bucket, or say `collapse_is_known = true`";

const fn check_forward<W: Width>(method: &ForwardKl<W>, _: &Facts) -> Option<Fault> {
    check_width::<W>(method.support, method.tail)
}

const fn check_jsd<W: Width>(method: &Jsd<W>, _: &Facts) -> Option<Fault> {
    if !(method.beta > 0.0 && method.beta < 1.0) {
        let says = "at beta 0 or 1 the Jensen-Shannon divergence is zero for everyone: say `ForwardKl` or `ReverseKl` instead, or choose a beta between";
        return fault("beta", says);
    }
    check_width::<W>(method.support, method.tail)
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
        Some(1) if matches!(tail, Tail::Renormalise) => {
            fault("tail", "one token renormalised is always certain, so nothing would be learnt: use a larger K or Tail::Bucket")
        }
        _ => None,
    }
}

const fn fault(field: &'static str, says: &'static str) -> Option<Fault> {
    Some(Fault { stage: "loss", field, says })
}

fn compare<S: Distributions, R: Real, W: Width>(
    divergence: Divergence,
    (support, tail): (Support, Tail),
    signal: &S,
    (i, t): (usize, usize),
    student: &mut StudentRow<'_, R>,
) -> TokenLoss {
    let teacher = signal.teacher_row::<R>(i, t);
    let Some(k) = W::K else {
        let loss = divergence.push(student, &teacher, R::one());
        // a row that was not recorded has no loss; recordings without logits are refused before
        return TokenLoss { loss: loss.map_or(f64::NAN, Real::f64), ..TokenLoss::default() };
    };
    match (Truncation { k, support, tail }).push(divergence, student, &teacher, R::one()) {
        None => TokenLoss { loss: f64::NAN, ..TokenLoss::default() },
        Some(found) => TokenLoss {
            loss: found.value.f64(),
            masses: Some((found.student_mass.f64(), found.teacher_mass.f64())),
            ..TokenLoss::default()
        },
    }
}

macro_rules! divergence_loss {
    ($method:ident, $self:ident => $divergence:expr) => {
        impl<S: Distributions, W: Width> Loss<S> for $method<W> {
            const NEEDS_VOCABULARY: usize = narrowest::<W>();
            const WHOLE_ROWS: bool = true;

            fn token<R: Real>(
                &$self,
                signal: &S,
                i: usize,
                t: usize,
                student: &mut StudentRow<'_, R>,
            ) -> TokenLoss {
                compare::<S, R, W>($divergence, ($self.support, $self.tail), signal, (i, t), student)
            }
        }
    };
}

divergence_loss!(ReverseKl, self => Divergence::ReverseKl);
divergence_loss!(ForwardKl, self => Divergence::ForwardKl);
divergence_loss!(Jsd, self => Divergence::Jsd { beta: self.beta });
