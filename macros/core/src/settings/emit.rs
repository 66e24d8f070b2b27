//! `impl Settings`, the patch twin, and the const functions a recipe's checks call.

use proc_macro2::{Literal, Span, TokenStream};
use quote::{quote, quote_spanned, ToTokens};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{DeriveInput, ExprPath, Ident};

use super::parse::{Field, Method};
use crate::emit::twin;

/// The same without any setting, around the mistakes: `DEFAULT` is where they stand, so that nothing
/// that uses the method is evaluated and complains as well.
pub fn stub(input: &DeriveInput, mistakes: &[TokenStream]) -> TokenStream {
    let (name, spelled) = (&input.ident, input.ident.unraw().to_string());
    let (parameters, arguments, bounds) = input.generics.split_for_impl();
    let twin = twin::twin(&spelled, &[]);
    let method = Method { input: input.clone(), check: None, facts: None, fields: Vec::new() };
    let (inherent, dynamic) = (inherent(&method), dynamic());
    quote! {
        #[doc(hidden)]
        #[allow(clippy::all, clippy::pedantic, private_interfaces, dead_code)]
        const _: () = {
            #twin
            impl #parameters ::limbeck::Settings for #name #arguments #bounds {
                const METHOD: &'static str = #spelled;
                const DEFAULT: Self = { #(#mistakes);* };
                type Patch = LimbeckPatch;
                fn apply(&mut self, _: LimbeckPatch) {}
                fn list(&self) -> ::std::vec::Vec<::limbeck::Setting> {
                    ::std::vec::Vec::new()
                }
                fn copied(&self) -> Self {
                    ::core::panic!("this method has mistakes")
                }
                fn shown(&self) -> &dyn ::core::fmt::Debug {
                    &()
                }
                #dynamic
            }
            #inherent
        };
    }
}

/// Everything the derive adds.
pub fn all(method: &Method) -> TokenStream {
    let name = &method.input.ident;
    let spelled = name.unraw().to_string();
    let (parameters, arguments, bounds) = method.input.generics.split_for_impl();
    let settings: Vec<&Field> = method.fields.iter().filter(|field| !field.skipped).collect();
    let patch = patch(&spelled, &settings);
    let default = default(method);
    let applied = settings.iter().map(|field| applied(field));
    let listed = settings.iter().map(|field| listed(field));
    let (copies, inherent, dynamic) = (copies(name), inherent(method), dynamic());
    quote! {
        #[doc(hidden)]
        #[allow(clippy::all, clippy::pedantic, unreachable_pub, unused_qualifications, private_interfaces, dead_code)]
        const _: () = {
            #patch
            #[automatically_derived]
            impl #parameters ::limbeck::Settings for #name #arguments #bounds {
                const METHOD: &'static str = #spelled;
                const DEFAULT: Self = #default;
                type Patch = LimbeckPatch;
                #[allow(unused_variables)]
                fn apply(&mut self, patch: LimbeckPatch) {
                    #(#applied)*
                }
                fn list(&self) -> ::std::vec::Vec<::limbeck::Setting> {
                    ::std::vec![#(#listed),*]
                }
                #copies
                #dynamic
            }
            #inherent
        };
    }
}

