//! From the model and the plan to the tokens rustc gets.
//!
//! Everything hidden sits in one `const _`. The trait impl sits in a second one inside it, because
//! only there are the loop's own words (`World`, `Run`, …) in scope: a user's type of the same name
//! still means the user's type wherever the user's types are written.

mod carrier;
mod consts;
mod fallback;
mod fork;
mod item;
mod plan;
mod train;
pub mod twin;

pub use fallback::fallback;
pub use fork::ask;
pub use item::{missing_derives, structure};
pub use plan::planned;
pub use train::{replay, train};

use proc_macro2::TokenStream;
use quote::quote;

use crate::model::Recipe;
use crate::plan::Loop;
use crate::{eject, render, source};

/// Everything a recipe without mistakes expands to.
pub fn all(recipe: &Recipe, plan: &Loop) -> TokenStream {
    let item = item::structure(recipe);
    let copies = item::copies(recipe);
    let carrier = carrier::carrier(&recipe.item, &TokenStream::new());
    let name = recipe.name();
    let parts = item::parts(recipe);
    let default = consts::default(recipe);
    let checks = consts::checks(recipe);
    let mute = consts::mute();
    let constants = plan::constants(recipe);
    let (source, text, ejected) = (source::text(recipe), render::train(plan), eject::text(recipe, plan));
    let (train, replay, readings) = (train(plan), replay(plan), render::readings(plan));
    quote! {
        #item
        #carrier
        #[doc(hidden)]
        #[allow(clippy::all, clippy::pedantic, unreachable_pub, unused_qualifications, private_interfaces, dead_code)]
        const _: () = {
            type LimbeckRecipe = #name;
            #copies
            #parts
            #default
            #constants
            #mute
            #checks
            const _: () = {
                #[allow(unused_imports)]
                use ::limbeck::loops::*;
                #[automatically_derived]
                impl ::limbeck::Recipe for LimbeckRecipe {
                    const NAME: &'static str = LIMBECK_PLAN.name;
                    const DOC: &'static str = LIMBECK_PLAN.doc;
                    const SOURCE: &'static str = #source;
                    const PLAN: ::limbeck::Plan = LIMBECK_PLAN;
                    const BASE: ::core::option::Option<::limbeck::Plan> = LIMBECK_BASE;
                    const LOOP: &'static str = #text;
                    const EJECTED: &'static str = #ejected;
                    const DEFAULT: Self = LIMBECK_DEFAULT;
                    const FACTS: ::limbeck::Facts = LIMBECK_FACTS;
                    fn parts(&self) -> ::std::vec::Vec<(&'static str, &dyn ::limbeck::Part)> {
                        limbeck_parts(self)
                    }
                    fn parts_mut(&mut self) -> ::std::vec::Vec<(&'static str, &mut dyn ::limbeck::Part)> {
                        limbeck_parts_mut(self)
                    }
                    #train
                    #replay
                    #readings
                }
            };
        };
    }
}
