//! Tokens as a person would write them, the same whether rustc or a test lexed them.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use quote::ToTokens;

/// `Routed<TopK<128>>`, `Shape::Auto`, `-1`: no stray spaces.
pub fn spell(tokens: impl ToTokens) -> String {
    let mut text = String::new();
    write(tokens.into_token_stream(), &mut text);
    text
}

fn write(tokens: TokenStream, text: &mut String) {
    let mut word_before = false;
    for tree in tokens {
        match tree {
            TokenTree::Group(group) => {
                let (open, close) = marks(group.delimiter());
                text.push_str(open);
                write(group.stream(), text);
                text.push_str(close);
                word_before = true;
            }
            TokenTree::Punct(punct) => {
                text.push(punct.as_char());
                let ends = punct.spacing() == Spacing::Alone;
                if ends && matches!(punct.as_char(), ',' | ';') {
                    text.push(' ');
                }
                word_before = false;
            }
            word => {
                if word_before {
                    text.push(' ');
                }
                text.push_str(&word.to_string());
                word_before = true;
            }
        }
    }
    text.truncate(text.trim_end().len());
}

fn marks(delimiter: Delimiter) -> (&'static str, &'static str) {
    match delimiter {
        Delimiter::Parenthesis => ("(", ")"),
        Delimiter::Brace => ("{ ", " }"),
        Delimiter::Bracket => ("[", "]"),
        Delimiter::None => ("", ""),
    }
}
