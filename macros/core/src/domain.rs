//! `#[derive(Domain)]`: the domains of a task, listed and named.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::{Data, DataEnum, DeriveInput, Fields, Ident};

use crate::report::Report;

/// The derive, or its mistakes.
pub fn expand(item: TokenStream) -> Result<TokenStream, Report> {
    let mut report = Report::default();
    let input: DeriveInput = match syn::parse2(item) {
        Ok(input) => input,
        Err(error) => {
            report.push(error);
            return Err(report);
        }
    };
    let name = &input.ident;
    if !input.generics.params.is_empty() {
        report.at(&input.generics, generic(name));
    }
    match &input.data {
        Data::Enum(data) => check(name, data, &mut report),
        _ => report.at(name, not_an_enum(name)),
    }
    match &input.data {
        Data::Enum(data) if report.is_clean() => {
            let variants: Vec<&Ident> = data.variants.iter().map(|variant| &variant.ident).collect();
            Ok(implementation(name, &variants))
        }
        _ => Err(report),
    }
}

/// The mistakes, and an implementation without domains, so that what uses the enum does not complain as well.
pub fn fallback(item: TokenStream, report: &Report) -> TokenStream {
    let mistakes = report.tokens();
    match syn::parse2::<DeriveInput>(item) {
        Ok(input) if input.generics.params.is_empty() => {
            let name = &input.ident;
            quote! {
                #mistakes
                #[automatically_derived]
                impl ::limbeck::Domain for #name {
                    const ALL: &'static [Self] = &[];
                    fn name(&self) -> &'static str {
                        ""
                    }
                }
            }
        }
        _ => mistakes,
    }
}

fn check(name: &Ident, data: &DataEnum, report: &mut Report) {
    if data.variants.is_empty() {
        report.at(name, empty(name));
    }
    for variant in &data.variants {
        if !matches!(variant.fields, Fields::Unit) {
            report.at(&variant.fields, carries_fields(&variant.ident));
        }
    }
}

fn implementation(name: &Ident, variants: &[&Ident]) -> TokenStream {
    let names = variants.iter().map(|variant| snake_case(&variant.unraw().to_string()));
    quote! {
        #[automatically_derived]
        impl ::limbeck::Domain for #name {
            const ALL: &'static [Self] = &[#(Self::#variants),*];
            fn name(&self) -> &'static str {
                match self {
                    #(Self::#variants => #names,)*
                }
            }
        }
    }
}

/// `StepByStep` as `step_by_step`, the word data files use.
fn snake_case(word: &str) -> String {
    let mut snake = String::new();
    for (place, letter) in word.chars().enumerate() {
        if letter.is_uppercase() && place > 0 {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

fn not_an_enum(name: &Ident) -> String {
    format!("`{name}` is no enum, and domains are the variants of one. Write `enum {name} {{ Math, Code }}`")
}

fn empty(name: &Ident) -> String {
    format!("`{name}` has no variants, so no prompt could belong to a domain. Add one, for example `Math`")
}

fn carries_fields(variant: &Ident) -> String {
    format!("`{variant}` carries fields, and a domain is only a name. Write `{variant}` alone")
}

fn generic(name: &Ident) -> String {
    format!("`{name}` takes no parameters: the domains of a task are fixed. Leave them out")
}
