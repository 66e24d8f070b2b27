//! All logic of Limbeck's macros, as an ordinary library: parse → model → check → plan → emit.
//!
//! ```text
//! #[recipe] struct ─▶ syntax::Written ─▶ model::Recipe ─▶ check::all ─▶ plan::Loop ─▶ emit, render
//!                     what was written   teachers, stages  every rule    the lines     tokens, text
//! ```
//!
//! No method is named here: a stage's type is the user's, and only rustc knows what it can do.

mod check;
mod comments;
mod domain;
mod eject;
mod emit;
mod messages;
mod method;
mod model;
mod plan;
mod render;
mod report;
mod settings;
mod source;
mod spelling;
mod stage;
mod suggest;
mod syntax;

pub use report::{Mistake, Report};
pub use stage::{Absent, StageName};

use proc_macro2::TokenStream;

/// `#[recipe]`: the struct, its training loop and its checks; or its mistakes, and a stub.
#[must_use]
pub fn recipe(args: TokenStream, item: TokenStream) -> TokenStream {
    match expand(args.clone(), item.clone()) {
        Ok(expansion) => expansion.tokens,
        Err(report) => emit::fallback(&args, item, &report),
    }
}

/// `#[derive(Settings)]`: defaults, the patch twin, the listing and the const checks of a method.
#[must_use]
pub fn settings(item: TokenStream) -> TokenStream {
    match expand_settings(item.clone()) {
        Ok(tokens) => tokens,
        Err(report) => settings::fallback(item, &report),
    }
}

/// `#[derive(Domain)]`: the names of the domains.
#[must_use]
pub fn domain(item: TokenStream) -> TokenStream {
    match expand_domain(item.clone()) {
        Ok(tokens) => tokens,
        Err(report) => domain::fallback(item, &report),
    }
}

/// `this_file!()`: the text of the file it stands in.
#[must_use]
pub fn this_file(file: Option<&std::path::Path>) -> TokenStream {
    match file.and_then(|file| std::path::absolute(file).ok()).as_ref().and_then(|file| file.to_str()) {
        Some(file) => quote::quote!(::core::include_str!(#file)),
        None => quote::quote!(::core::compile_error!(
            "the file this stands in has no name: write `include_str!(\"…\")` with the name you give it"
        )),
    }
}

/// A recipe without mistakes, in all its forms.
pub struct Expansion {
    /// All that the struct becomes.
    pub tokens: TokenStream,
    /// The part of it that is `fn train`.
    pub train: TokenStream,
    /// The part of it that is `fn replay`.
    pub replay: TokenStream,
    /// `train` as people read it, comments in.
    pub text: String,
    /// `replay` as people read it.
    pub replay_text: String,
    /// The whole recipe as ordinary Rust, without the macro.
    pub ejected: String,
    /// The recipe as its author wrote it, printed evenly.
    pub source: String,
}

/// Reads, checks and expands a recipe, for tests and tools.
///
/// # Errors
/// Every mistake found, each with its place.
pub fn expand(args: TokenStream, item: TokenStream) -> Result<Expansion, Report> {
    let mut report = Report::default();
    let Some(written) = syntax::read(args, item, &mut report) else {
        return Err(report);
    };
    let recipe = model::Recipe::new(written, &mut report);
    check::all(&recipe, &mut report);
    if !report.is_clean() {
        return Err(report);
    }
    let plan = plan::Loop::new(&recipe);
    Ok(Expansion {
        tokens: emit::all(&recipe, &plan),
        train: emit::train(&plan),
        replay: emit::replay(&plan),
        text: render::train(&plan),
        replay_text: render::replay(&plan),
        ejected: eject::text(&recipe, &plan),
        source: source::text(&recipe),
    })
}

/// Reads, checks and expands a method's settings.
///
/// # Errors
/// Every mistake found, each with its place.
pub fn expand_settings(item: TokenStream) -> Result<TokenStream, Report> {
    settings::expand(item)
}

/// Reads, checks and expands an enum of domains.
///
/// # Errors
/// Every mistake found, each with its place.
pub fn expand_domain(item: TokenStream) -> Result<TokenStream, Report> {
    domain::expand(item)
}
