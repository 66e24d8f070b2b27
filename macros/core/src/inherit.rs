//! A fork and its base become one declaration, written out as if by hand.
//!
//! What the base brings takes the place of the word that asked for it: the base's name in `base = …`, or the
//! field under `_`. So what rustc says of it stands in the fork, and never in the base's file.

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::{quote, ToTokens};
use syn::ext::IdentExt;
use syn::{Ident, Path, Visibility};

use crate::check;
use crate::model::Recipe;
use crate::report::Report;
use crate::stage::StageName;
use crate::syntax::{self, Base, Field, Setting, TeacherWords, Written};

/// A fork beside its base.
pub struct Fork<'a> {
    pub own: &'a Written,
    /// What the fork says of its base.
    pub says: &'a Base,
    pub base: &'a Written,
}

/// What a recipe has from another one.
#[derive(Clone, Debug, Default)]
pub struct Inherited {
    /// The base's name.
    pub base: String,
    /// Where the fork finds it.
    pub path: Option<Box<Path>>,
    /// The fields that the fork does not mention.
    pub fields: Vec<String>,
}

/// What a carrier brings: the base's arguments and struct, then the fork's.
pub fn brought(tokens: TokenStream) -> Option<[TokenStream; 4]> {
    let groups = tokens.into_iter().map(|tree| match tree {
        TokenTree::Group(group) => Some(group.stream()),
        _ => None,
    });
    groups.collect::<Option<Vec<_>>>()?.try_into().ok()
}

/// The base, if nothing is wrong with it: what is, has been said where it stands.
pub fn sound((args, item): (TokenStream, TokenStream)) -> Option<Written> {
    let mut report = Report::default();
    let written = syntax::read(args, item, &mut report).filter(|written| written.base.is_none())?;
    check::all(&Recipe::new(written.clone(), &mut report), &mut report);
    report.is_clean().then_some(written)
}

/// One declaration of a fork and its base; `None` if there is a mistake in what the fork says of the base.
pub fn onto(base: Option<&Written>, own: Option<&Written>, report: &mut Report) -> Option<Written> {
    let (base, own) = (base?, own?);
    let fork = Fork { own, says: own.base.as_ref()?, base };
    check::forks::all(&fork, report);
    let whole = report.is_clean().then(|| in_full(&fork, report)).flatten()?;
    whole.inherited.iter().for_each(|inherited| report.explain(inherited));
    Some(whole)
}

/// The fork in full: the base's teachers, the added ones, then the stages as the loop runs.
fn in_full(fork: &Fork<'_>, report: &mut Report) -> Option<Written> {
    let at = fork.says.span();
    let mut teachers: Vec<TokenStream> = Vec::new();
    let mut stages: Vec<(StageName, TokenStream)> = Vec::new();
    let mut fields = Vec::new();
    let from_base = fork.base.fields.iter().map(|field| {
        let own = fork.own.field(&field.name);
        (field, own.map_or_else(|| moved(field, at), |own| filled(own, Some(field))))
    });
    let added = fork.own.fields.iter().filter(|own| fork.base.field(&own.name).is_none());
    let added = added.map(|own| (own, filled(own, None)));
    for (field, tokens) in from_base.chain(added) {
        if fork.leaves_out(&field.name) {
            continue;
        }
        if fork.own.field(&field.name).is_none() {
            fields.push(field.name.unraw().to_string());
        }
        match StageName::named(&field.name.unraw().to_string()) {
            Some(stage) => stages.push((stage, tokens)),
            None => teachers.push(tokens),
        }
    }
    stages.sort_by_key(|(stage, _)| *stage);
    let stages = stages.into_iter().map(|(_, tokens)| tokens);
    let mut whole = read(fork.own, teachers.into_iter().chain(stages), report)?;
    whole.inherited =
        Some(Inherited { base: fork.base_name(), path: Some(Box::new(fork.says.path.clone())), fields });
    Some(whole)
}

/// The fork's own fields as they stand, with `_` filled in: for the rules of order.
pub fn as_ordered(fork: &Fork<'_>) -> Option<Written> {
    let own = fork.own.fields.iter().map(|own| filled(own, fork.base.field(&own.name)));
    read(fork.own, own, &mut Report::default())
}

