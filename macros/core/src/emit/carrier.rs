//! The carrier: a `macro_rules!` under the recipe's own name that hands its tokens to a callback.
//!
//! A proc macro cannot see another item, so a fork asks its base to bring itself:
//! `path::UniOpd! { { callback path } anything }` becomes `callback path ! { { args } { struct } anything }`.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use syn::ext::IdentExt;
use syn::{ItemStruct, Visibility};

/// The carrier of a recipe, as visible as the struct.
pub fn carrier(item: &ItemStruct, args: &TokenStream) -> TokenStream {
    let name = &item.ident;
    let hidden =
        format_ident!("__limbeck_carrier_{}_{}", name.unraw(), place(item), span = Span::call_site());
    let export = matches!(item.vis, Visibility::Public(_)).then(|| quote!(#[macro_export]));
    let vis = &item.vis;
    quote! {
        #[doc(hidden)]
        #[allow(unused_macros, non_local_definitions)]
        #export
        macro_rules! #hidden {
            ({ $($callback:tt)* } $($rest:tt)*) => {
                $($callback)* ! { { #args } { #item } $($rest)* }
            };
        }
        #[doc(hidden)]
        #[allow(unused_imports, unreachable_pub, unused_qualifications)]
        #vis use #hidden as #name;
    }
}

/// Tells apart two recipes of one name in one crate: exported macros share the crate's root.
fn place(item: &ItemStruct) -> String {
    let at = item.ident.span();
    let start = at.start();
    let place = format!("{}:{}:{}", at.file(), start.line, start.column);
    let hash = place.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:016x}")
}
