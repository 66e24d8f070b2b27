//! The first half of a fork: the base's carrier is called, and brings the base's fields to `__fork!`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::ext::IdentExt;

use crate::syntax::{Base, Written};

/// The base under a name of its own, called with the fork as its luggage.
///
/// What has no carrier is no recipe, and only rustc can find that out, by missing the macro of this name. So
/// the name says what is wrong.
pub fn ask(own: &Written, base: &Base) -> TokenStream {
    let (path, args, item) = (&base.path, &own.args, &own.item);
    let alias = format_ident!(
        "{}_is_no_recipe_so_{}_cannot_fork_it",
        base.word(),
        own.item.ident.unraw(),
        span = base.span()
    );
    quote! {
        #[doc(hidden)]
        #[allow(unused_imports, unused_qualifications, non_snake_case)]
        use #path as #alias;
        #alias! { { ::limbeck::__fork } { #args } { #item } }
    }
}
