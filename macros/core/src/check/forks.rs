//! Forks: read, and refused until a fork can call its base's carrier.

use crate::messages;
use crate::model::Recipe;
use crate::report::Report;

/// `#[recipe(base = …)]` is understood, and not carried out yet.
pub fn not_accepted_yet(recipe: &Recipe, report: &mut Report) {
    if let Some(base) = recipe.base.as_ref().filter(|base| !base.broken) {
        report.at(&base.path, messages::fork_not_accepted_yet(recipe.name(), &base.path));
    }
}
