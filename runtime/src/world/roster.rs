//! Who teaches, as a type: which teachers a recipe has, and what they read, is part of the type its
//! score stage sees.

use crate as limbeck;
use crate::check::{Facts, Fault};
use crate::error::{Error, Result};
use crate::privileged::{Found, Known, Plain, Reads, RowAlone};
use crate::replay::Voice;
use crate::world::Domain;
use limbeck::Settings;

/// A teacher whose weights never change: a model folder.
#[derive(Clone, Debug, Settings)]
pub struct Frozen {}

/// The student as it was at step 0.
#[derive(Clone, Debug, Settings)]
pub struct Start {}

/// The student itself, with its weights of this step and no gradient. It must read something that the
/// student does not.
#[derive(Clone, Debug, Settings)]
pub struct Own {}

/// The student itself once more, in the seat of a teacher that routing compares with its hindsight. Both then
/// say the same, every gap is 0, and every token goes to this seat (DOPD, arXiv 2606.30626: all HT), which is
/// plain self-distillation from hindsight. A recipe that means it says so by this word; `Own` is refused there.
#[derive(Clone, Debug, Settings)]
pub struct SameWeights {}

/// A running mean of the student: after every step it moves towards the student by `rate`.
#[derive(Clone, Debug, Settings)]
#[settings(check = check_ema)]
pub struct Ema {
    /// The share of the student in every step; 1 is the student itself.
    #[setting(default = 0.05)]
    pub rate: f64,
}

const fn check_ema(kind: &Ema, _: &Facts) -> Option<Fault> {
    if kind.rate > 0.0 && kind.rate <= 1.0 {
        return None;
    }
    let says = "`rate` is how far the mean moves towards the student in a step: above 0 and at most 1";
    Some(Fault { stage: "", field: "rate", says })
}

/// A kind of teacher.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a kind of teacher",
    label = "not a kind of teacher",
    note = "kinds of teachers: Frozen, Remote, Start, Own, Ema, SameWeights, or a type of yours with `impl Kind`"
)]
pub trait Kind: Sized + Clone {
    /// Whether it is the student, now or earlier: a recording then calls it a student.
    const SELF: bool;

    /// The seat of the teacher called `name`. It reads the prompt.
    fn seat(&self, name: &'static str) -> Seat<Self> {
        Seat { name, kind: self.clone(), is_self: Self::SELF, reads: Plain }
    }
}

impl Kind for Frozen {
    const SELF: bool = false;
}

impl Kind for Start {
    const SELF: bool = true;
}

impl Kind for Own {
    const SELF: bool = true;
}

impl Kind for Ema {
    const SELF: bool = true;
}

impl Kind for SameWeights {
    const SELF: bool = true;
}

/// A kind of teacher that gives its whole distribution, not only the sampled token's probability.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot give its whole distribution",
    label = "asked for the full vocabulary",
    note = "use `score: SampledToken` with this teacher, or `score: TeacherTopK` with one that gives its likeliest tokens, such as `Remote<TopK<20>>`, or a teacher whose weights are here, such as `Frozen`"
)]
pub trait GivesRows: Kind {}

impl GivesRows for Frozen {}
impl GivesRows for Start {}
impl GivesRows for Own {}
impl GivesRows for Ema {}
impl GivesRows for SameWeights {}

/// A kind of teacher whose weights are not the student's of this step, or one that says in words that they are.
#[diagnostic::on_unimplemented(
    message = "the teacher is the student itself, and so is the hindsight: both say the same of every token",
    label = "two voices needed, and this is one",
    note = "let one of them be another model (`Frozen`) or another time of the student (`Start`, `Ema`); if every token is meant to hear the student's own hindsight, say so with `SameWeights` in the teacher's seat"
)]
pub trait Another: Kind {}

impl Another for Frozen {}
impl Another for Start {}
impl Another for Ema {}
impl Another for SameWeights {}

/// One teacher's place in a recipe, and what it reads beyond the prompt.
#[derive(Clone, Debug)]
pub struct Seat<K, P = Plain> {
    name: &'static str,
    #[allow(dead_code, reason = "the kind's settings are read by kinds that have some")]
    kind: K,
    is_self: bool,
    reads: P,
}

impl<K> Seat<K> {
    /// The same seat; the teacher is shown `what`.
    pub fn reads<P: Reads>(self, what: P) -> Seat<K, <P::Needs as Keeps<P>>::It> {
        Seat { name: self.name, kind: self.kind, is_self: self.is_self, reads: what }
    }
}

/// `P` itself, by way of what it needs: of something that cannot be read rustc then knows no seat, and
/// does not complain once more wherever that seat is taken.
pub trait Keeps<P> {
    /// `P` itself.
    type It;
}

impl<N, P> Keeps<P> for N {
    type It = P;
}

/// What a teacher reads beyond the prompt, and nothing is one of the answers.
pub trait BeyondPrompt: Clone {
    /// Whether it is more than the prompt.
    const MORE: bool;
    /// What must be known for it.
    type Needs;
    /// What there is to read for one response; `None` when the prompt is all.
    fn look(&self, known: &Known<'_, Self::Needs>) -> Option<Found>;
}

impl BeyondPrompt for Plain {
    const MORE: bool = false;
    type Needs = RowAlone;

    fn look(&self, _: &Known<'_>) -> Option<Found> {
        None
    }
}

impl<P: Reads> BeyondPrompt for P {
    const MORE: bool = true;
    type Needs = P::Needs;

