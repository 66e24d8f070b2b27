//! One field: a teacher or a stage, with what `#[teacher]` and `#[with]` say of it.

use proc_macro2::TokenStream;
use quote::{quote, ToTokens, TokenStreamExt};
use syn::ext::IdentExt;
use syn::{Attribute, Expr, ExprPath, Ident, Path, PathArguments, Type, Visibility};

use super::attributes::{entries, inside, Entry};
use super::docs;
use crate::messages;
use crate::report::Report;
use crate::stage::StageName;
use crate::suggest;

/// A field as it was written.
#[derive(Clone)]
pub struct Field {
    /// Its doc comment.
    pub docs: Vec<Attribute>,
    pub vis: Visibility,
    pub name: Ident,
    pub ty: Type,
    /// What `#[teacher]` says, if it is there.
    pub teacher: Option<TeacherWords>,
    pub with: Vec<Setting>,
}

/// `#[teacher(domain = …, reads = …)]`.
#[derive(Clone, Default)]
pub struct TeacherWords {
    pub domain: Option<Path>,
    pub reads: Option<Path>,
    /// Something in it could not be read, so nothing may be concluded from what is missing.
    pub broken: bool,
}

/// `name = value` in `#[with(…)]`.
#[derive(Clone)]
pub struct Setting {
    pub name: Ident,
    pub value: Expr,
}

/// Reads one field.
pub fn read(field: &syn::Field, report: &mut Report) -> Option<Field> {
    let name = field.ident.clone()?;
    let teacher = read_teacher(&field.attrs, report);
    let with = read_with(&field.attrs, &name, report);
    let docs = field.attrs.iter().filter(|attribute| attribute.path().is_ident("doc")).cloned().collect();
    Some(Field { docs, vis: field.vis.clone(), name, ty: field.ty.clone(), teacher, with })
}

impl Field {
    /// Its doc comment, in one line: what the loop says of a stage.
    pub fn says(&self) -> Option<String> {
        let says = docs(&self.docs).split_whitespace().collect::<Vec<_>>().join(" ");
        Some(says.trim_end_matches('.').to_owned()).filter(|says| !says.is_empty())
    }

    /// `_`: a fork keeps what its base has.
    pub fn keeps(&self) -> bool {
        matches!(self.ty, Type::Infer(_))
    }

    /// The stage of this name.
    pub fn stage(&self) -> Option<StageName> {
        StageName::named(&self.name.unraw().to_string())
    }
}

impl ToTokens for Field {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self { docs, vis, name, ty, teacher, with } = self;
        tokens.append_all(docs);
        if let Some(TeacherWords { domain, reads, .. }) = teacher {
            let domain = domain.iter().map(|path| quote!(domain = #path));
            let words = domain.chain(reads.iter().map(|path| quote!(reads = #path)));
            let words: Vec<TokenStream> = words.collect();
            tokens.extend(if words.is_empty() {
                quote!(#[teacher])
            } else {
                quote!(#[teacher(#(#words),*)])
            });
        }
        if !with.is_empty() {
            let settings = with.iter().map(|Setting { name, value }| quote!(#name = #value));
            tokens.extend(quote!(#[with(#(#settings),*)]));
        }
        tokens.extend(quote!(#vis #name: #ty));
    }
}

/// The only attribute of this name; every further one is a mistake.
fn single<'a>(attributes: &'a [Attribute], name: &str, report: &mut Report) -> Option<&'a Attribute> {
    let mut all = attributes.iter().filter(|attribute| attribute.path().is_ident(name));
    let only = all.next();
    for further in all {
        report.at(further, messages::attribute_twice(name));
    }
    only
}

fn read_teacher(attributes: &[Attribute], report: &mut Report) -> Option<TeacherWords> {
    let attribute = single(attributes, "teacher", report)?;
    let mut words = TeacherWords::default();
    let Some(tokens) = inside(attribute) else {
        report.at(attribute, messages::junk_in_teacher());
        return Some(TeacherWords { broken: true, ..words });
    };
    for entry in entries(tokens) {
        words.broken |= !read_teacher_entry(&entry, &mut words, report);
    }
    Some(words)
}

/// Reads one entry; `false` if it could not be read.
fn read_teacher_entry(entry: &Entry, words: &mut TeacherWords, report: &mut Report) -> bool {
    let Some(key) = entry.name() else {
        if let Entry::Junk(tokens) = entry {
            report.at(tokens, messages::junk_in_teacher());
        }
        return false;
    };
    let value = match entry {
        Entry::Given(_, value) => Some(value.as_ref()),
        _ => None,
    };
    match key.unraw().to_string().as_str() {
        "domain" if words.domain.is_some() => report.at(key, messages::key_twice("teacher", key)),
        "reads" if words.reads.is_some() => report.at(key, messages::key_twice("teacher", key)),
        "domain" => match value.and_then(plain_path) {
            Some(path) if path.segments.len() > 1 => {
                words.domain = Some(path);
                return true;
            }
            Some(path) => report.at(&path, messages::domain_without_its_enum(&path)),
            None => report.at(blame(key, value), messages::domain_not_a_path()),
        },
        "reads" => match value.and_then(plain_path) {
            Some(path) => {
                words.reads = Some(path);
                return true;
            }
            None => report.at(blame(key, value), messages::reads_not_a_path()),
        },
        other => {
            let near = suggest::nearest(other, ["domain", "reads"]);
            report.at(key, messages::unknown_teacher_key(key, near));
        }
    }
    false
}

/// The value if there is one, else the key.
fn blame(key: &Ident, value: Option<&Expr>) -> TokenStream {
    value.map_or_else(|| key.to_token_stream(), ToTokens::to_token_stream)
}

/// A path without type arguments, as `Domain::Math` or `StepHints`.
pub fn plain_path(value: &Expr) -> Option<Path> {
    match value {
        Expr::Path(ExprPath { qself: None, path, attrs }) if attrs.is_empty() => path
            .segments
            .iter()
            .all(|segment| matches!(segment.arguments, PathArguments::None))
            .then(|| path.clone()),
        Expr::Group(group) => plain_path(&group.expr),
        _ => None,
    }
}

fn read_with(attributes: &[Attribute], field: &Ident, report: &mut Report) -> Vec<Setting> {
    let mut settings: Vec<Setting> = Vec::new();
    let Some(attribute) = single(attributes, "with", report) else {
        return settings;
    };
    let entries = inside(attribute).map(entries).unwrap_or_default();
    if entries.is_empty() {
        report.at(attribute, messages::empty_with(field));
    }
    for entry in entries {
        match entry {
            Entry::Given(name, _) if settings.iter().any(|known| known.name == name) => {
                report.at(&name, messages::setting_twice(&name));
            }
            Entry::Given(name, value) => settings.push(Setting { name, value: *value }),
            Entry::Bare(name) | Entry::List(name, _) => {
                report.at(&name, messages::setting_without_value(&name));
            }
            Entry::Junk(tokens) => report.at(tokens, messages::setting_without_name()),
        }
    }
    settings
}
