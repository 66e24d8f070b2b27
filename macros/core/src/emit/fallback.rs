//! What a recipe with mistakes expands to: the struct and an empty `Recipe`, so that one mistake is
//! one error and the rest of the user's crate still finds the names it uses.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::punctuated::Punctuated;
use syn::{Field, Fields, Generics, Ident, Item, ItemStruct, Type};

use super::{carrier, item};
use crate::report::Report;
use crate::syntax;

/// The item as far as it stands, and a stub around the mistakes.
pub fn fallback(args: &TokenStream, tokens: TokenStream, report: &Report) -> TokenStream {
    match syn::parse2::<Item>(tokens.clone()) {
        Ok(Item::Struct(structure)) => {
            let carrier = carrier::carrier(&structure, args);
            let structure = item::stripped(sound(structure));
            let derives = item::missing_derives(&structure.attrs);
            let stub = stub(&structure.ident, &structure.generics, &mistakes(args, report));
            quote!(#derives #structure #carrier #stub)
        }
        _ => {
            let mistakes = report.tokens();
            quote!(#tokens #mistakes)
        }
    }
}

/// Without the fields rustc would complain of a second time: doubles, and types left open.
fn sound(mut structure: ItemStruct) -> ItemStruct {
    if let Fields::Named(fields) = &mut structure.fields {
        let mut kept: Punctuated<Field, syn::Token![,]> = Punctuated::new();
        for field in std::mem::take(&mut fields.named) {
            let double = kept.iter().any(|known| known.ident == field.ident);
            if !double && !matches!(field.ty, Type::Infer(_)) {
                kept.push(field);
            }
        }
        fields.named = kept;
    }
    structure
}

/// The mistakes; where there are none of its own, those of the base, which rustc has said already.
fn mistakes(args: &TokenStream, report: &Report) -> Vec<TokenStream> {
    if let (true, Some(base)) = (report.is_clean(), syntax::base(args.clone())) {
        let path = &base.path;
        return vec![quote!(let _ = <#path as ::limbeck::Recipe>::DEFAULT), quote!(::core::panic!())];
    }
    report.each()
}

/// `DEFAULT` is where the mistakes stand, so that nothing that uses it is evaluated and complains.
fn stub(name: &Ident, generics: &Generics, mistakes: &[TokenStream]) -> TokenStream {
    let (parameters, arguments, bounds) = generics.split_for_impl();
    let spelled = name.unraw().to_string();
    quote! {
        #[doc(hidden)]
        const _: () = {
            #[automatically_derived]
            impl #parameters ::limbeck::Recipe for #name #arguments #bounds {
                const NAME: &'static str = #spelled;
                const DOC: &'static str = "";
                const SOURCE: &'static str = "";
                const PLAN: ::limbeck::Plan = ::limbeck::Plan {
                    name: #spelled,
                    doc: "",
                    base: ::core::option::Option::None,
                    teachers: &[],
                    stages: &[],
                    resolve: || ::std::vec::Vec::new(),
                    loop_text: "",
                };
                const LOOP: &'static str = "";
                const EJECTED: &'static str = "";
                const DEFAULT: Self = { #(#mistakes);* };
                const FACTS: ::limbeck::Facts = ::limbeck::Facts::NONE;
                fn parts(&self) -> ::std::vec::Vec<(&'static str, &dyn ::limbeck::Part)> {
                    ::std::vec::Vec::new()
                }
                fn parts_mut(&mut self) -> ::std::vec::Vec<(&'static str, &mut dyn ::limbeck::Part)> {
                    ::std::vec::Vec::new()
                }
                fn train<W: ::limbeck::loops::World>(
                    &self,
                    _: &::limbeck::loops::Run,
                    _: &mut W,
                ) -> ::limbeck::loops::Result<::limbeck::loops::Report> {
                    ::core::panic!("this recipe has mistakes")
                }
                fn replay(
                    &self,
                    _: ::limbeck::loops::Recorded,
                ) -> ::limbeck::loops::Result<::limbeck::loops::Replay> {
                    ::core::panic!("this recipe has mistakes")
                }
                fn readings<W: ::limbeck::loops::World>(
                    &self,
                    _: &W,
                    _: &::limbeck::stages::score::Asked,
                ) -> ::limbeck::loops::Result<::std::vec::Vec<::limbeck::stages::score::Reading>> {
                    ::core::panic!("this recipe has mistakes")
                }
            }
        };
    }
}
