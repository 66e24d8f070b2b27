//! `name = value, name(…)`: what stands inside our attributes, read without giving up at the first slip.

use proc_macro2::{TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Attribute, Expr, Ident, Meta, Token};

/// One entry of an attribute.
pub enum Entry {
    /// `name = value`
    Given(Ident, Box<Expr>),
    /// `name(…)`
    List(Ident, TokenStream),
    /// `name`, or `name =` without a value
    Bare(Ident),
    /// Anything else.
    Junk(TokenStream),
}

impl Entry {
    /// The name, where there is one.
    pub fn name(&self) -> Option<&Ident> {
        match self {
            Self::Given(name, _) | Self::List(name, _) | Self::Bare(name) => Some(name),
            Self::Junk(_) => None,
        }
    }
}

/// The tokens in an attribute's parentheses; `None` for `#[name = …]`.
pub fn inside(attribute: &Attribute) -> Option<TokenStream> {
    match &attribute.meta {
        Meta::Path(_) => Some(TokenStream::new()),
        Meta::List(list) => Some(list.tokens.clone()),
        Meta::NameValue(_) => None,
    }
}

/// All entries, in order. Never fails: what cannot be read is [`Entry::Junk`].
pub fn entries(tokens: TokenStream) -> Vec<Entry> {
    let read = |input: ParseStream| {
        let mut found = Vec::new();
        while !input.is_empty() {
            found.push(entry(input)?);
            let rest = until_comma(input)?;
            if !rest.is_empty() {
                found.push(Entry::Junk(rest));
            }
            input.parse::<Option<Token![,]>>()?;
        }
        Ok(found)
    };
    let whole = tokens.clone();
    read.parse2(tokens).unwrap_or_else(|_| vec![Entry::Junk(whole)])
}

fn entry(input: ParseStream) -> syn::Result<Entry> {
    if !input.peek(Ident) || input.peek2(Token![::]) || input.peek2(Token![==]) {
        return Ok(Entry::Junk(junk(input)?));
    }
    let name = Ident::parse_any(input)?;
    if input.peek(syn::token::Paren) {
        let content;
        syn::parenthesized!(content in input);
        return Ok(Entry::List(name, content.parse()?));
    }
    if input.parse::<Option<Token![=]>>()?.is_none() {
        return if input.is_empty() || input.peek(Token![,]) || input.peek(Token![:]) {
            until_comma(input)?;
            Ok(Entry::Bare(name))
        } else {
            let rest = until_comma(input)?;
            Ok(Entry::Junk(quote::quote!(#name #rest)))
        };
    }
    let ahead = input.fork();
    match Expr::parse(&ahead) {
        Ok(value) => {
            syn::parse::discouraged::Speculative::advance_to(input, &ahead);
            Ok(Entry::Given(name, Box::new(value)))
        }
        Err(_) => {
            until_comma(input)?;
            Ok(Entry::Bare(name))
        }
    }
}

/// At least one token, then up to the next comma, so that reading always moves on.
fn junk(input: ParseStream) -> syn::Result<TokenStream> {
    let first: TokenTree = input.parse()?;
    let rest = if matches!(&first, TokenTree::Punct(p) if p.as_char() == ',') {
        TokenStream::new()
    } else {
        until_comma(input)?
    };
    Ok(quote::quote!(#first #rest))
}

fn until_comma(input: ParseStream) -> syn::Result<TokenStream> {
    let mut passed = TokenStream::new();
    while !input.is_empty() && !input.peek(Token![,]) {
        passed.extend([input.parse::<TokenTree>()?]);
    }
    Ok(passed)
}
