//! The loop people read is the loop that runs: the text against the tokens, and the laws it keeps.

mod forks;
mod laws;
mod loops;
mod mistakes;

use limbeck_macros_core::{expand, Expansion};
use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::visit::Visit;

const UNI_OPD: &str = "
    /// Uni-OPD: two experts into one student.
    pub struct UniOpd {
        #[teacher(domain = Domain::Math)]
        math: Frozen,
        #[teacher(domain = Domain::Code)]
        code: Frozen,
        #[with(shape = Shape::Auto)]
        data: ByDifficulty,
        #[with(group_size = 16, temperature = 1.0)]
        rollout: Sample,
        verify: TaskAnswer,
        #[with(scope = Scope::Group, ratio = 1.0)]
        balance: ByOutcome,
        score: SampledToken,
        #[with(delta = 0.4, direction = Direction::Both)]
        calibrate: MarginShift,
        #[with(clip_low = 0.2, clip_high = 0.28, gap_mask = 10.0)]
        loss: PolicyGradient,
        #[with(lr = 1e-6)]
        step: AdamW,
    }";

const DOPD: &str = "
    pub struct Dopd {
        #[teacher(reads = StepHints)]
        teacher: Frozen,
        #[teacher(reads = StepHints)]
        hindsight: Own,
        data: Prompts,
        rollout: Sample,
        score: FullVocab,
        #[with(trim = 0.05)]
        route: AdvantageGap,
        loss: my::methods::Routed<TopK<128>>,
        step: AdamW,
    }";

const NOBODY: &str =
    "struct Grpo { data: Prompts, rollout: Sample, verify: TaskAnswer, score: Outcome, loss: PolicyGradient, step: AdamW }";

const ONE: &str = "
    pub(crate) struct Plain {
        #[teacher(reads = privileged::StepHints)]
        teacher: Remote,
        data: Prompts, rollout: Sample, score: TopK<16>, loss: ForwardKl, step: AdamW,
        log: MyLog, checkpoint: Elsewhere,
    }";

const REFERENCE: &str = "
    struct ExOpd {
        #[teacher(domain = tasks::Domain::Math, reads = ReferenceAnswer)]
        a_teacher_with_quite_a_long_name_for_mathematics: Frozen,
        #[teacher(domain = tasks::Domain::Code, reads = ReferenceAnswer)]
        another_teacher_with_quite_a_long_name_for_programs: Frozen,
        #[teacher]
        reference: Start,
        data: Prompts, rollout: Sample, score: SampledToken, loss: PolicyGradient, step: AdamW,
    }";

const ALL: [&str; 5] = [UNI_OPD, DOPD, NOBODY, ONE, REFERENCE];

fn tokens(source: &str) -> TokenStream {
    source.parse().unwrap_or_else(|error| panic!("{error}: {source}"))
}

fn expanded(source: &str) -> Expansion {
    expand(TokenStream::new(), tokens(source)).unwrap_or_else(|report| panic!("{:?}", report.mistakes()))
}

fn without_comments(text: &str) -> String {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    code.collect::<Vec<_>>().join("\n")
}

/// The function of this name in all that the recipe becomes, constants and all.
fn compiled(expansion: &Expansion, name: &str) -> String {
    struct Find<'a>(&'a str, Vec<String>);
    impl<'ast> Visit<'ast> for Find<'_> {
        fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
            if function.sig.ident == self.0 {
                self.1.push(spelled(function.to_token_stream()));
            }
        }
    }
    let mut find = Find(name, Vec::new());
    let file: syn::File = syn::parse2(expansion.tokens.clone()).expect("what a recipe becomes is Rust");
    find.visit_file(&file);
    assert_eq!(find.1.len(), 1, "one `{name}` a recipe");
    find.1.remove(0)
}

/// Every token, one a word; whether two marks touch is nobody's business.
fn spelled(tokens: TokenStream) -> String {
    let each = |tree| match tree {
        TokenTree::Group(group) => {
            format!("{:?}[ {} ]", group.delimiter(), spelled(group.stream()))
        }
        leaf => leaf.to_string(),
    };
    tokens.into_iter().map(each).collect::<Vec<_>>().join(" ")
}

fn words(tokens: TokenStream) -> Vec<String> {
    let each = |tree| match tree {
        TokenTree::Group(group) => words(group.stream()),
        TokenTree::Ident(ident) => vec![ident.to_string()],
        _ => Vec::new(),
    };
    tokens.into_iter().flat_map(each).collect()
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// The line on which this word stands.
fn line_of(tokens: TokenStream, word: &str) -> Option<usize> {
    tokens.into_iter().find_map(|tree| match tree {
        TokenTree::Group(group) => line_of(group.stream(), word),
        TokenTree::Ident(ident) if ident == word => Some(ident.span().start().line),
        _ => None,
    })
}