    fn look(&self, known: &Known<'_, P::Needs>) -> Option<Found> {
        Some(self.find(known))
    }
}

/// The recipe has no teacher.
#[derive(Clone, Copy, Debug)]
pub struct Nobody;

/// One teacher a domain: each prompt hears its own.
#[derive(Clone, Debug)]
pub struct Experts<K, P = Plain> {
    by_domain: Vec<(&'static str, Seat<K, P>)>,
}

impl<K, P> Experts<K, P> {
    /// Seats every domain of the user's enum. The routing is a `match`, so no domain can be forgotten.
    pub fn by<D: Domain>(seat: impl Fn(D) -> Seat<K, P>) -> Self {
        Self { by_domain: D::ALL.iter().map(|domain| (domain.name(), seat(*domain))).collect() }
    }
}

/// A roster in which somebody teaches.
#[diagnostic::on_unimplemented(
    message = "this stage asks a teacher, and the recipe declares none",
    label = "needs a teacher",
    note = "declare one above the stages, for example `#[teacher] teacher: Frozen`"
)]
pub trait Somebody {}

impl<K, P> Somebody for Seat<K, P> {}
impl<K, P> Somebody for Experts<K, P> {}
impl<A, B> Somebody for (A, B) {}

/// A roster in which nobody teaches.
#[diagnostic::on_unimplemented(
    message = "a teacher is declared, and this stage asks none",
    label = "asks no teacher",
    note = "remove the teacher, or use a score that asks it, such as `score: SampledToken`"
)]
pub trait Unattended {}

impl Unattended for Nobody {}

/// A roster in which each prompt hears exactly one teacher, and every declared teacher is heard.
#[diagnostic::on_unimplemented(
    message = "a teacher is declared that this stage never listens to",
    label = "hears one teacher a prompt",
    note = "remove the teacher, or use stages that hear both: `score: Extrapolated` for a `Start` reference, `score: FullVocab` with `route: AdvantageGap` for an `Own` hindsight"
)]
pub trait OneVoice {
    /// What must be known for what the teacher reads.
    type Needs;
    /// The seat of the teacher that scores prompts of `domain`.
    ///
    /// # Errors
    /// A domain nobody teaches.
    fn voice(&self, domain: &str) -> Result<&'static str>;
    /// What that teacher reads beyond the prompt of one response.
    fn look(&self, known: &Known<'_, Self::Needs>) -> Option<Found>;
    /// What a recording calls it.
    fn recorded_as(&self) -> Voice;
}

impl OneVoice for Nobody {
    type Needs = RowAlone;

    fn voice(&self, _: &str) -> Result<&'static str> {
        Err(Error::call("the recipe declares no teacher"))
    }

    fn look(&self, _: &Known<'_>) -> Option<Found> {
        None
    }

    fn recorded_as(&self) -> Voice {
        Voice::Teacher
    }
}

impl<K, P: BeyondPrompt> OneVoice for Seat<K, P> {
    type Needs = P::Needs;

    fn voice(&self, _: &str) -> Result<&'static str> {
        Ok(self.name)
    }

    fn look(&self, known: &Known<'_, P::Needs>) -> Option<Found> {
        self.reads.look(known)
    }

    fn recorded_as(&self) -> Voice {
        match (self.is_self, P::MORE) {
            (false, false) => Voice::Teacher,
            (false, true) => Voice::HintedTeacher,
            (true, false) => Voice::Reference,
            (true, true) => Voice::HintedStudent,
        }
    }
}

impl<K, P: BeyondPrompt> OneVoice for Experts<K, P> {
    type Needs = P::Needs;

    fn voice(&self, domain: &str) -> Result<&'static str> {
        let found = self.by_domain.iter().find(|(name, _)| *name == domain);
        found.map(|(_, seat)| seat.name).ok_or_else(|| {
            let taught: Vec<_> = self.by_domain.iter().map(|(name, _)| *name).collect();
            Error::call(format!("nobody teaches the domain `{domain}`"))
                .at("data, column `domain`")
                .next(format!("the recipe's teachers teach: {}", taught.join(", ")))
        })
    }

    fn look(&self, known: &Known<'_, P::Needs>) -> Option<Found> {
        self.by_domain.first().and_then(|(_, seat)| seat.reads.look(known))
    }

    fn recorded_as(&self) -> Voice {
        if P::MORE {
            Voice::HintedTeacher
        } else {
            Voice::Teacher
        }
    }
}

/// Experts, or one teacher, of a kind whose weights are not the student's, that read `P`.
pub trait ReadingAnother<P: BeyondPrompt>: OneVoice<Needs = P::Needs> {}

impl<K: Another + GivesRows, P: BeyondPrompt> ReadingAnother<P> for Seat<K, P> {}
impl<K: Another + GivesRows, P: BeyondPrompt> ReadingAnother<P> for Experts<K, P> {}

/// A roster with a reference beside its experts.
#[diagnostic::on_unimplemented(
    message = "extrapolation measures the teacher against a reference, and the recipe declares none",
    label = "needs a reference",
    note = "declare one beside the teachers, for example `#[teacher] reference: Start`"
)]
pub trait WithReference {
    /// Who teaches.
    type Expert: OneVoice;
    /// Who teaches.
    fn expert(&self) -> &Self::Expert;
    /// The seat of the reference.
    fn reference(&self) -> &'static str;
}

impl<E: OneVoice> WithReference for (E, Seat<Start>) {
    type Expert = E;

    fn expert(&self) -> &E {
        &self.0
    }

    fn reference(&self) -> &'static str {
        self.1.name
    }
}
