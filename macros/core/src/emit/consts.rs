//! The recipe's default, and the const clock: numbers checked while the recipe compiles.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{quote, quote_spanned, ToTokens};
use syn::ext::IdentExt;
use syn::Ident;

use super::item::of_settings;
use crate::method::Method;
use crate::model::Recipe;
use crate::syntax::Setting;

/// `LIMBECK_DEFAULT`: each method's default under the user's own settings, on the user's own words.
pub fn default(recipe: &Recipe) -> TokenStream {
    let fields = recipe.parts().map(|(name, method, with)| {
        let value = method_value(method, with);
        quote!(#name: #value)
    });
    quote! {
        const LIMBECK_DEFAULT: LimbeckRecipe = LimbeckRecipe { #(#fields,)* };
    }
}

fn method_value(method: &Method, with: &[Setting]) -> TokenStream {
    let rest = of_settings(method, &quote!(DEFAULT));
    if with.is_empty() {
        return rest;
    }
    let given = |setting: &&Setting| {
        let Setting { name, value } = *setting;
        quote!(#name: #value)
    };
    let (bases, own): (Vec<&Setting>, Vec<&Setting>) = with.iter().partition(|one| is_the_bases(one, method));
    let (bases, own): (Vec<_>, Vec<_>) = (bases.iter().map(given).collect(), own.iter().map(given).collect());
    // An alias, so that a method nobody knows is one error: as a type it has been missed already, as
    // a struct it would be missed again. And the user's own place: rustc offers a near miss for a
    // misspelt setting only there.
    let (ty, last) = (&method.path, method.ends().1);
    let alias = Ident::new("LimbeckMethod", last);
    // A value each for the base's and the fork's: a misspelt setting may have been meant for one that the
    // base sets too, and rustc offers only what the same value leaves open.
    let rest = match bases.as_slice() {
        [] => rest,
        bases => quote_spanned!(last=> #alias { #(#bases,)* ..#rest }),
    };
    let value = match own.as_slice() {
        [] => rest,
        own => quote_spanned!(last=> #alias { #(#own,)* ..#rest }),
    };
    quote_spanned!(last=> { type #alias = #ty; #value })
}

/// What a fork's base brings stands where its method stands; nobody can write two words at one place.
fn is_the_bases(setting: &Setting, method: &Method) -> bool {
    setting.name.span().start() == method.ends().0.start()
}

/// One check for each value the user wrote, one for the rest of each method, one for what is left.
pub fn checks(recipe: &Recipe) -> TokenStream {
    let facts = facts_of(recipe, &quote!(LIMBECK_RECIPE));
    let faults = faults_of(recipe, &quote!(LIMBECK_RECIPE));
    let count = faults.len();
    let literals = recipe.parts().flat_map(|(part, _, with)| with.iter().map(move |one| literal(part, one)));
    let methods = recipe.parts().map(|(part, method, with)| method_check(part, method, with));
    let parts = recipe.parts().map(|(part, _, _)| part.unraw().to_string());
    let at = recipe.name().span().resolved_at(Span::call_site());
    let rest = quote_spanned!(at=> const _: () = ::limbeck::check::rest(&LIMBECK_FAULTS, &[#(#parts),*]););
    let silent = said_already(recipe);
    quote! {
        const LIMBECK_RECIPE: &LimbeckRecipe = &LIMBECK_DEFAULT;
        const LIMBECK_FACTS: ::limbeck::Facts = {
            #silent
            #facts
        };
        const LIMBECK_FAULTS: [::core::option::Option<::limbeck::Fault>; #count] = {
            #silent
            let facts = LIMBECK_FACTS;
            [#(#faults),*]
        };
        #(#literals)*
        #(#methods)*
        #rest
    }
}

/// Functions for types that are no methods. Nobody calls them: rustc has refused such a type already,
/// and need not refuse it again for having no `facts` and no `check`.
pub fn mute() -> TokenStream {
    quote! {
        trait LimbeckMute {
            fn facts(&self, facts: ::limbeck::Facts) -> ::limbeck::Facts {
                facts
            }
            fn check(&self, _: &::limbeck::Facts) -> ::core::option::Option<::limbeck::Fault> {
                ::core::option::Option::None
            }
        }
        impl<T> LimbeckMute for T {}
    }
}

/// Says of a type that is no method what `LIMBECK_DEFAULT` has said, at the same place, so that rustc
/// leaves the rest of the body alone. Nobody calls the closures.
pub fn said_already(recipe: &Recipe) -> TokenStream {
    let defaults = recipe.parts().map(|(_, method, _)| {
        let default = of_settings(method, &quote!(DEFAULT));
        quote_spanned!(method.ends().0=> let _ = || #default;)
    });
    quote!(#(#defaults)*)
}

/// Every method adds what it knows: `facts` after `facts`, in the order of the loop.
fn facts_of(recipe: &Recipe, value: &TokenStream) -> TokenStream {
    let folded = recipe
        .parts()
        .map(|(name, method, _)| quote_spanned!(method.span()=> let facts = #value.#name.facts(facts);));
    quote!({ let facts = ::limbeck::Facts::NONE; #(#folded)* facts })
}

fn faults_of(recipe: &Recipe, value: &TokenStream) -> Vec<TokenStream> {
    let fault = |(name, method, _): (&Ident, &Method, &[Setting])| {
        let spelled = name.unraw().to_string();
        quote_spanned!(method.span()=> ::limbeck::check::at(#spelled, #value.#name.check(&facts)))
    };
    recipe.parts().map(fault).collect()
}

/// A fault of this setting, reported on the value the user wrote.
fn literal(part: &Ident, setting: &Setting) -> TokenStream {
    let (part, name) = (part.unraw().to_string(), setting.name.unraw().to_string());
    let (first, last) = ends(setting.value.to_token_stream());
    let path = quote_spanned!(first=> ::limbeck::check::literal);
    let call = quote_spanned!(last=> (&LIMBECK_FAULTS, #part, #name));
    quote_spanned!(last=> const _: () = #path #call;)
}

/// Any other fault of this method, reported on its name.
fn method_check(part: &Ident, method: &Method, with: &[Setting]) -> TokenStream {
    let at = method.span();
    let part = part.unraw().to_string();
    let written = with.iter().map(|setting| setting.name.unraw().to_string());
    quote_spanned!(at=> const _: () = ::limbeck::check::method(&LIMBECK_FAULTS, #part, &[#(#written),*]);)
}

/// Where an expression starts and ends, so that rustc underlines all of it.
fn ends(tokens: TokenStream) -> (Span, Span) {
    let here = |tree: TokenTree| tree.span().resolved_at(Span::call_site());
    let mut trees = tokens.into_iter();
    let first = trees.next().map_or_else(Span::call_site, here);
    (first, trees.last().map_or(first, here))
}
