//! The struct itself, and what `#[recipe(…)]` says of it.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprLit, Fields, FieldsNamed, Ident, Item, ItemStruct, Lit, Meta, Path, Token};

use super::attributes::{entries, Entry};
use super::field::{self, plain_path, Field};
use crate::inherit::Inherited;
use crate::messages;
use crate::report::Report;
use crate::suggest;

/// A recipe as it was written.
#[derive(Clone)]
pub struct Written {
    /// The struct, with our attributes still on it.
    pub item: ItemStruct,
    /// What stands in `#[recipe(…)]`.
    pub args: TokenStream,
    /// The recipe it forks, if it does.
    pub base: Option<Base>,
    pub fields: Vec<Field>,
    /// What it has from its base, once the two are one.
    pub inherited: Option<Inherited>,
}

impl Written {
    /// The field of this name.
    pub fn field(&self, name: &Ident) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == *name)
    }
}

/// `base = path`, and the fields left out by `without(…)`.
#[derive(Clone)]
pub struct Base {
    pub path: Path,
    pub without: Vec<Ident>,
}

impl Base {
    /// The last word of its path: the base's name, unless it was renamed.
    pub fn word(&self) -> String {
        self.path.segments.last().map(|last| last.ident.unraw().to_string()).unwrap_or_default()
    }

    /// Where that word stands.
    pub fn span(&self) -> Span {
        self.path.segments.last().map_or_else(Span::call_site, |last| last.ident.span())
    }
}

/// Reads the struct; `None` if there is none to read.
pub fn read(args: TokenStream, item: TokenStream, report: &mut Report) -> Option<Written> {
    let base = read_args(args.clone(), report);
    let mut item = match syn::parse2::<Item>(item) {
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
            Some(Written { fields, base, args, item, inherited: None })
        }
        Fields::Unit if base.is_some() => {
            item.fields =
                Fields::Named(FieldsNamed { brace_token: Default::default(), named: Punctuated::new() });
            item.semi_token = None;
            Some(Written { fields: Vec::new(), base, args, item, inherited: None })
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

/// The base that stands in `#[recipe(…)]`, if one does.
pub fn base(args: TokenStream) -> Option<Base> {
    read_args(args, &mut Report::default())
}

/// Reads `#[recipe(base = …, without(…))]`.
fn read_args(args: TokenStream, report: &mut Report) -> Option<Base> {
    let mut path: Option<Option<Path>> = None;
    let mut without: Option<Vec<Ident>> = None;
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
            Entry::Given(_, value) if spelled == "base" => {
                let plain = plain_path(&value);
                if plain.is_none() {
                    report.at(value, messages::base_without_a_path());
                }
                path = Some(plain);
            }
            Entry::List(_, fields) if spelled == "without" => {
                without = Some(names(fields, &key, report));
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
        (Some(path), without) => Some(Base { path: path?, without: without.unwrap_or_default() }),
        (None, Some(names)) => {
            names.iter().take(1).for_each(|name| report.at(name, messages::without_but_no_base()));
            None
        }
        (None, None) => None,
    }
}

/// The names in `without(…)`.
fn names(fields: TokenStream, key: &Ident, report: &mut Report) -> Vec<Ident> {
    if fields.is_empty() {
        report.at(key, messages::without_without_stages());
        return Vec::new();
    }
    let read = Punctuated::<Ident, Token![,]>::parse_terminated_with;
    let read = |input: syn::parse::ParseStream<'_>| read(input, Ident::parse_any);
    match read.parse2(fields.clone()) {
        Ok(names) => names.into_iter().collect(),
        Err(_) => {
            report.at(fields, messages::forks::without_not_names());
            Vec::new()
        }
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
