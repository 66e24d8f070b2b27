//! The struct itself, and what `#[recipe(…)]` says of it.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Attribute, Expr, ExprLit, Fields, Item, ItemStruct, Lit, Meta};

use super::attributes::{entries, Entry};
use super::field::{self, Field};
use crate::messages;
use crate::report::Report;
use crate::suggest;

/// A recipe as it was written.
pub struct Written {
    /// The struct, with our attributes still on it.
    pub item: ItemStruct,
    /// What stands in `#[recipe(…)]`.
    pub args: TokenStream,
    /// The recipe it forks, if it does.
    pub base: Option<Base>,
    pub fields: Vec<Field>,
}

/// `base = path`, and the stages left out by `without(…)`.
pub struct Base {
    /// The base's path, as tokens to point at.
    pub path: TokenStream,
    /// What stands in `without(…)`.
    #[expect(dead_code, reason = "forks are read, and carried out later")]
    pub without: TokenStream,
    /// Something beside it could not be read.
    pub broken: bool,
}

/// Reads the struct; `None` if there is none to read.
pub fn read(args: TokenStream, item: TokenStream, report: &mut Report) -> Option<Written> {
    let base = read_args(args.clone(), report);
    let item = match syn::parse2::<Item>(item) {
        Ok(Item::Struct(item)) => item,
        Ok(other) => {
            report.at(first(&other), messages::not_a_struct(word(&other)));
            return None;
        }
        Err(error) => {
            report.push(error);
            return None;
        }
    };
    if !item.generics.params.is_empty() {
        report.at(&item.generics, messages::generic_recipe(&item.ident));
    }
    for attribute in &item.attrs {
        if attribute.path().is_ident("with") || attribute.path().is_ident("teacher") {
            report.at(attribute, messages::attribute_on_the_struct(&attribute.path().to_token_stream()));
        }
    }
    match &item.fields {
        Fields::Named(named) => {
            let fields = named.named.iter().filter_map(|one| field::read(one, report)).collect();
            Some(Written { fields, base, args, item })
        }
        Fields::Unnamed(_) => {
            report.at(&item.ident, messages::tuple_struct(&item.ident));
            None
        }
        Fields::Unit => {
            report.at(&item.ident, messages::unit_struct(&item.ident));
            None
        }
    }
}

/// Reads `#[recipe(base = …, without(…))]`.
fn read_args(args: TokenStream, report: &mut Report) -> Option<Base> {
    let mut path: Option<TokenStream> = None;
    let mut without: Option<TokenStream> = None;
    let mistakes = report.count();
    for entry in entries(args) {
        let Some(key) = entry.name().cloned() else {
            if let Entry::Junk(tokens) = entry {
                report.at(tokens, messages::junk_in_recipe());
            }
            continue;
        };
        let spelled = key.to_string();
        if (spelled == "base" && path.is_some()) || (spelled == "without" && without.is_some()) {
            report.at(&key, messages::key_twice("recipe", &key));
            continue;
        }
        match entry {
            Entry::Given(_, value) if spelled == "base" => path = Some(value.into_token_stream()),
            Entry::List(_, stages) if spelled == "without" => {
                without = Some(if stages.is_empty() { key.to_token_stream() } else { stages });
            }
            _ if spelled == "base" => report.at(&key, messages::base_without_a_path()),
            _ if spelled == "without" => report.at(&key, messages::without_without_stages()),
            _ => {
                let near = suggest::nearest(&spelled, ["base", "without"]);
                report.at(&key, messages::unknown_recipe_key(&key, near));
            }
        }
    }
    match (path, without) {
        (Some(path), without) => {
            let broken = report.count() > mistakes;
            Some(Base { path, without: without.unwrap_or_default(), broken })
        }
        (None, Some(stages)) => {
            report.at(stages, messages::without_but_no_base());
            None
        }
        (None, None) => None,
    }
}

/// The text of the doc comments, lines trimmed.
pub fn docs(attributes: &[Attribute]) -> String {
    let lines: Vec<String> = attributes.iter().filter_map(doc_line).collect();
    lines.join("\n").lines().map(str::trim).collect::<Vec<_>>().join("\n").trim().to_owned()
}

fn doc_line(attribute: &Attribute) -> Option<String> {
    match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}

/// The item's first token that is no attribute and no `pub`: its keyword, as a rule.
fn first(item: &Item) -> TokenStream {
    let keyword = match item {
        Item::Enum(item) => item.enum_token.to_token_stream(),
        Item::Union(item) => item.union_token.to_token_stream(),
        Item::Fn(item) => item.sig.fn_token.to_token_stream(),
        Item::Trait(item) => item.trait_token.to_token_stream(),
        Item::Mod(item) => item.mod_token.to_token_stream(),
        Item::Impl(item) => item.impl_token.to_token_stream(),
        other => other.to_token_stream(),
    };
    keyword.into_iter().take(1).collect()
}

fn word(item: &Item) -> &'static str {
    match item {
        Item::Enum(_) => "an enum",
        Item::Union(_) => "a union",
        Item::Fn(_) => "a function",
        Item::Trait(_) => "a trait",
        Item::Mod(_) => "a module",
        Item::Impl(_) => "an impl block",
        _ => "something else",
    }
}
