//! The struct itself, its copies, and its methods with their types forgotten.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::punctuated::Punctuated;
use syn::{Attribute, Ident, ItemStruct, Meta, Path, Token};

use super::consts;
use crate::method::Method;
use crate::model::Recipe;

/// The struct without our attributes.
pub fn structure(recipe: &Recipe) -> ItemStruct {
    stripped(recipe.item.clone())
}

/// `Clone` and `Debug`, as far as the user has not derived them.
///
/// Written out and not derived: a derive asks every method for both on its own, and a type that is no
/// method would be told so several times over.
pub fn copies(recipe: &Recipe) -> TokenStream {
    let name = recipe.name();
    let derived = derived(&recipe.item.attrs);
    let missing = |what: &str| !derived.iter().any(|known| known == what);
    let (clone, debug) = (missing("Clone").then(|| clone(recipe)), missing("Debug").then(|| debug(recipe)));
    let clone = clone.map(|body| {
        quote! {
            #[automatically_derived]
            impl ::core::clone::Clone for #name {
                fn clone(&self) -> Self {
                    #body
                }
            }
        }
    });
    let debug = debug.map(|body| {
        quote! {
            #[automatically_derived]
            impl ::core::fmt::Debug for #name {
                fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    #body
                }
            }
        }
    });
    quote! {
        #clone
        #debug
    }
}

fn clone(recipe: &Recipe) -> TokenStream {
    let copied = recipe.parts().map(|(name, method, _)| {
        let copied = asked(name, method, &quote!(copied));
        quote!(#name: #copied)
    });
    let silent = consts::said_already(recipe);
    quote!(#silent Self { #(#copied,)* })
}

/// `<Method as Settings>::…(&self.field)`, underlined as the method itself.
fn asked(name: &Ident, method: &Method, what: &TokenStream) -> TokenStream {
    let (called, last, this) = (of_settings(method, what), method.ends().1, quote!(self));
    let mut name = name.clone();
    name.set_span(last);
    let arguments = quote_spanned!(last=> (&#this.#name));
    quote!(#called #arguments)
}

fn debug(recipe: &Recipe) -> TokenStream {
    let spelled = recipe.name().unraw().to_string();
    let shown = recipe.parts().map(|(name, method, _)| {
        let (word, shown) = (name.unraw().to_string(), asked(name, method, &quote!(shown)));
        quote! {
            let shown: &dyn ::core::fmt::Debug = #shown;
            f.field(#word, shown);
        }
    });
    let silent = consts::said_already(recipe);
    quote! {
        #silent
        let mut f = f.debug_struct(#spelled);
        #(#shown)*
        f.finish()
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

/// `Clone` and `Debug` of a struct with mistakes, derived as far as the user has not.
pub fn missing_derives(attributes: &[Attribute]) -> TokenStream {
    let derived = derived(attributes);
    let missing = [("Clone", quote!(::core::clone::Clone)), ("Debug", quote!(::core::fmt::Debug))]
        .into_iter()
        .filter(|(name, _)| !derived.iter().any(|known| known == name))
        .map(|(_, path)| path);
    quote!(#[derive(#(#missing),*)])
}

fn derived(attributes: &[Attribute]) -> Vec<String> {
    attributes.iter().flat_map(derives).collect()
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

/// `limbeck_parts` and `limbeck_parts_mut`: every method with its name, its type forgotten.
pub fn parts(recipe: &Recipe) -> TokenStream {
    let list = |what: TokenStream, reference: TokenStream| {
        let parts = recipe.parts().map(|(name, method, _)| {
            let word = name.unraw().to_string();
            let (called, last, this) = (of_settings(method, &what), method.ends().1, quote!(recipe));
            let mut name = name.clone();
            name.set_span(last);
            let arguments = quote_spanned!(last=> (#reference #this.#name));
            quote!((#word, #called #arguments))
        });
        quote!(::std::vec![#(#parts),*])
    };
    let silent = consts::said_already(recipe);
    let (parts, parts_mut) = (list(quote!(part), quote!(&)), list(quote!(part_mut), quote!(&mut)));
    quote! {
        fn limbeck_parts(recipe: &LimbeckRecipe) -> ::std::vec::Vec<(&'static str, &dyn ::limbeck::Part)> {
            #silent
            #parts
        }
        fn limbeck_parts_mut(
            recipe: &mut LimbeckRecipe,
        ) -> ::std::vec::Vec<(&'static str, &mut dyn ::limbeck::Part)> {
            #silent
            #parts_mut
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
