//! Mistakes, gathered; a phase may add as many as it finds, and only the end of a phase stops.

use std::fmt;

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;

use crate::inherit::Inherited;
use crate::messages;

/// Everything found wrong so far.
#[derive(Debug, Default)]
pub struct Report {
    errors: Vec<syn::Error>,
    inherited: Inherited,
}

impl Report {
    /// Says `says` about the tokens of `place`.
    pub fn at(&mut self, place: impl ToTokens, says: impl fmt::Display) {
        let says = self.explained(&says.to_string());
        self.errors.push(syn::Error::new_spanned(place, says));
    }

    /// Says `says` about one span.
    pub fn at_span(&mut self, span: Span, says: impl fmt::Display) {
        self.errors.push(syn::Error::new(span, says));
    }

    /// From now on, where a sentence names a field that the user did not write, it says whose it is.
    pub fn explain(&mut self, inherited: &Inherited) {
        self.inherited = inherited.clone();
    }

    fn explained(&self, says: &str) -> String {
        let named = |field: &&String| says.contains(&format!("`{field}`"));
        let theirs: Vec<&str> = self.inherited.fields.iter().filter(named).map(String::as_str).collect();
        match theirs.as_slice() {
            [] => says.to_owned(),
            names => format!("{says}\n{}", messages::forks::from_the_base(names, &self.inherited.base)),
        }
    }

    /// Takes over what syn found while parsing.
    pub fn push(&mut self, error: syn::Error) {
        self.errors.push(error);
    }

    /// Nothing is wrong so far.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.errors.is_empty()
    }

    /// How many mistakes there are so far.
    #[must_use]
    pub fn count(&self) -> usize {
        self.errors.len()
    }

    /// The mistakes as `compile_error!` calls, each on its own place.
    #[must_use]
    pub fn tokens(&self) -> TokenStream {
        self.each().into_iter().collect()
    }

    /// The same, one by one.
    #[must_use]
    pub fn each(&self) -> Vec<TokenStream> {
        self.errors.iter().map(syn::Error::to_compile_error).collect()
    }

    /// The mistakes as places and sentences, for tests and tools.
    #[must_use]
    pub fn mistakes(&self) -> Vec<Mistake> {
        self.errors.iter().flatten().map(|error| Mistake::from(&error)).collect()
    }
}

/// One mistake: where it is and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Line, counted from 1.
    pub line: usize,
    /// Column, counted from 1.
    pub column: usize,
    /// The sentence the user reads.
    pub says: String,
}

impl From<&syn::Error> for Mistake {
    fn from(error: &syn::Error) -> Self {
        let start = error.span().start();
        Self { line: start.line, column: start.column + 1, says: error.to_string() }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{} {}", self.line, self.column, self.says)
    }
}
