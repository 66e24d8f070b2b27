//! The way out: a recipe as ordinary Rust, with its loop as people read it and no macro left in it.

use proc_macro2::TokenStream;
use quote::{quote, ToTokens};
use syn::ext::IdentExt;
use syn::{Attribute, Expr, ItemStruct, PathArguments};

use crate::emit;
use crate::method::Method;
use crate::model::Recipe;
use crate::plan::Loop;
use crate::render;
use crate::syntax::Setting;

/// The one name that means one thing to a loop, and another to a recipe file.
const TWICE: &str = "Routed";

/// The recipe as a file.
pub fn text(recipe: &Recipe, plan: &Loop) -> String {
    let name = recipe.name().unraw().to_string();
    let structure = emit::structure(recipe);
    let looped = render::train(plan);
    let imports = imports(recipe, &structure, &looped);
    let declared = printed(&derived(recipe, structure));
    let (rest, train) = (printed(&implementation(recipe, plan)), indented(&looped));
    let rest =
        spaced(&rest).replacen("    train!();\n", &train, 1).replacen("doc!()", &quoted(&recipe.doc), 1);
    format!(
        "//! `{name}` without its macro: the loop, the settings and the plan as ordinary Rust, to be changed at will.\n\
         //!\n\
         //! It trains as `{name}` does, bit for bit, until you change it. From here on nothing compares what is\n\
         //! declared with what runs: the loop is yours, and so is the plan.\n\n\
         {imports}\n{declared}\n{rest}"
    )
}

fn imports(recipe: &Recipe, structure: &ItemStruct, looped: &str) -> String {
    let mut used = Vec::new();
    words(structure.fields.to_token_stream(), &mut used);
    recipe
        .parts()
        .flat_map(|(_, _, with)| with)
        .for_each(|one| words(one.value.to_token_stream(), &mut used));
    let meant = if used.iter().any(|word| word == TWICE) {
        format!("use limbeck::prelude::{TWICE};\n")
    } else if looped.contains(TWICE) {
        format!("use limbeck::eject::{TWICE};\n")
    } else {
        String::new()
    };
    format!("use limbeck::eject::*;\n{meant}use limbeck::prelude::*;\n")
}

fn words(tokens: TokenStream, found: &mut Vec<String>) {
    for tree in tokens {
        match tree {
            proc_macro2::TokenTree::Group(group) => words(group.stream(), found),
            proc_macro2::TokenTree::Ident(word) => found.push(word.to_string()),
            _ => {}
        }
    }
}

/// The struct with `Clone` and `Debug`, as the macro gives it.
fn derived(recipe: &Recipe, mut structure: ItemStruct) -> TokenStream {
    let (docs, others): (Vec<Attribute>, Vec<Attribute>) =
        structure.attrs.drain(..).partition(|attribute| attribute.path().is_ident("doc"));
    let derives = emit::missing_derives(&recipe.item.attrs);
    quote!(#(#docs)* #derives #(#others)* #structure)
}

/// All that the verbs ask of a recipe, the loop first.
fn implementation(recipe: &Recipe, plan: &Loop) -> TokenStream {
    let name = recipe.name();
    let fields = recipe.parts().map(|(name, method, with)| {
        let value = value(method, with);
        quote!(#name: #value)
    });
    let (replay, readings) = (render::replay_as_planned(plan), render::readings(plan));
    let planned =
        emit::planned(recipe, [quote!(doc!()), quote!(|| Self::DEFAULT.settings()), quote!(Self::LOOP)]);
    let list = |part: TokenStream| {
        let parts = recipe.parts().map(|(name, _, _)| {
            let word = name.unraw().to_string();
            quote!((#word, self.#name.#part()))
        });
        quote!(Vec::from([#(#parts),*]))
    };
    let (parts, parts_mut) = (list(quote!(part)), list(quote!(part_mut)));
    quote! {
        impl Recipe for #name {
            train!();
            #[allow(clippy::needless_update)]
            const DEFAULT: Self = Self { #(#fields,)* };
            #replay
            #readings
            const PLAN: Plan = #planned;
            const LOOP: &'static str = limbeck::this_file!();
            fn parts(&self) -> Parts<'_> {
                #parts
            }
            fn parts_mut(&mut self) -> PartsMut<'_> {
                #parts_mut
            }
        }
    }
}

/// A method's default under the recipe's own settings.
fn value(method: &Method, with: &[Setting]) -> TokenStream {
    let path = &method.path;
    let plain = path.segments.iter().all(|part| matches!(part.arguments, PathArguments::None));
    let default = if plain { quote!(#path::DEFAULT) } else { quote!(<#path>::DEFAULT) };
    if with.is_empty() {
        return default;
    }
    let mut bare = path.clone();
    bare.segments.iter_mut().for_each(|part| part.arguments = PathArguments::None);
    let given = with.iter().map(|Setting { name, value }| {
        let value: &Expr = value;
        quote!(#name: #value)
    });
    quote!(#bare { #(#given,)* ..#default })
}

/// An item as people write it: the macro's own full names are only for where a user's names are about.
fn printed(item: &TokenStream) -> String {
    let text = match syn::parse2::<syn::File>(item.clone()) {
        Ok(file) => prettyplease::unparse(&file),
        Err(_) => item.to_string(),
    };
    FULL_NAMES.iter().fold(text, |text, (full, short)| text.replace(full, short))
}

const FULL_NAMES: [(&str, &str); 10] = [
    ("::core::result::Result::Ok", "Ok"),
    ("::core::option::Option::None", "None"),
    ("::core::option::Option::Some", "Some"),
    ("::core::clone::Clone", "Clone"),
    ("::core::fmt::Debug", "Debug"),
    ("::std::vec::Vec", "Vec"),
    ("::limbeck::stages::score::Asked", "Asked"),
    ("::limbeck::stages::score::Reading", "Reading"),
    ("::limbeck::plan::", ""),
    ("::limbeck::Plan", "Plan"),
];

/// A text of several lines as a literal of several lines.
fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", escaped.replace('\n', "\\n\\\n        "))
}

/// The members of an impl block, with a blank line before each but the first.
fn spaced(text: &str) -> String {
    let mut spaced = String::new();
    let mut last = "";
    for line in text.lines() {
        let begins = ["    fn ", "    const ", "    #["].iter().any(|start| line.starts_with(start));
        if begins && !last.starts_with("    #[") && !last.starts_with("impl") {
            spaced.push('\n');
        }
        spaced.push_str(line);
        spaced.push('\n');
        last = line;
    }
    spaced
}

/// `text` one step further in.
fn indented(text: &str) -> String {
    text.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("    {line}\n") }).collect()
}
