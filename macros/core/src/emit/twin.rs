//! The patch twin of a method or a recipe: every field optional, unknown ones refused.
//!
//! Written out rather than derived: a derive would mention every field's type several times over,
//! and a type that does not fit would then be several errors.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::Ident;

/// A field of a twin: its name, its type (an `Option`), the function that reads it, and where an error
/// about it belongs.
pub struct Field<'a> {
    pub name: &'a Ident,
    pub ty: TokenStream,
    pub put: TokenStream,
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
    let absent: Vec<TokenStream> = absent.collect();
    // Taken apart and not `self.field`: the type of such an expression would be missed once more, on no
    // word of the user's. `map` and `word` are the macro's own, whatever the fields are called.
    let (map, given) = (Ident::new("map", Span::mixed_site()), Ident::new("word", Span::mixed_site()));
    let placed: Vec<Ident> = fields.iter().map(Field::placed).collect();
    let taken = fields.iter().zip(&words).map(|(field, word)| {
        let (name, put) = (field.placed(), &field.put);
        quote_spanned!(field.at=> #word => #put(#name, #map))
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
                #given: &str,
                #map: &mut M,
            ) -> ::core::result::Result<(), M::Error> {
                let Self { #(#placed),* } = self;
                match #given {
                    #(#taken,)*
                    _ => ::core::result::Result::Err(::limbeck::patch::unknown::<Self, M::Error>(#given)),
                }
            }
        }
        impl<'de> ::limbeck::serde::Deserialize<'de> for LimbeckPatch {
            fn deserialize<D: ::limbeck::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::core::result::Result<Self, D::Error> {
                // what is no method is missed here in the words, and at the place, of the others
                let _ = || Self { #(#absent,)* };
                ::limbeck::patch::read(deserializer)
            }
        }
    }
}
