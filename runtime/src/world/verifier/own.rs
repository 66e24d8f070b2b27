//! A program's own verifiers, by the names that its run files give them.

use std::collections::BTreeMap;
use std::sync::{Arc, RwLock};

use super::Verifier;

/// What was offered. Only [`offer`] writes here, before the run.
static OFFERED: RwLock<BTreeMap<String, Arc<dyn Verifier>>> = RwLock::new(BTreeMap::new());

/// Lets run files say `Own("name")` for `verifier`. A program says so in its `main`, before
/// [`limbeck::main`](crate::main); the last of a name counts.
///
/// ```no_run
/// use limbeck::world::rows::Row;
/// use limbeck::world::verifier::{offer, Verifier};
/// # static RECIPES: &[limbeck::Entry] = &[];
///
/// struct Palindrome;
///
/// impl Verifier for Palindrome {
///     fn name(&self) -> &str {
///         "palindrome"
///     }
///
///     fn judge(&self, _row: &Row, response: &str, _finished: bool) -> Result<Option<bool>, String> {
///         Ok(Some(!response.is_empty() && response.chars().eq(response.chars().rev())))
///     }
/// }
///
/// fn main() -> std::process::ExitCode {
///     offer("palindrome", Palindrome); // in the run file: verifiers: {"words": Own("palindrome")}
///     limbeck::main(RECIPES)
/// }
/// ```
pub fn offer(name: impl Into<String>, verifier: impl Verifier + 'static) {
    let mut offered = OFFERED.write().unwrap_or_else(std::sync::PoisonError::into_inner);
    offered.insert(name.into(), Arc::new(verifier));
}

/// The verifier that was offered under `name`, or else all names.
pub(super) fn offered(name: &str) -> Result<Arc<dyn Verifier>, Vec<String>> {
    let offered = OFFERED.read().unwrap_or_else(std::sync::PoisonError::into_inner);
    offered.get(name).cloned().ok_or_else(|| offered.keys().cloned().collect())
}
