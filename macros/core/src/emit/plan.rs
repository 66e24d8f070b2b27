//! `PLAN`: names, methods and settings as written, for diffs, logs and checkpoints.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;

use crate::model::{Recipe, Teacher};
use crate::plan::method_of;
use crate::spelling::spell;
use crate::stage::StageName;

/// `LIMBECK_PLAN`, and the plan of the base.
pub fn constants(recipe: &Recipe) -> TokenStream {
    let doc = &recipe.doc;
    let (resolve, loop_text) = (
        quote!(|| ::limbeck::Recipe::settings(&LIMBECK_DEFAULT)),
        quote!(<LimbeckRecipe as ::limbeck::Recipe>::LOOP),
    );
    let plan = planned(recipe, [quote!(#doc), resolve, loop_text]);
    let base = match &recipe.base_path {
        Some(path) => quote!(::core::option::Option::Some(<#path as ::limbeck::Recipe>::PLAN)),
        None => quote!(::core::option::Option::None),
    };
    quote! {
        const LIMBECK_PLAN: ::limbeck::Plan = #plan;
        const LIMBECK_BASE: ::core::option::Option<::limbeck::Plan> = #base;
    }
}

/// The plan as an expression, of a doc, of how to list the settings, and of the loop's text.
pub fn planned(recipe: &Recipe, [doc, resolve, loop_text]: [TokenStream; 3]) -> TokenStream {
    let (name, base) = (recipe.name().unraw().to_string(), option(recipe.base.as_ref()));
    let teachers = recipe.teachers.iter().map(teacher);
    let stages = StageName::ALL.into_iter().filter_map(|name| stage(recipe, name));
    quote! {
        ::limbeck::Plan {
            name: #name,
            doc: #doc,
            base: #base,
            teachers: &[#(#teachers),*],
            stages: &[#(#stages),*],
            resolve: #resolve,
            loop_text: #loop_text,
        }
    }
}

fn teacher(teacher: &Teacher) -> TokenStream {
    let name = teacher.name.unraw().to_string();
    let kind = teacher.method.spelled();
    let domain = teacher.domain.as_ref().map(spell).map(|domain| quote!(.of_domain(#domain)));
    let reads = teacher.reads.as_ref().map(spell).map(|reads| quote!(.reading(#reads)));
    quote!(::limbeck::plan::Teacher::new(#name, #kind)#domain #reads)
}

fn option(text: Option<&String>) -> TokenStream {
    match text {
        Some(text) => quote!(::core::option::Option::Some(#text)),
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
    Some(quote!(::limbeck::plan::Stage::new(#name, #method, &[#(#with),*])))
}
