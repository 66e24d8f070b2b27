//! Patches: what a run file says of a method, every field optional, unknown ones refused.
//!
//! The macros write the fields; the reading is here, once. A value that is given is given: RON needs
//! no `Some(…)` around it, and an optional setting can be set to `None`.

use std::fmt;
use std::marker::PhantomData;

use ron::value::RawValue;
use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error, MapAccess, Visitor};
use serde::Serialize;

use crate::settings::Setting;

/// RON as run files use it: `Some` may be left out for what is optional.
pub(crate) fn ron_options() -> ron::Options {
    ron::Options::default().with_default_extension(ron::extensions::Extensions::IMPLICIT_SOME)
}

/// What the macros write for a patch.
pub trait Fields: Default {
    /// The name of what it patches, as a run file may write it.
    const OF: &'static str;
    /// The fields that may be given.
    const FIELDS: &'static [&'static str];

    /// Reads the value of `field`.
    ///
    /// # Errors
    /// The value does not fit, or there is no such field.
    fn take<'de, M: MapAccess<'de>>(&mut self, field: &str, map: &mut M) -> Result<(), M::Error>;
}

/// Reads a patch.
///
/// # Errors
/// A value does not fit, a field is unknown or given twice.
pub fn read<'de, P: Fields, D: Deserializer<'de>>(deserializer: D) -> Result<P, D::Error> {
    deserializer.deserialize_struct(P::OF, P::FIELDS, Reader(PhantomData))
}

/// The error of a field that is not there.
#[must_use]
pub fn unknown<P: Fields, E: Error>(field: &str) -> E {
    E::unknown_field(field, P::FIELDS)
}

/// What a setting can be: a run file can give it, and a plan can show it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a setting: a run file can neither give nor show it",
    label = "not a value of a run file",
    note = "put `#[derive(serde::Serialize, serde::Deserialize)]` on the type"
)]
pub trait Value: Sized {
    /// Reads a value into its slot.
    ///
    /// # Errors
    /// The value does not fit.
    fn put<'de, M: MapAccess<'de>>(slot: &mut Option<Self>, map: &mut M) -> Result<(), M::Error>;

    /// The value with its name and what it is for.
    fn setting(&self, name: &'static str, doc: &'static str) -> Setting;
}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned> Value for T {
    fn put<'de, M: MapAccess<'de>>(slot: &mut Option<Self>, map: &mut M) -> Result<(), M::Error> {
        put(slot, map)
    }

    fn setting(&self, name: &'static str, doc: &'static str) -> Setting {
        crate::settings::setting(name, self, doc)
    }
}

/// Reads a value into its slot.
///
/// # Errors
/// The value does not fit.
pub fn put<'de, T: Deserialize<'de>, M: MapAccess<'de>>(
    slot: &mut Option<T>,
    map: &mut M,
) -> Result<(), M::Error> {
    *slot = Some(map.next_value()?);
    Ok(())
}

/// What a run file says of a recipe: for each stage or teacher, the text of its settings.
pub(crate) struct Given<'a>(pub Vec<(String, &'a str)>);

impl<'de> Deserialize<'de> for Given<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Stages;
        impl<'de> Visitor<'de> for Stages {
            type Value = Given<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the settings of stages, as in (rollout: (temperature: 0.8))")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Given<'de>, M::Error> {
                let mut given = Vec::new();
                while let Some(Word(stage)) = map.next_key()? {
                    given.push((stage, map.next_value::<&RawValue>()?.get_ron()));
                }
                Ok(Given(given))
            }
        }
        deserializer.deserialize_struct("", &[], Stages)
    }
}

struct Reader<P>(PhantomData<P>);

impl<'de, P: Fields> Visitor<'de> for Reader<P> {
    type Value = P;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "settings of {}", P::OF)
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<P, M::Error> {
        let mut patch = P::default();
        let mut given: Vec<&'static str> = Vec::new();
        while let Some(Word(field)) = map.next_key()? {
            let Some(known) = P::FIELDS.iter().find(|known| **known == field) else {
                return Err(unknown::<P, _>(&field));
            };
            if given.contains(known) {
                return Err(M::Error::duplicate_field(known));
            }
            given.push(known);
            patch.take(known, &mut map)?;
        }
        Ok(patch)
    }
}

/// A field's name, read as RON reads names.
struct Word(String);

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;
        impl Visitor<'_> for Name {
            type Value = Word;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a setting")
            }
            fn visit_str<E: Error>(self, name: &str) -> Result<Word, E> {
                Ok(Word(name.to_owned()))
            }
        }
        deserializer.deserialize_identifier(Name)
    }
}
