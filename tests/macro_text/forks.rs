//! Forks, in words and in tokens: what a fork and its base become together.

use insta::assert_snapshot;
use limbeck_macros_core::{expand_fork, Expansion};
use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::visit::Visit;

use crate::{compiled, expanded, line_of, spelled, tokens, without_comments, UNI_OPD};

const GENTLE: (&str, &str) = (
    "\n\nbase = limbeck_recipes::UniOpd, without(balance, code)",
    "
    /// Uni-OPD, gently.

    #[derive(PartialEq)]
    struct Gentle {
        #[teacher(reads = StepHints)]
        math: _,
        /// Beside mathematics.
        #[teacher(domain = Domain::Logic, reads = StepHints)]
        logic: Frozen,
        /// Less than half.
        #[with(over = Over::Mean, delta = 0.3)]
        calibrate: _,
        #[with(lr = 1e-5)]
        step: Sgdish,
    }",
);

/// What a fork of this recipe becomes.
fn fork(base: (TokenStream, TokenStream), (args, item): (&str, &str)) -> Expansion {
    let own = (tokens(args), tokens(item));
    expand_fork(base, own).unwrap_or_else(|report| panic!("{:?}", report.mistakes()))
}

fn gentle() -> Expansion {
    fork((TokenStream::new(), tokens(UNI_OPD)), GENTLE)
}

/// What the carrier of a recipe holds: its arguments and its struct.
fn carried(expansion: &Expansion) -> (TokenStream, TokenStream) {
    struct Find(Vec<TokenStream>);
    impl<'ast> Visit<'ast> for Find {
        fn visit_item_macro(&mut self, item: &'ast syn::ItemMacro) {
            let body = groups(item.mac.tokens.clone()).pop().expect("a rule has a body");
            self.0 = groups(groups(body).pop().expect("the body calls the callback"));
        }
    }
    let mut find = Find(Vec::new());
    find.visit_file(&syn::parse2(expansion.tokens.clone()).expect("Rust"));
    let [args, item, _rest] = find.0.try_into().expect("arguments, struct, the rest");
    (args, item)
}

fn groups(tokens: TokenStream) -> Vec<TokenStream> {
    let group = |tree| match tree {
        TokenTree::Group(group) => Some(group.stream()),
        _ => None,
    };
    tokens.into_iter().filter_map(group).collect()
}

