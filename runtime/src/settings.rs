//! What every method shares: named settings with defaults, a patch from a run file, and a listing.

use std::fmt::Debug;

use ron::error::SpannedError;
use serde::de::DeserializeOwned;
use serde::Serialize;

use crate::check::{Facts, Fault};

/// One setting of a method, with its value as RON text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// The field's name, as written in `#[with(…)]` and in run files.
    pub name: &'static str,
    /// The value, as RON.
    pub value: String,
    /// The field's doc comment.
    #[serde(skip)]
    pub doc: &'static str,
}

/// Builds a [`Setting`] from a value.
pub(crate) fn setting<T: Serialize>(name: &'static str, value: &T, doc: &'static str) -> Setting {
    let value = ron::to_string(value).unwrap_or_else(|why| format!("<{why}>"));
    Setting { name, value, doc }
}

/// A method's settings: plain struct fields with defaults. Made by `#[derive(Settings)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a method: it has no settings",
    label = "this type does not derive `Settings`",
    note = "put `#[derive(Clone, Debug, Settings)]` on the type and give each field a `#[setting(default = …)]`"
)]
pub trait Settings: Sized {
    /// The method's name, as the plan shows it.
    const METHOD: &'static str;
    /// Every setting at its default.
    const DEFAULT: Self;
    /// The twin of this type in which every field is optional: what a run file may say.
    type Patch: Default + DeserializeOwned;
    /// Takes over what the patch says.
    fn apply(&mut self, patch: Self::Patch);
    /// Every setting with its present value.
    fn list(&self) -> Vec<Setting>;
    /// A copy, for a copy of the recipe that holds the method. Asked for here and not as `Self: Clone`,
    /// so that a method that lacks `Clone` is told so once, at its derive.
    #[doc(hidden)]
    fn copied(&self) -> Self;
    /// The method as its recipe prints it; a function for the same reason.
    #[doc(hidden)]
    fn shown(&self) -> &dyn Debug;
    /// What later and earlier stages may rely on: the const fn `facts`, for who knows no types.
    #[doc(hidden)]
    fn tells(&self, facts: Facts) -> Facts;
    /// What is wrong with these values: the const fn `check`, likewise.
    #[doc(hidden)]
    fn fault(&self, facts: &Facts) -> Option<Fault>;
    /// The method with its type forgotten. Written where the method is, so that what a [`Part`] can do
    /// is compiled there, and not once for each recipe that uses the method.
    #[doc(hidden)]
    fn part(&self) -> &dyn Part;
    /// The same, to be changed.
    #[doc(hidden)]
    fn part_mut(&mut self) -> &mut dyn Part;
}

/// A method whose type is forgotten: what reading a run file, checking and listing ask of it.
pub trait Part {
    /// Every setting with its present value.
    fn list(&self) -> Vec<Setting>;
    /// What later and earlier stages may rely on, given what is known already.
    fn facts(&self, facts: Facts) -> Facts;
    /// What is wrong with its values beside the others, if anything.
    fn fault(&self, facts: &Facts) -> Option<Fault>;
    /// Takes over what a run file says of it: the method's settings in parentheses.
    ///
    /// # Errors
    /// Text that does not fit, at its place.
    fn patch(&mut self, ron: &str) -> Result<(), SpannedError>;
}

impl<T: Settings> Part for T {
    fn list(&self) -> Vec<Setting> {
        Settings::list(self)
    }

    fn facts(&self, facts: Facts) -> Facts {
        self.tells(facts)
    }

    fn fault(&self, facts: &Facts) -> Option<Fault> {
        Settings::fault(self, facts)
    }

    fn patch(&mut self, ron: &str) -> Result<(), SpannedError> {
        self.apply(crate::patch::ron_options().from_str(ron)?);
        Ok(())
    }
}
