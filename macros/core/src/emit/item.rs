//! The struct itself, the patch that run files are read into, and its settings as a list.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::punctuated::Punctuated;
use syn::{Attribute, ItemStruct, Meta, Path, Token};

use super::twin::{twin, Field};
use crate::method::Method;
use crate::model::Recipe;

/// The struct without our attributes, cloneable and printable.
pub fn structure(recipe: &Recipe) -> TokenStream {
    let item = stripped(recipe.item.clone());
    let derives = missing_derives(&item.attrs);
    quote! {
        #derives
        #item
    }
}

/// The struct without `#[teacher]` and `#[with]`.
pub fn stripped(mut item: ItemStruct) -> ItemStruct {
    let theirs =
        |attribute: &Attribute| !["teacher", "with"].iter().any(|ours| attribute.path().is_ident(ours));
    item.attrs.retain(theirs);
    for field in &mut item.fields {
        field.attrs.retain(theirs);
    }
    item
}

/// `Clone` and `Debug`, as far as the user has not derived them.
pub fn missing_derives(attributes: &[Attribute]) -> TokenStream {
    let derived: Vec<String> = attributes.iter().flat_map(derives).collect();
    let missing = [("Clone", quote!(::core::clone::Clone)), ("Debug", quote!(::core::fmt::Debug))]
        .into_iter()
        .filter(|(name, _)| !derived.iter().any(|known| known == name))
        .map(|(_, path)| path);
    quote!(#[derive(#(#missing),*)])
}

fn derives(attribute: &Attribute) -> Vec<String> {
    match &attribute.meta {
        Meta::List(list) if list.path.is_ident("derive") => {
            let paths = list.parse_args_with(Punctuated::<Path, Token![,]>::parse_terminated);
            let last = |path: &Path| path.segments.last().map(|part| part.ident.to_string());
            paths.map(|paths| paths.iter().filter_map(last).collect()).unwrap_or_default()
        }
        _ => Vec::new(),
    }
}

/// One optional patch a field, and how to apply them.
pub fn patch(recipe: &Recipe) -> TokenStream {
    let of = recipe.name().unraw().to_string();
    let fields: Vec<Field> = recipe
        .parts()
        .map(|(name, method, _)| Field { name, ty: optional_patch(method), at: method.ends().0 })
        .collect();
    let patch = twin(&of, &fields);
    let applied = recipe.parts().map(|(name, method, _)| {
        let apply = of_settings(method, &quote!(apply));
        let (recipe, patch) = (quote!(recipe), quote!(patch));
        let mut name = name.clone();
        name.set_span(method.ends().0);
        quote_spanned! {method.ends().0=>
            if let ::core::option::Option::Some(given) = #patch.#name {
                #apply(&mut #recipe.#name, given);
            }
        }
    });
    quote! {
        #patch
        fn limbeck_apply(recipe: &mut LimbeckRecipe, patch: LimbeckPatch) {
            #(#applied)*
        }
    }
}

/// `Option<<Method as Settings>::Patch>`, underlined as the method itself.
pub fn optional_patch(method: &Method) -> TokenStream {
    let (first, last) = method.ends();
    let patch = of_settings(method, &quote!(Patch));
    let option = quote_spanned!(first=> ::core::option::Option<);
    let close = quote_spanned!(last=> >);
    quote!(#option #patch #close)
}

/// Every teacher's and stage's settings, by field.
pub fn settings(recipe: &Recipe) -> TokenStream {
    let lists = recipe.parts().map(|(name, method, _)| {
        let (spelled, list) = (name.unraw().to_string(), of_settings(method, &quote!(list)));
        quote_spanned!(method.span()=> (#spelled, #list(&recipe.#name)))
    });
    quote! {
        fn limbeck_settings(
            recipe: &LimbeckRecipe,
        ) -> ::std::vec::Vec<(&'static str, ::std::vec::Vec<::limbeck::Setting>)> {
            ::std::vec![#(#lists),*]
        }
    }
}

/// `<Method as Settings>::…`, underlined as the method itself.
///
/// All that a recipe asks of a method's settings goes through this, so that of a method without any
/// rustc says so in one place, and once.
pub fn of_settings(method: &Method, what: &TokenStream) -> TokenStream {
    let (first, last) = method.ends();
    let ty = &method.path;
    let open = quote_spanned!(first=> <);
    let what = what.clone().into_iter().map(|mut tree| {
        tree.set_span(last);
        tree
    });
    let what: TokenStream = what.collect();
    let rest = quote_spanned!(last=> as ::limbeck::Settings>::#what);
    quote!(#open #ty #rest)
}
