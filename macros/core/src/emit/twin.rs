//! The patch twin of a method or a recipe: every field optional, unknown ones refused.
//!
//! Written out rather than derived: a derive would mention every field's type several times over,
//! and a type that does not fit would then be several errors.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::Ident;

/// A field of a twin: its name, its type (an `Option`), and where an error about it belongs.
pub struct Field<'a> {
    pub name: &'a Ident,
    pub ty: TokenStream,
    pub at: Span,
}

impl Field<'_> {
    /// Its name, standing where errors about it belong.
    fn placed(&self) -> Ident {
        let mut name = self.name.clone();
        name.set_span(self.at);
        name
    }
}

/// `LimbeckPatch`, as read from a run file under the name of what it patches.
pub fn twin(of: &str, fields: &[Field<'_>]) -> TokenStream {
    let names: Vec<&Ident> = fields.iter().map(|field| field.name).collect();
    let words: Vec<String> = names.iter().map(|name| name.unraw().to_string()).collect();
    let declared = fields.iter().map(|Field { name, ty, .. }| quote!(pub #name: #ty));
    let absent = fields.iter().map(|field| {
        let name = field.placed();
        quote_spanned!(field.at=> #name: ::core::option::Option::None)
    });
    // `self` and `map` are the macro's own; all else stands on the user's word.
    let (this, map) = (quote!(self), quote!(map));
    let taken = fields.iter().zip(&words).map(|(field, word)| {
        let name = field.placed();
        quote_spanned!(field.at=> #word => ::limbeck::patch::put(&mut #this.#name, #map))
    });
    quote! {
        #[doc(hidden)]
        pub struct LimbeckPatch { #(#declared,)* }
        impl ::core::default::Default for LimbeckPatch {
            fn default() -> Self {
                Self { #(#absent,)* }
            }
        }
        impl ::limbeck::patch::Fields for LimbeckPatch {
            const OF: &'static str = #of;
            const FIELDS: &'static [&'static str] = &[#(#words),*];
            fn take<'de, M: ::limbeck::serde::de::MapAccess<'de>>(
                &mut self,
                field: &str,
                map: &mut M,
            ) -> ::core::result::Result<(), M::Error> {
                match field {
                    #(#taken,)*
                    _ => ::core::result::Result::Err(::limbeck::patch::unknown::<Self, M::Error>(field)),
                }
            }
        }
        impl<'de> ::limbeck::serde::Deserialize<'de> for LimbeckPatch {
            fn deserialize<D: ::limbeck::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::core::result::Result<Self, D::Error> {
                ::limbeck::patch::read(deserializer)
            }
        }
    }
}
