//! The line that says who teaches.

use proc_macro2::{Literal, Span, TokenStream};
use quote::{quote, quote_spanned, ToTokens};
use syn::ext::IdentExt;
use syn::{Ident, Path};

use crate::model::{Recipe, Teacher};

/// The teachers as one value: nobody, one seat, the experts by domain, or a pair.
pub fn value(recipe: &Recipe) -> TokenStream {
    let at = place(recipe);
    match voices(recipe).as_slice() {
        [] => quote!(let teachers = Nobody;),
        [one] => quote_spanned!(at=> let teachers = #one;),
        many => quote_spanned!(at=> let teachers = (#(#many),*);),
    }
}

/// What each voice of that value reads, in its order.
pub fn readings(recipe: &Recipe) -> TokenStream {
    let at = place(recipe);
    let count = voices(recipe).len();
    let voices = (0..count).map(|i| match count {
        1 => quote_spanned!(at=> &teachers),
        _ => {
            let i = Literal::usize_unsuffixed(i);
            quote_spanned!(at=> &teachers.#i)
        }
    });
    // by their full names: a user's own `Reading` is still the user's in the line before
    quote_spanned! {at=>
        ::core::result::Result::Ok(::std::vec::Vec::from([
            #(::limbeck::stages::score::Reading::of(#voices, world, asked)?),*
        ]))
    }
}

fn voices(recipe: &Recipe) -> Vec<TokenStream> {
    let beside = recipe.teachers.iter().filter(|teacher| teacher.domain.is_none()).map(seat);
    experts(recipe).into_iter().chain(beside).collect()
}

fn place(recipe: &Recipe) -> Span {
    recipe.teachers.first().map_or_else(Span::call_site, |first| first.method.span())
}

/// `Experts::by(…)`: rustc itself finds the domain nobody teaches, so `match domain` points at the
/// user's enum.
fn experts(recipe: &Recipe) -> Option<TokenStream> {
    let experts: Vec<(&Teacher, &Path)> =
        recipe.teachers.iter().filter_map(|teacher| Some((teacher, teacher.domain.as_ref()?))).collect();
    let (_, domain) = experts.first()?;
    let arms = experts.iter().map(|(teacher, domain)| {
        let (at, seat) = (teacher.method.span(), seat(teacher));
        quote_spanned!(at=> #domain => #seat,)
    });
    let matched = matched(domain);
    let at = matched.span();
    Some(quote_spanned!(at=> Experts::by(|domain| match #matched { #(#arms)* })))
}

/// The word `domain`, standing where the user wrote the enum's name.
fn matched(domain: &Path) -> Ident {
    let last_but_one = domain.segments.iter().rev().nth(1);
    let at = last_but_one.map_or_else(Span::call_site, |part| part.ident.span());
    Ident::new("domain", at.resolved_at(Span::call_site()))
}

/// `self.math.seat("math")`, and what it reads beyond the prompt.
fn seat(teacher: &Teacher) -> TokenStream {
    let at = teacher.method.span();
    let field = standing_at(&teacher.name, at);
    let mut name = Literal::string(&teacher.name.unraw().to_string());
    name.set_span(at);
    let seat = quote_spanned!(at=> self.#field.seat(#name));
    match &teacher.reads {
        Some(reads) => {
            let reads = reads.to_token_stream();
            quote_spanned!(at=> #seat.reads(#reads))
        }
        None => seat,
    }
}

/// The same word at another place.
fn standing_at(name: &Ident, at: Span) -> Ident {
    let mut name = name.clone();
    name.set_span(at);
    name
}
