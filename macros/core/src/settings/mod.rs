//! `#[derive(Settings)]`: what a method can be told, and what it is told when nobody says anything.

mod emit;
mod parse;
mod says;

use proc_macro2::TokenStream;
use syn::DeriveInput;

use crate::report::Report;

/// The derive, or its mistakes.
pub fn expand(item: TokenStream) -> Result<TokenStream, Report> {
    let mut report = Report::default();
    match parse::read(item, &mut report) {
        Some(method) if report.is_clean() => Ok(emit::all(&method)),
        _ => Err(report),
    }
}

/// The mistakes, and a `Settings` without any, so that the recipes that use the method are silent.
pub fn fallback(item: TokenStream, report: &Report) -> TokenStream {
    match syn::parse2::<DeriveInput>(item) {
        Ok(input) => emit::stub(&input, &report.each()),
        Err(_) => report.tokens(),
    }
}
