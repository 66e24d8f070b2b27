//! The loop as people read it. Token streams drop comments, so each is carried through the
//! formatter as a marker statement and put back afterwards.

use proc_macro2::TokenStream;
use quote::quote;

use crate::plan::{Line, Loop};

const MARKER: &str = "comment!(";

/// The text of `train`, comments in.
pub fn train(plan: &Loop) -> String {
    let mut comments = Vec::new();
    let (setup, body) = (marked(&plan.setup, &mut comments), marked(&plan.body, &mut comments));
    let finish = &plan.finish.tokens;
    with_comments(&formatted(train_function(setup, body, finish)), &comments)
}

/// The tokens of `train` as planned, each on the user's own span.
pub fn train_as_planned(plan: &Loop) -> TokenStream {
    train_function(bare(&plan.setup), bare(&plan.body), &plan.finish.tokens)
}

/// The text of `replay`.
pub fn replay(plan: &Loop) -> String {
    formatted(replay_as_planned(plan))
}

/// The tokens of `replay` as planned.
pub fn replay_as_planned(plan: &Loop) -> TokenStream {
    let lines = bare(&plan.replay);
    quote! {
        fn replay(&self, recorded: Recorded) -> Result<Replay> { #lines }
    }
}

/// The tokens of `readings`, which `limbeck check` calls and nobody needs to read: the line that seats the
/// teachers is `train`'s own.
pub fn readings(plan: &Loop) -> TokenStream {
    let lines = bare(&plan.readings);
    quote! {
        #[allow(unused_variables)]
        fn readings<W: World>(
            &self,
            world: &W,
            asked: &::limbeck::stages::score::Asked,
        ) -> Result<::std::vec::Vec<::limbeck::stages::score::Reading>> {
            #lines
        }
    }
}

fn train_function(setup: TokenStream, body: TokenStream, finish: &TokenStream) -> TokenStream {
    quote! {
        fn train<W: World>(&self, run: &Run, world: &mut W) -> Result<Report> {
            #setup
            for it in start..run.steps { #body }
            #finish
        }
    }
}

fn bare(lines: &[Line]) -> TokenStream {
    lines.iter().map(|line| line.tokens.clone()).collect()
}

/// Every line with `comment!(3);` in front of it, where 3 is its comment's place in the list.
fn marked(lines: &[Line], comments: &mut Vec<String>) -> TokenStream {
    let mut marked = TokenStream::new();
    for line in lines {
        if let Some(comment) = &line.comment {
            let place = comments.len();
            comments.push(comment.clone());
            marked.extend(quote!(comment!(#place);));
        }
        marked.extend(line.tokens.clone());
    }
    marked
}

fn formatted(function: TokenStream) -> String {
    match syn::parse2::<syn::File>(function.clone()) {
        Ok(file) => prettyplease::unparse(&file),
        Err(_) => function.to_string(),
    }
}

fn with_comments(text: &str, comments: &[String]) -> String {
    let mut whole = String::new();
    for line in text.lines() {
        let code = line.trim_start();
        let indent = &line[..line.len() - code.len()];
        match code.strip_prefix(MARKER).and_then(number).and_then(|place| comments.get(place)) {
            Some(comment) => {
                whole.push_str(indent);
                whole.push_str("// ");
                whole.push_str(comment);
            }
            None => whole.push_str(line),
        }
        whole.push('\n');
    }
    whole
}

fn number(rest: &str) -> Option<usize> {
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}