impl Fork<'_> {
    /// The base's name.
    pub fn base_name(&self) -> String {
        self.base.item.ident.unraw().to_string()
    }

    /// The field of the base that a `_` of the fork keeps, and both.
    pub fn kept(&self) -> impl Iterator<Item = (&Field, &Field)> {
        self.own
            .fields
            .iter()
            .filter(|own| own.keeps())
            .filter_map(|own| Some((own, self.base.field(&own.name)?)))
    }

    fn leaves_out(&self, name: &Ident) -> bool {
        self.says.without.iter().any(|out| out == name)
    }
}

/// The fork's struct with these fields, read as any recipe is.
fn read(own: &Written, fields: impl Iterator<Item = TokenStream>, report: &mut Report) -> Option<Written> {
    let mut item = own.item.clone();
    let fields: TokenStream = fields.map(|field| quote!(#field,)).collect();
    item.fields = syn::Fields::Named(syn::parse2(quote!({ #fields })).ok()?);
    item.semi_token = None;
    syntax::read(TokenStream::new(), item.into_token_stream(), report)
}

/// A field of the fork, with what `_` keeps of the base's.
fn filled(own: &Field, base: Option<&Field>) -> TokenStream {
    let Some(base) = base.filter(|_| own.keeps()) else {
        return own.to_token_stream();
    };
    let at = own.name.span();
    let mut field = own.clone();
    let base_type = placed(base.ty.to_token_stream(), at);
    let base_words = base.teacher.as_ref();
    let teacher = base_words.map(|base| {
        let own = own.teacher.as_ref();
        let (domain, reads) = (own.and_then(|own| own.domain.clone()), own.and_then(|own| own.reads.clone()));
        TeacherWords {
            domain: domain.or_else(|| moved_path(base.domain.as_ref(), at)),
            reads: reads.or_else(|| moved_path(base.reads.as_ref(), at)),
            broken: false,
        }
    });
    field.teacher = teacher;
    if field.docs.is_empty() {
        field.docs = base.docs.clone();
    }
    field.with = merged(&own.with, &base.with, at);
    if field.docs.is_empty() {
        field.docs = base.docs.clone();
    }
    if matches!(field.vis, Visibility::Inherited) {
        field.vis = seen(&base.vis);
    }
    match syn::parse2(base_type) {
        Ok(ty) => Field { ty, ..field }.into_token_stream(),
        Err(_) => field.into_token_stream(),
    }
}

/// The base's settings in their order under the fork's values, then what the fork adds.
fn merged(own: &[Setting], base: &[Setting], at: Span) -> Vec<Setting> {
    let changed = |name: &Ident| own.iter().find(|own| own.name == *name);
    let kept = base.iter().map(|one| match changed(&one.name) {
        Some(own) => own.clone(),
        None => moved_setting(one, at),
    });
    let added = own.iter().filter(|own| base.iter().all(|base| base.name != own.name)).cloned();
    kept.chain(added).collect()
}

fn moved_setting(setting: &Setting, at: Span) -> Setting {
    let mut name = setting.name.clone();
    name.set_span(at);
    let value = syn::parse2(placed(setting.value.to_token_stream(), at));
    Setting { name, value: value.unwrap_or_else(|_| setting.value.clone()) }
}

fn moved_path(path: Option<&syn::Path>, at: Span) -> Option<syn::Path> {
    let path = path?;
    Some(syn::parse2(placed(path.to_token_stream(), at)).unwrap_or_else(|_| path.clone()))
}

/// A whole field of the base, standing where the fork names the base.
fn moved(field: &Field, at: Span) -> TokenStream {
    let mut field = field.clone();
    field.vis = seen(&field.vis);
    placed(field.into_token_stream(), at)
}

/// `pub` means the same anywhere; a narrower word would mean another place in the fork.
fn seen(vis: &Visibility) -> Visibility {
    match vis {
        Visibility::Public(_) => vis.clone(),
        _ => Visibility::Inherited,
    }
}

/// The same tokens at one place.
fn placed(tokens: TokenStream, at: Span) -> TokenStream {
    let each = |tree| match tree {
        TokenTree::Group(group) => {
            let mut moved = Group::new(group.delimiter(), placed(group.stream(), at));
            moved.set_span(at);
            TokenTree::Group(moved)
        }
        mut leaf => {
            leaf.set_span(at);
            leaf
        }
    };
    tokens.into_iter().map(each).collect()
}
