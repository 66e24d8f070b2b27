//! `train` and `replay` as rustc gets them: the very text people read, on the user's own spans.
//!
//! The formatter may add a comma or a brace. So the tokens are lexed from the rendered text, and only
//! the spans are taken from the plan: what is shown and what is compiled cannot differ.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};

use crate::plan::Loop;
use crate::render;

/// The tokens of `train`.
pub fn train(plan: &Loop) -> TokenStream {
    spanned(&render::train(plan), render::train_as_planned(plan))
}

/// The tokens of `replay`.
pub fn replay(plan: &Loop) -> TokenStream {
    spanned(&render::replay(plan), render::replay_as_planned(plan))
}

fn spanned(text: &str, planned: TokenStream) -> TokenStream {
    let Ok(shown) = text.parse::<TokenStream>() else {
        return planned;
    };
    let mut places = Vec::new();
    list(planned.clone(), &mut places);
    let mut spans = Spans { places: places.into_iter(), last: Span::call_site(), lost: false };
    let carried = carry(shown, &mut spans);
    if spans.lost {
        planned
    } else {
        carried
    }
}

/// One token's spelling and place. Braces and commas are the formatter's, so they are not listed.
type Place = (String, Span);

fn list(tokens: TokenStream, places: &mut Vec<Place>) {
    for tree in tokens {
        match tree {
            TokenTree::Group(group) => {
                if opens(&group) {
                    places.push((spelling(&group), group.span()));
                }
                list(group.stream(), places);
            }
            TokenTree::Punct(comma) if comma.as_char() == ',' => {}
            leaf => places.push((leaf.to_string(), leaf.span())),
        }
    }
}

fn opens(group: &Group) -> bool {
    !matches!(group.delimiter(), Delimiter::Brace | Delimiter::None)
}

fn spelling(group: &Group) -> String {
    if group.delimiter() == Delimiter::Parenthesis { "(" } else { "[" }.to_owned()
}

struct Spans {
    places: std::vec::IntoIter<Place>,
    last: Span,
    lost: bool,
}

impl Spans {
    /// The span of the next listed token, which must be this one.
    fn of(&mut self, token: &str) -> Span {
        match self.places.next() {
            Some((planned, span)) if planned == token => self.last = span,
            _ => self.lost = true,
        }
        self.last
    }
}

fn carry(shown: TokenStream, spans: &mut Spans) -> TokenStream {
    let mut carried = TokenStream::new();
    for tree in shown {
        carried.extend([match tree {
            TokenTree::Group(group) => {
                let span = if opens(&group) { spans.of(&spelling(&group)) } else { spans.last };
                let mut moved = Group::new(group.delimiter(), carry(group.stream(), spans));
                moved.set_span(span);
                TokenTree::Group(moved)
            }
            TokenTree::Punct(mut comma) if comma.as_char() == ',' => {
                comma.set_span(spans.last);
                TokenTree::Punct(comma)
            }
            mut leaf => {
                let span = spans.of(&leaf.to_string());
                leaf.set_span(span);
                leaf
            }
        }]);
    }
    carried
}
