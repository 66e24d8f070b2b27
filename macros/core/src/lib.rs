//! All logic of Limbeck's macros, as an ordinary library: parse → inherit → check → plan → emit.
//!
//! ```text
//! #[recipe] struct ─▶ syntax::Written ─▶ model::Recipe ─▶ check::all ─▶ plan::Loop ─▶ emit, render
//!                     what was written   teachers, stages  every rule    the lines     tokens, text
//!                         ▲      │
//!  inherit::onto(base) ───┘      ▼ #[recipe(base = …)]
//!  both as one       __fork! ◀── emit::ask: the base's carrier brings the base's fields
//! ```
//!
//! No method is named here: a stage's type is the user's, and only rustc knows what it can do.

mod check;
mod comments;
mod domain;
mod eject;
mod emit;
mod inherit;
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

use proc_macro2::{Span, TokenStream};
use syntax::Written;

/// `#[recipe]`: the struct, its training loop and its checks; or its mistakes, and a stub. A fork first asks
/// its base for its fields.
#[must_use]
pub fn recipe(args: TokenStream, item: TokenStream) -> TokenStream {
    let expanded = match ask(args.clone(), item.clone()) {
        Some(asked) => asked,
        None => expand(args.clone(), item.clone()).map(|expansion| expansion.tokens),
    };
    expanded.unwrap_or_else(|report| emit::fallback(&args, item, &report))
}

/// `__fork!`: what a fork becomes once its base's carrier has brought the base:
/// `{ base's args } { base } { fork's args } { fork }`.
#[must_use]
pub fn fork(brought: TokenStream) -> TokenStream {
    let Some([base_args, base, args, item]) = inherit::brought(brought) else {
        let mut report = Report::default();
        report.at_span(Span::call_site(), messages::forks::called_by_hand());
        return report.tokens();
    };
    match expand_fork((base_args, base), (args.clone(), item.clone())) {
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
    match syntax::read(args, item, &mut report) {
        Some(written) => expand_written(written, report),
        None => Err(report),
    }
}

/// Reads a fork and its base, each as its attribute's words and its struct, makes one recipe of the two, and
/// checks and expands it.
///
/// # Errors
/// Every mistake of the fork, each with its place. None, where only the base has mistakes.
pub fn expand_fork(
    base: (TokenStream, TokenStream),
    own: (TokenStream, TokenStream),
) -> Result<Expansion, Report> {
    let mut report = Report::default();
    let own = syntax::read(own.0, own.1, &mut report);
    let base = inherit::sound(base);
    match inherit::onto(base.as_ref(), own.as_ref(), &mut report) {
        Some(whole) => expand_written(whole, report),
        None => Err(report),
    }
}

/// What a fork becomes first, which asks its base for its fields; `None` for a recipe that stands alone.
pub fn ask(args: TokenStream, item: TokenStream) -> Option<Result<TokenStream, Report>> {
    let mut report = Report::default();
    let own = syntax::read(args, item, &mut report)?;
    let base = own.base.as_ref()?;
    check::forks::not_its_own_base(&own, &mut report);
    Some(if report.is_clean() { Ok(emit::ask(&own, base)) } else { Err(report) })
}

fn expand_written(written: Written, mut report: Report) -> Result<Expansion, Report> {
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