fn patch(method: &str, settings: &[&Field]) -> TokenStream {
    let fields: Vec<twin::Field> = settings
        .iter()
        .map(|Field { name, ty, .. }| twin::Field {
            name,
            ty: quote!(::core::option::Option<#ty>),
            put: held(ty, &quote!(put)),
            at: here(ty),
        })
        .collect();
    twin::twin(method, &fields)
}

/// Where a field's type stands.
fn here(ty: &syn::Type) -> Span {
    ty.span().resolved_at(Span::call_site())
}

fn default(method: &Method) -> TokenStream {
    let fields = method.fields.iter().map(|Field { name, default, .. }| match default {
        Some(value) => quote!(#name: #value),
        None => quote!(#name: ::core::marker::PhantomData),
    });
    quote!(Self { #(#fields,)* })
}

fn applied(Field { name, .. }: &Field) -> TokenStream {
    quote! {
        if let ::core::option::Option::Some(given) = patch.#name {
            self.#name = given;
        }
    }
}

fn listed(Field { name, ty, doc, .. }: &Field) -> TokenStream {
    let spelled = Literal::string(&name.unraw().to_string());
    let (at, setting) = (here(ty), held(ty, &quote!(setting)));
    quote_spanned!(at=> #setting(&self.#name, #spelled, #doc))
}

/// `<Type as Value>::…`, underlined as the type itself. All that a method asks of a setting's type goes
/// through this, so that of one that run files cannot hold rustc says so once.
fn held(ty: &syn::Type, what: &TokenStream) -> TokenStream {
    let places: Vec<Span> = ty.to_token_stream().into_iter().map(|tree| tree.span()).collect();
    let first = places.first().copied().unwrap_or_else(Span::call_site);
    let last = places.last().copied().unwrap_or(first);
    let open = quote_spanned!(first=> <);
    let rest = quote_spanned!(last=> as ::limbeck::patch::Value>::);
    let what = what.clone().into_iter().map(|mut tree| {
        tree.set_span(last);
        tree
    });
    quote!(#open #ty #rest #(#what)*)
}

/// Spanned on the struct's name, so that a missing `Clone` or `Debug` is missed there.
fn copies(name: &Ident) -> TokenStream {
    let at = name.span().resolved_at(Span::call_site());
    let this = Ident::new("self", at);
    let (copied, shown) =
        (quote_spanned!(at=> ::core::clone::Clone::clone(#this)), quote_spanned!(at=> #this));
    quote! {
        fn copied(&#this) -> Self {
            #copied
        }
        fn shown(&#this) -> &dyn ::core::fmt::Debug {
            #shown
        }
    }
}

/// What is asked of a method whose type is forgotten.
fn dynamic() -> TokenStream {
    quote! {
        fn tells(&self, facts: ::limbeck::Facts) -> ::limbeck::Facts {
            self.facts(facts)
        }
        fn fault(&self, facts: &::limbeck::Facts) -> ::core::option::Option<::limbeck::Fault> {
            self.check(facts)
        }
        fn part(&self) -> &dyn ::limbeck::Part {
            self
        }
        fn part_mut(&mut self) -> &mut dyn ::limbeck::Part {
            self
        }
    }
}

fn inherent(method: &Method) -> TokenStream {
    let name = &method.input.ident;
    let (parameters, arguments, bounds) = method.input.generics.split_for_impl();
    // a parameter's name of the macro's own: a const fn of the user's may be called `facts` too
    let known = Ident::new("facts", Span::mixed_site());
    let facts = match &method.facts {
        Some(facts) => called(facts, &known),
        None => quote!(#known),
    };
    let check = match &method.check {
        Some(check) => called(check, &known),
        None => quote!(::core::option::Option::None),
    };
    quote! {
        #[allow(unused_variables)]
        impl #parameters #name #arguments #bounds {
            /// What later and earlier stages may rely on, given what is known already.
            #[doc(hidden)]
            #[must_use]
            pub const fn facts(&self, #known: ::limbeck::Facts) -> ::limbeck::Facts {
                #facts
            }
            /// What is wrong with these values beside the others, if anything.
            #[doc(hidden)]
            #[must_use]
            pub const fn check(&self, #known: &::limbeck::Facts) -> ::core::option::Option<::limbeck::Fault> {
                #check
            }
        }
    }
}

/// The user's const fn, called where its name stands: what does not fit is underlined there.
fn called(function: &ExprPath, facts: &Ident) -> TokenStream {
    let at = function.path.segments.last().map_or_else(Span::call_site, |last| last.ident.span());
    let this = quote!(self);
    let mut known = facts.clone();
    known.set_span(at.resolved_at(Span::mixed_site()));
    let arguments = quote_spanned!(at.resolved_at(Span::call_site())=> (#this, #known));
    quote!(#function #arguments)
}
