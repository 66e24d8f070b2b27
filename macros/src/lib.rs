//! The macros of Limbeck: `#[recipe]`, `#[derive(Settings)]`, `#[derive(Domain)]`.
//!
//! All logic is in `limbeck-macros-core`, an ordinary library; users reach these through `limbeck`.
//!
//! # The grammar of a recipe
//!
//! ```text
//! /// What the recipe does, in a sentence or a page.
//! #[recipe]
//! pub struct Name {
//!     #[teacher(domain = Enum::Variant, reads = Type)]    who teaches: either key, both or none;
//!     #[with(setting = value, …)]                         its settings
//!     name: Kind,
//!
//!     #[with(setting = value, …)]                         a stage's settings, each with a default
//!     stage: Method,                                      the field's name is the stage,
//! }                                                       its type is the method
//! ```
//!
//! Teachers come first, then the stages in the order the loop runs:
//!
//! | stage | needed | without it |
//! |---|---|---|
//! | `data`, `rollout` | yes | |
//! | `verify`, `balance` | no | no line in the loop |
//! | `score` | yes | |
//! | `calibrate`, `route` | no | no line; every token hears its teacher |
//! | `loss`, `step` | yes | |
//! | `log`, `checkpoint` | no | the usual ones, with their own settings |
//!
//! A doc comment on a stage's field is what the loop says of that stage, in place of the usual words.
//!
//! # The grammar of a fork
//!
//! ```text
//! #[recipe(base = path::Base)]                            the fork is its base, but for:
//! #[recipe(base = path::Base, without(name, …))]          teachers and stages left out;
//! pub struct Name {                                       or `pub struct Name;`
//!     #[teacher(reads = Type)]                            a teacher of the base, kept: the keys given here change
//!     name: _,
//!     #[teacher(domain = Enum::Variant)]                  a new teacher, or one in the place of the base's
//!     name: Kind,
//!
//!     #[with(setting = value, …)]                         a stage of the base, kept: the settings given here change
//!     stage: _,
//!     #[with(setting = value, …)]                         another method, with its own defaults
//!     stage: Method,
//! }
//! ```
//!
//! What is not mentioned stays as the base has it. The base's methods must be in scope where the fork stands. A
//! fork becomes the recipe one would have written out: its `SOURCE` is that, and only `PLAN.base` remembers.
//!
//! # Both
//!
//! A method is any type with the stage's trait; the macro knows none by name. Put `#[recipe]` above
//! every `#[derive(…)]` of the struct: it derives `Clone` and `Debug` unless they are there already.

use proc_macro::TokenStream;

/// Checks the recipe a struct describes, by itself or with its base, and writes its training loop.
///
/// The struct stays, cloneable and printable, and implements `limbeck::Recipe`: its plan, its
/// default, the text of its loop, and the loop itself as `train`.
#[proc_macro_attribute]
pub fn recipe(args: TokenStream, item: TokenStream) -> TokenStream {
    limbeck_macros_core::recipe(args.into(), item.into()).into()
}

/// The second half of `#[recipe(base = …)]`, called by the base's carrier with the fields of both.
#[doc(hidden)]
#[proc_macro]
pub fn __fork(brought: TokenStream) -> TokenStream {
    limbeck_macros_core::fork(brought.into()).into()
}

/// Gives a method its settings: defaults, what a run file may change, and checks.
///
/// - `#[setting(default = …)]` on each field: its value when nobody says anything; the field's doc
///   comment is what people read about it.
/// - `#[setting(skip)]` on a field that is no setting, a `PhantomData` as a rule.
/// - `#[settings(check = path)]` on the struct: a `const fn(&Self, &Facts) -> Option<Fault>`.
/// - `#[settings(facts = path)]` on the struct: a `const fn(&Self, Facts) -> Facts`.
///
/// Fields must be as visible as the struct, or recipes elsewhere cannot set them.
#[proc_macro_derive(Settings, attributes(setting, settings))]
pub fn settings(item: TokenStream) -> TokenStream {
    limbeck_macros_core::settings(item.into()).into()
}

/// The text of the file it stands in, as `include_str!` would give it.
#[proc_macro]
pub fn this_file(_: TokenStream) -> TokenStream {
    let file = proc_macro::Span::call_site().local_file();
    limbeck_macros_core::this_file(file.as_deref()).into()
}

/// Lists and names the domains of a task: the variants of an enum without fields.
#[proc_macro_derive(Domain)]
pub fn domain(item: TokenStream) -> TokenStream {
    limbeck_macros_core::domain(item.into()).into()
}
