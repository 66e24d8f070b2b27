//! The type a field names: a stage's method, or a teacher's kind.

use proc_macro2::Span;
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Ident, Path, PathArguments, Type};

use crate::report::Report;
use crate::spelling::spell;

const PLAIN_DATA: [&str; 18] = [
    "bool", "char", "str", "String", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16",
    "u32", "u64", "u128", "usize",
];

/// A type that rustc knows and the macro does not.
pub struct Method {
    pub path: Path,
}

impl Method {
    /// Reads the type of a field, or says what is wrong with it.
    pub fn read(ty: &Type, says: impl FnOnce() -> String, report: &mut Report) -> Self {
        let path = path_of(ty).filter(|path| {
            !path.segments.iter().any(|part| matches!(part.arguments, PathArguments::Parenthesized(_)))
        });
        match path {
            Some(path) => Self { path: path.clone() },
            None => {
                report.at(ty, says());
                Self { path: Ident::new("Nothing", Span::call_site()).into() }
            }
        }
    }

    /// Numbers and text: what a setting is, and never a method.
    pub fn is_plain_data(&self) -> bool {
        let word = self.path.get_ident().map(ToString::to_string);
        word.is_some_and(|word| PLAIN_DATA.contains(&word.as_str()))
    }

    /// The last word of its path: `Routed` of `limbeck::Routed<TopK<128>>`.
    pub fn word(&self) -> String {
        self.path.segments.last().map(|last| last.ident.unraw().to_string()).unwrap_or_default()
    }

    /// The method as the user wrote it.
    pub fn spelled(&self) -> String {
        spell(&self.path)
    }

    /// Where rustc shall point, with names resolving as the macro's own do.
    pub fn span(&self) -> Span {
        let word = self.path.segments.last().map_or_else(Span::call_site, |last| last.ident.span());
        word.resolved_at(Span::call_site())
    }

    /// The first and the last place of the type, as the user's own words.
    pub fn ends(&self) -> (Span, Span) {
        let mut places = self.path.to_token_stream().into_iter().map(|tree| tree.span());
        let first = places.next().unwrap_or_else(Span::call_site);
        (first, places.last().unwrap_or(first))
    }
}

/// The path a type is, if it is one.
pub fn path_of(ty: &Type) -> Option<&Path> {
    match ty {
        Type::Path(ty) if ty.qself.is_none() => Some(&ty.path),
        Type::Group(group) => path_of(&group.elem),
        Type::Paren(paren) => path_of(&paren.elem),
        _ => None,
    }
}
