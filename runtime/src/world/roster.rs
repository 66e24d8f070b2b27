//! Who teaches, as a type: which teachers a recipe has is part of the type its score stage sees.

use crate as limbeck;
use crate::error::{Error, Result};
use crate::world::Domain;
use limbeck::Settings;

/// A teacher whose weights never change: a model folder.
#[derive(Clone, Debug, Settings)]
pub struct Frozen {}

/// The student as it was at step 0.
#[derive(Clone, Debug, Settings)]
pub struct Start {}

/// A kind of teacher.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a kind of teacher",
    label = "not a kind of teacher",
    note = "kinds of teachers: Frozen, Start, or a type of yours with `impl Kind`"
)]
pub trait Kind: Sized + Clone {
    /// The seat of the teacher called `name`.
    fn seat(&self, name: &'static str) -> Seat<Self> {
        Seat { name, kind: self.clone() }
    }
}

impl Kind for Frozen {}
impl Kind for Start {}

/// A kind of teacher that gives its whole distribution, not only the sampled token's probability.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot give its whole distribution",
    label = "asked for the full vocabulary",
    note = "use `score: SampledToken` with this teacher, or a teacher whose weights are here, such as `Frozen`"
)]
pub trait GivesRows: Kind {}

impl GivesRows for Frozen {}
impl GivesRows for Start {}

/// One teacher's place in a recipe.
#[derive(Clone, Debug)]
pub struct Seat<K> {
    name: &'static str,
    #[allow(dead_code, reason = "the kind's settings are read by kinds that have some")]
    kind: K,
}

/// What only teachers may read. Nothing can be read yet.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is nothing that only a teacher may read",
    label = "not privileged",
    note = "this version has nothing that a teacher can read beyond the prompt: leave `reads` out"
)]
pub trait Privileged {}

impl<K> Seat<K> {
    /// The same teacher, shown more than the prompt.
    #[must_use]
    pub fn reads<P: Privileged>(self, _: P) -> Self {
        self
    }
}

/// The recipe has no teacher.
#[derive(Clone, Copy, Debug)]
pub struct Nobody;

/// One teacher a domain: each prompt hears its own.
#[derive(Clone, Debug)]
pub struct Experts<K> {
    by_domain: Vec<(&'static str, Seat<K>)>,
}

impl<K> Experts<K> {
    /// Seats every domain of the user's enum. The routing is a `match`, so no domain can be forgotten.
    pub fn by<D: Domain>(seat: impl Fn(D) -> Seat<K>) -> Self {
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

/// A roster in which each prompt hears exactly one teacher, and every declared teacher is heard.
#[diagnostic::on_unimplemented(
    message = "a teacher is declared that this stage never listens to",
    label = "hears one teacher a prompt",
    note = "remove the teacher, or use a score that reads it, for example `score: Extrapolated` for a `Start` reference"
)]
pub trait OneVoice {
    /// The seat of the teacher that scores prompts of `domain`.
    ///
    /// # Errors
    /// A domain nobody teaches.
    fn voice(&self, domain: &str) -> Result<&'static str>;
}

/// A roster whose experts give whole distributions.
#[diagnostic::on_unimplemented(
    message = "a full-vocabulary score needs the teacher's whole distribution, and this teacher does not give it",
    label = "needs whole distributions",
    note = "use `score: SampledToken`, or a teacher whose weights are here, such as `Frozen`"
)]
pub trait VoiceWithRows {}

/// A roster with a reference beside its experts.
#[diagnostic::on_unimplemented(
    message = "extrapolation measures the teacher against a reference, and the recipe declares none",
    label = "needs a reference",
    note = "declare one beside the teachers, for example `#[teacher] reference: Start`"
)]
pub trait WithReference {
    /// The seat of the teacher that scores prompts of `domain`.
    ///
    /// # Errors
    /// A domain nobody teaches.
    fn expert(&self, domain: &str) -> Result<&'static str>;
    /// The seat of the reference.
    fn reference(&self) -> &'static str;
}

/// A roster in which nobody teaches.
#[diagnostic::on_unimplemented(
    message = "a teacher is declared, and this stage asks none",
    label = "asks no teacher",
    note = "remove the teacher, or use a score that asks it, such as `score: SampledToken`"
)]
pub trait Unattended {}

impl Unattended for Nobody {}

impl<K> Somebody for Seat<K> {}
impl<K> Somebody for Experts<K> {}
impl<A, B> Somebody for (A, B) {}

impl OneVoice for Nobody {
    fn voice(&self, _: &str) -> Result<&'static str> {
        Err(Error::call("the recipe declares no teacher"))
    }
}

impl<K> OneVoice for Seat<K> {
    fn voice(&self, _: &str) -> Result<&'static str> {
        Ok(self.name)
    }
}

impl<K> OneVoice for Experts<K> {
    fn voice(&self, domain: &str) -> Result<&'static str> {
        let found = self.by_domain.iter().find(|(name, _)| *name == domain);
        found.map(|(_, seat)| seat.name).ok_or_else(|| {
            let taught: Vec<_> = self.by_domain.iter().map(|(name, _)| *name).collect();
            Error::call(format!("nobody teaches the domain `{domain}`"))
                .at("data, column `domain`")
                .next(format!("the recipe's teachers teach: {}", taught.join(", ")))
        })
    }
}

impl VoiceWithRows for Nobody {}
impl<K: GivesRows> VoiceWithRows for Seat<K> {}
impl<K: GivesRows> VoiceWithRows for Experts<K> {}
// a pair is refused for the voice that is not heard, and not for its rows
impl<A, B> VoiceWithRows for (A, B) {}

impl<E: OneVoice> WithReference for (E, Seat<Start>) {
    fn expert(&self, domain: &str) -> Result<&'static str> {
        self.0.voice(domain)
    }

    fn reference(&self) -> &'static str {
        self.1.name
    }
}
