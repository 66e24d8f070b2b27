//! Reads a method: its fields, their defaults, and the functions that know and check.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Attribute, Data, DeriveInput, Expr, ExprPath, Fields, GenericParam, Ident, Type};

use super::says;
use crate::report::Report;
use crate::suggest;
use crate::syntax::attributes::{entries, inside, Entry};
use crate::syntax::docs;

/// A method type.
pub struct Method {
    pub input: DeriveInput,
    pub check: Option<ExprPath>,
    pub facts: Option<ExprPath>,
    pub fields: Vec<Field>,
}

/// One field of it.
pub struct Field {
    pub name: Ident,
    pub ty: Type,
    pub doc: String,
    /// A field that is no setting, a `PhantomData` as a rule.
    pub skipped: bool,
    pub default: Option<Expr>,
}

/// Reads the struct; `None` if there is none to read.
pub fn read(item: TokenStream, report: &mut Report) -> Option<Method> {
    let input: DeriveInput = syn::parse2(item).map_err(|error| report.push(error)).ok()?;
    let fields = match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(named) => {
                named.named.iter().filter_map(|one| read_field(one, &input, report)).collect()
            }
            Fields::Unit => Vec::new(),
            Fields::Unnamed(_) => {
                report.at(&input.ident, says::tuple_struct(&input.ident));
                return None;
            }
        },
        Data::Enum(_) => {
            report.at(&input.ident, says::not_a_struct(&input.ident, "an enum"));
            return None;
        }
        Data::Union(_) => {
            report.at(&input.ident, says::not_a_struct(&input.ident, "a union"));
            return None;
        }
    };
    let (check, facts) = read_container(&input.attrs, report);
    Some(Method { check, facts, fields, input })
}

/// `#[settings(check = path, facts = path)]`.
fn read_container(attributes: &[Attribute], report: &mut Report) -> (Option<ExprPath>, Option<ExprPath>) {
    let (mut check, mut facts) = (None, None);
    for entry in ours(attributes, "settings", report) {
        let Some(key) = entry.name().cloned() else {
            report.at(junk(&entry), says::junk_in_settings());
            continue;
        };
        let slot = match key.to_string().as_str() {
            "check" => &mut check,
            "facts" => &mut facts,
            word => {
                report.at(&key, says::unknown_settings_key(&key, suggest::nearest(word, ["check", "facts"])));
                continue;
            }
        };
        match entry {
            _ if slot.is_some() => report.at(&key, says::key_twice("settings", &key)),
            Entry::Given(_, value) => match *value {
                Expr::Path(path) => *slot = Some(path),
                other => report.at(other, says::not_a_function(&key)),
            },
            _ => report.at(&key, says::not_a_function(&key)),
        }
    }
    (check, facts)
}

/// `#[setting(default = …)]` or `#[setting(skip)]`.
fn read_field(field: &syn::Field, input: &DeriveInput, report: &mut Report) -> Option<Field> {
    let name = field.ident.clone()?;
    let (mut skipped, mut default, mut broken) = (false, None, false);
    let mistakes = report.count();
    let entries = ours(&field.attrs, "setting", report);
    broken |= report.count() > mistakes;
    for entry in entries {
        match entry {
            Entry::Given(key, _) if key == "default" && default.is_some() => {
                report.at(&key, says::key_twice("setting", &key));
            }
            Entry::Given(key, value) if key == "default" => default = Some(*value),
            Entry::Bare(key) if key == "skip" => skipped = true,
            Entry::Junk(tokens) => {
                broken = true;
                report.at(tokens, says::junk_in_setting());
            }
            Entry::Given(key, _) | Entry::Bare(key) | Entry::List(key, _) => {
                broken = true;
                if key == "default" || key == "skip" {
                    report.at(&key, says::junk_in_setting());
                } else {
                    let near = suggest::nearest(&key.to_string(), ["default", "skip"]);
                    report.at(&key, says::unknown_setting_key(&key, near));
                }
            }
        }
    }
    if default.is_none() && !skipped && !broken {
        report.at(&name, says::no_default(&name));
    }
    if let Some(parameter) = input.generics.params.iter().find_map(|one| parameter_in(one, &field.ty))
        && !skipped
    {
        report.at(&field.ty, says::generic_setting(&name, &parameter));
    }
    Some(Field { name, ty: field.ty.clone(), doc: docs(&field.attrs), skipped, default })
}

/// All entries of all attributes of this name.
fn ours(attributes: &[Attribute], name: &str, report: &mut Report) -> Vec<Entry> {
    let mut all = Vec::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident(name)) {
        match inside(attribute) {
            Some(tokens) => all.extend(entries(tokens)),
            None if name == "settings" => report.at(attribute, says::junk_in_settings()),
            None => report.at(attribute, says::junk_in_setting()),
        }
    }
    all
}

fn junk(entry: &Entry) -> TokenStream {
    match entry {
        Entry::Junk(tokens) => tokens.clone(),
        _ => TokenStream::new(),
    }
}

/// The parameter, if the field's type mentions it.
fn parameter_in(parameter: &GenericParam, ty: &Type) -> Option<Ident> {
    let name = match parameter {
        GenericParam::Type(one) => &one.ident,
        GenericParam::Const(one) => &one.ident,
        GenericParam::Lifetime(one) => &one.lifetime.ident,
    };
    mentions(ty.to_token_stream(), &name.unraw().to_string()).then(|| name.clone())
}

fn mentions(tokens: TokenStream, word: &str) -> bool {
    tokens.into_iter().any(|tree| match tree {
        TokenTree::Group(group) => mentions(group.stream(), word),
        TokenTree::Ident(ident) => ident == word,
        _ => false,
    })
}