#[test]
fn a_fork_is_written_out_with_its_base() {
    assert_snapshot!(gentle().source, @"
    /// Uni-OPD, gently.
    #[recipe]
    #[derive(PartialEq)]
    struct Gentle {
        #[teacher(domain = Domain::Math, reads = StepHints)]
        math: Frozen,
        /// Beside mathematics.
        #[teacher(domain = Domain::Logic, reads = StepHints)]
        logic: Frozen,

        #[with(shape = Shape::Auto)]
        data: ByDifficulty,
        #[with(group_size = 16, temperature = 1.0)]
        rollout: Sample,
        verify: TaskAnswer,
        score: SampledToken,
        /// Less than half.
        #[with(delta = 0.3, direction = Direction::Both, over = Over::Mean)]
        calibrate: MarginShift,
        #[with(clip_low = 0.2, clip_high = 0.28, gap_mask = 10.0)]
        loss: PolicyGradient,
        #[with(lr = 1e-5)]
        step: Sgdish,
    }
    ");
}

#[test]
fn the_loop_of_a_fork() {
    let (base, fork) = (expanded(UNI_OPD).text, gentle().text);
    let new: Vec<&str> = fork.lines().filter(|line| !base.lines().any(|known| known == *line)).collect();
    assert_snapshot!(new.join("\n"), @r#"
    // teachers: each prompt hears the expert of its domain; both are shown StepHints
        Domain::Math => self.math.seat("math").reads(StepHints),
        Domain::Logic => self.logic.seat("logic").reads(StepHints),
        // score: math and logic read the student's tokens, no gradient (SampledToken)
        // calibrate: Less than half (MarginShift)
        // step: move the student (Sgdish)
    "#);
    let gone: Vec<&str> = base.lines().filter(|line| !fork.lines().any(|known| known == *line)).collect();
    assert_snapshot!(gone.join("\n"), @r#"
    // teachers: each prompt hears the expert of its domain
        Domain::Math => self.math.seat("math"),
        Domain::Code => self.code.seat("code"),
        // balance: choose which rollouts to learn from (ByOutcome)
        let rollouts = self.balance.keep(rollouts)?;
        // score: math and code read the student's tokens, no gradient (SampledToken)
        // calibrate: set the scores right by what is known of the outcome (MarginShift)
        // step: move the student (AdamW)
    "#);
}

#[test]
fn the_text_of_a_fork_is_token_for_token_what_the_compiler_gets() {
    let expansion = gentle();
    let shown = spelled(tokens(&without_comments(&expansion.text)));
    assert_eq!(shown, spelled(expansion.train.clone()));
    assert_eq!(shown, compiled(&expansion, "train"));
    assert_eq!(spelled(expansion.replay.clone()), compiled(&expansion, "replay"));
}

#[test]
fn a_fork_is_what_its_source_says_without_its_base() {
    let expansion = gentle();
    let mut printed: syn::ItemStruct = syn::parse_str(&expansion.source).expect("the printed fork is Rust");
    printed.attrs.retain(|attribute| !attribute.path().is_ident("recipe"));
    let again = expanded(&printed.to_token_stream().to_string());
    assert_eq!((again.text, again.source), (expansion.text, expansion.source));
}

#[test]
fn the_carrier_of_a_fork_needs_no_base() {
    let (args, item) = carried(&gentle());
    assert_eq!(args.to_string(), "");
    let gentler = ("base = Gentle, without(verify, calibrate)", "struct Gentler;");
    let again = fork((args, item), gentler);
    assert_snapshot!(again.source, @"
    #[recipe]
    struct Gentler {
        #[teacher(domain = Domain::Math, reads = StepHints)]
        math: Frozen,
        /// Beside mathematics.
        #[teacher(domain = Domain::Logic, reads = StepHints)]
        logic: Frozen,

        #[with(shape = Shape::Auto)]
        data: ByDifficulty,
        #[with(group_size = 16, temperature = 1.0)]
        rollout: Sample,
        score: SampledToken,
        #[with(clip_low = 0.2, clip_high = 0.28, gap_mask = 10.0)]
        loss: PolicyGradient,
        #[with(lr = 1e-5)]
        step: Sgdish,
    }
    ");
}

#[test]
fn what_is_kept_keeps_what_it_says_in_the_loop() {
    let base = UNI_OPD.replace("#[with(lr = 1e-6)]", "/// Small steps.\n#[with(lr = 1e-6)]");
    let step = |words: &str, setting: &str| {
        let item = format!("struct Fork {{\n{words}\n{setting}\nstep: _,\n}}");
        let fork = fork((TokenStream::new(), tokens(&base)), ("base = UniOpd", &item));
        fork.text.lines().find(|line| line.contains("// step: ")).map(|line| line.trim().to_owned())
    };
    let set = "#[with(lr = 1e-5)]";
    assert_eq!(step("", set).as_deref(), Some("// step: Small steps (AdamW)"));
    assert_eq!(step("/// Larger steps.", set).as_deref(), Some("// step: Larger steps (AdamW)"));
    assert_eq!(step("/// Larger steps.", "").as_deref(), Some("// step: Larger steps (AdamW)"));
}

#[test]
fn a_fork_leaves_without_its_base() {
    let ejected = gentle().ejected;
    syn::parse_file(&ejected).expect("the ejected fork is Rust");
    for words in ["    logic: Frozen,", "delta: 0.3", "base: Some(\"UniOpd\")"] {
        assert!(ejected.contains(words), "no `{words}` in {ejected}");
    }
}

/// What the base brings stands on the base's name, what `_` keeps on the field, the rest where it was written.
#[test]
fn each_line_of_a_fork_stands_where_the_fork_asked_for_it() {
    let expansion = gentle();
    let all: TokenStream = [expansion.train, expansion.replay].into_iter().collect();
    let field = |field: &str| GENTLE.1.lines().position(|line| line.contains(field)).map(|before| before + 1);
    for inherited in ["draw", "sample", "judge", "score", "backward", "recall"] {
        assert_eq!(line_of(all.clone(), inherited), Some(3), "{inherited}");
    }
    assert_eq!(line_of(all.clone(), "adjust"), field("calibrate: _"));
    assert_eq!(line_of(all.clone(), "math"), field("math: _"));
    assert_eq!(line_of(all, "logic"), field("logic: Frozen"));
}
