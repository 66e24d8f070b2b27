//! `PLAN`: names, methods and settings as written, for diffs, logs and checkpoints.

use proc_macro2::TokenStream;
use quote::{quote, ToTokens};
use syn::ext::IdentExt;

use crate::model::{Recipe, Teacher};
use crate::plan::method_of;
use crate::spelling::spell;
use crate::stage::StageName;

/// `LIMBECK_PLAN`.
pub fn constants(recipe: &Recipe) -> TokenStream {
    let name = recipe.name().unraw().to_string();
    let doc = &recipe.doc;
    let teachers = recipe.teachers.iter().map(teacher);
    let stages = StageName::ALL.into_iter().filter_map(|name| stage(recipe, name));
    quote! {
        const LIMBECK_PLAN: ::limbeck::Plan = ::limbeck::Plan {
            name: #name,
            doc: #doc,
            base: ::core::option::Option::None,
            teachers: &[#(#teachers),*],
            stages: &[#(#stages),*],
            resolve: || ::limbeck::Recipe::settings(&LIMBECK_DEFAULT),
        };
    }
}

fn teacher(teacher: &Teacher) -> TokenStream {
    let name = teacher.name.unraw().to_string();
    let kind = teacher.method.spelled();
    let (domain, reads) = (optional(&teacher.domain), optional(&teacher.reads));
    quote!(::limbeck::plan::Teacher { name: #name, kind: #kind, domain: #domain, reads: #reads })
}

fn optional(words: &Option<impl ToTokens>) -> TokenStream {
    match words {
        Some(words) => {
            let spelled = spell(words);
            quote!(::core::option::Option::Some(#spelled))
        }
        None => quote!(::core::option::Option::None),
    }
}

/// A stage the loop runs: declared, or there by default.
fn stage(recipe: &Recipe, name: StageName) -> Option<TokenStream> {
    let method = method_of(recipe, name)?;
    let with = recipe.stage(name).map(|stage| stage.with.as_slice()).unwrap_or_default();
    let with = with.iter().map(|setting| {
        let (name, value) = (setting.name.unraw().to_string(), spell(&setting.value));
        quote!((#name, #value))
    });
    let name = name.as_str();
    Some(quote!(::limbeck::plan::Stage { stage: #name, method: #method, with: &[#(#with),*] }))
}
