//! The loop people read is the loop that runs: the text against the tokens, and the laws it keeps.

use insta::assert_snapshot;
use limbeck_macros_core::{domain, expand, recipe, settings, Expansion};
use proc_macro2::{Delimiter, Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};
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

#[test]
fn the_text_is_token_for_token_what_the_compiler_gets() {
    for source in ALL {
        let expansion = expanded(source);
        let shown = spelled(tokens(&without_comments(&expansion.text)));
        assert_eq!(shown, spelled(expansion.train.clone()));
        assert_eq!(shown, compiled(&expansion, "train"));
        let replay = spelled(expansion.replay.clone());
        assert_eq!(replay, compiled(&expansion, "replay"));
    }
}

#[test]
fn the_text_in_the_constant_is_the_text() {
    struct Loop(Option<String>);
    impl<'ast> Visit<'ast> for Loop {
        fn visit_impl_item_const(&mut self, constant: &'ast syn::ImplItemConst) {
            if let (true, syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. })) =
                (constant.ident == "LOOP", &constant.expr)
            {
                self.0 = Some(text.value());
            }
        }
    }
    for source in ALL {
        let expansion = expanded(source);
        let mut found = Loop(None);
        found.visit_file(&syn::parse2(expansion.tokens).expect("Rust"));
        assert_eq!(found.0, Some(expansion.text));
    }
}

#[test]
fn the_loop_keeps_its_laws() {
    for source in ALL {
        let text = expanded(source).text;
        let code = without_comments(&text);
        assert!(text.lines().count() <= 50, "{text}");
        assert!(!code.contains("::<"), "a turbofish: {text}");
        assert!(
            !words(tokens(&code)).iter().any(|word| word.starts_with('_')),
            "a leading underscore: {text}"
        );
        let deepest = code.lines().skip_while(|line| !line.contains("for it in")).map(indent).max();
        assert_eq!(deepest, Some(12), "more than one level in the loop: {text}");
    }
}

#[test]
fn the_only_paths_are_the_users_and_three_of_ours() {
    let code = without_comments(&expanded(UNI_OPD).text);
    let mut paths: Vec<&str> = code.split(|c: char| !(c.is_alphanumeric() || c == ':' || c == '_')).collect();
    paths.retain(|word| word.contains("::"));
    assert_eq!(paths, ["Experts::by", "Domain::Math", "Domain::Code", "Log::open", "Routed::all"]);
}

#[test]
fn every_line_of_a_stage_says_what_happens() {
    let text = expanded(UNI_OPD).text;
    for stage in
        ["data", "rollout", "verify", "balance", "score", "calibrate", "loss", "step", "log", "checkpoint"]
    {
        let comment = text.lines().find(|line| line.trim_start().starts_with(&format!("// {stage}: ")));
        let comment = comment.unwrap_or_else(|| panic!("no comment for {stage}: {text}"));
        assert!(comment.ends_with(')'), "no method in: {comment}");
    }
}

#[test]
fn a_stage_left_out_leaves_no_line() {
    let whole = expanded(UNI_OPD).text;
    for (stage, field) in [
        ("verify", "verify: TaskAnswer,"),
        ("balance", "#[with(scope = Scope::Group, ratio = 1.0)] balance: ByOutcome,"),
        ("calibrate", "#[with(delta = 0.4, direction = Direction::Both)] calibrate: MarginShift,"),
    ] {
        let source = UNI_OPD
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .replace("/// Uni-OPD: two experts into one student. ", "");
        assert!(source.contains(field), "{source}");
        let less = expanded(&source.replace(field, "")).text;
        let gone: Vec<&str> = whole.lines().filter(|line| !less.contains(line)).collect();
        assert_eq!(gone.len(), 2, "{gone:?}");
        assert!(gone[0].contains(&format!("// {stage}: ")) && gone[1].contains(&format!("self.{stage}.")));
        assert_eq!(less.lines().count(), whole.lines().count() - 2);
    }
}

#[test]
fn the_printed_recipe_is_the_recipe() {
    for source in ALL {
        let expansion = expanded(source);
        let mut printed: syn::ItemStruct =
            syn::parse_str(&expansion.source).expect("the printed recipe is Rust");
        assert!(printed.attrs.iter().any(|attribute| attribute.path().is_ident("recipe")));
        printed.attrs.retain(|attribute| !attribute.path().is_ident("recipe"));
        let again = expanded(&printed.to_token_stream().to_string());
        assert_eq!((again.text, again.source), (expansion.text, expansion.source));
    }
}

#[test]
fn replay_runs_the_same_stages_on_what_was_recorded() {
    assert_snapshot!(expanded(UNI_OPD).replay_text, @r#"
    fn replay(&self, recorded: Recorded) -> Result<Replay> {
        let teachers = Experts::by(|domain| match domain {
            Domain::Math => self.math.seat("math"),
            Domain::Code => self.code.seat("code"),
        });
        let rollouts = recorded.judged()?;
        let rollouts = self.balance.keep(rollouts)?;
        let scored = self.score.recall(&recorded, &teachers, rollouts)?;
        let scored = self.calibrate.adjust(scored)?;
        let routed = Routed::all(scored);
        self.loss.replay(&recorded, routed)
    }
    "#);
    assert_snapshot!(expanded(DOPD).replay_text, @r#"
    fn replay(&self, recorded: Recorded) -> Result<Replay> {
        let teachers = (
            self.teacher.seat("teacher").reads(StepHints),
            self.hindsight.seat("hindsight").reads(StepHints),
        );
        let rollouts = recorded.unjudged()?;
        let scored = self.score.recall(&recorded, &teachers, rollouts)?;
        let routed = self.route.route(scored)?;
        self.loss.replay(&recorded, routed)
    }
    "#);
}

/// rustc's trait errors are read where the user wrote the method, so that is where each line stands.
#[test]
fn each_line_stands_where_its_method_was_written() {
    for source in ALL {
        let expansion = expanded(source);
        for (word, stage) in
            [("draw", "data"), ("sample", "rollout"), ("backward", "loss"), ("recall", "score")]
        {
            let all = [expansion.train.clone(), expansion.replay.clone()].into_iter().collect();
            let field = source.lines().position(|line| line.contains(&format!("{stage}: ")));
            assert_eq!(
                line_of(all, word),
                field.map(|before| before + 1),
                "`{word}` of `{stage}` in {source}"
            );
        }
    }
}

fn line_of(tokens: TokenStream, word: &str) -> Option<usize> {
    tokens.into_iter().find_map(|tree| match tree {
        TokenTree::Group(group) => line_of(group.stream(), word),
        TokenTree::Ident(ident) if ident == word => Some(ident.span().start().line),
        _ => None,
    })
}

#[test]
fn the_loop_of_uni_opd() {
    assert_snapshot!(expanded(UNI_OPD).text, @r#"
    fn train<W: World>(&self, run: &Run, world: &mut W) -> Result<Report> {
        // teachers: each prompt hears the expert of its domain
        let teachers = Experts::by(|domain| match domain {
            Domain::Math => self.math.seat("math"),
            Domain::Code => self.code.seat("code"),
        });
        let mut data = self.data.open(run, world)?;
        let mut step = self.step.open(run, world)?;
        let mut log = Log::open(run, self)?;
        let start = run.resume(&mut data, &mut step, world, &mut log)?;
        for it in start..run.steps {
            // data: draw prompts (ByDifficulty)
            let prompts = data.draw(run.batch)?;
            // rollout: the student answers in its own words (Sample)
            let rollouts = self.rollout.sample(world, prompts)?;
            // verify: the task says right, wrong or not judged (TaskAnswer)
            let rollouts = self.verify.judge(rollouts)?;
            // balance: choose which rollouts to learn from (ByOutcome)
            let rollouts = self.balance.keep(rollouts)?;
            // score: math and code read the student's tokens, no gradient (SampledToken)
            let scored = self.score.score(world, &teachers, rollouts)?;
            // calibrate: set the scores right by what is known of the outcome (MarginShift)
            let scored = self.calibrate.adjust(scored)?;
            // route: every token hears its prompt's teacher
            let routed = Routed::all(scored);
            // loss: student against teachers, on the student's own tokens (PolicyGradient)
            let mut grads = world.student().zero_grads()?;
            for micro in routed.chunks(run.micro_batch) {
                grads = self.loss.backward(world, &micro, grads, &mut log)?;
            }
            // step: move the student (AdamW)
            step.apply(world, grads, &mut log)?;
            // log: one line of numbers, and a held-out look when it is due (Jsonl)
            log.step(it, &routed, world)?;
            // checkpoint: written whole or not at all (Safetensors)
            if run.due(it) {
                run.save(it, &data, &step, world, &mut log)?;
            }
        }
        log.finish(world)
    }
    "#);
}

#[test]
fn the_loop_of_dopd() {
    assert_snapshot!(expanded(DOPD).text, @r#"
    fn train<W: World>(&self, run: &Run, world: &mut W) -> Result<Report> {
        // teachers: teacher and hindsight, for every prompt; both also read StepHints
        let teachers = (
            self.teacher.seat("teacher").reads(StepHints),
            self.hindsight.seat("hindsight").reads(StepHints),
        );
        let mut data = self.data.open(run, world)?;
        let mut step = self.step.open(run, world)?;
        let mut log = Log::open(run, self)?;
        let start = run.resume(&mut data, &mut step, world, &mut log)?;
        for it in start..run.steps {
            // data: draw prompts (Prompts)
            let prompts = data.draw(run.batch)?;
            // rollout: the student answers in its own words (Sample)
            let rollouts = self.rollout.sample(world, prompts)?;
            // score: teacher and hindsight read the student's tokens, no gradient (FullVocab)
            let scored = self.score.score(world, &teachers, rollouts)?;
            // route: which teacher each token hears (AdvantageGap)
            let routed = self.route.route(scored)?;
            // loss: student against teachers, on the student's own tokens (my::methods::Routed<TopK<128>>)
            let mut grads = world.student().zero_grads()?;
            for micro in routed.chunks(run.micro_batch) {
                grads = self.loss.backward(world, &micro, grads, &mut log)?;
            }
            // step: move the student (AdamW)
            step.apply(world, grads, &mut log)?;
            // log: one line of numbers, and a held-out look when it is due (Jsonl)
            log.step(it, &routed, world)?;
            // checkpoint: written whole or not at all (Safetensors)
            if run.due(it) {
                run.save(it, &data, &step, world, &mut log)?;
            }
        }
        log.finish(world)
    }
    "#);
}

/// The lines that the loop of Uni-OPD does not have.
fn unlike_others(source: &str) -> String {
    let common = expanded(UNI_OPD).text;
    let text = expanded(source).text;
    let other: Vec<&str> = text.lines().filter(|line| !common.lines().any(|known| known == *line)).collect();
    other.join("\n")
}

#[test]
fn the_loop_of_a_recipe_that_says_where_to_log_and_save() {
    assert_snapshot!(unlike_others(ONE), @r#"
    // teachers: one, for every prompt; it also reads privileged::StepHints
    let teachers = self.teacher.seat("teacher").reads(privileged::StepHints);
    let mut log = self.log.open(run, self)?;
    let start = self.checkpoint.resume(run, &mut data, &mut step, world, &mut log)?;
        // data: draw prompts (Prompts)
        // score: teacher reads the student's tokens, no gradient (TopK<16>)
        // route: every token hears the teacher
        // loss: student against teacher, on the student's own tokens (ForwardKl)
        // log: one line of numbers, and a held-out look when it is due (MyLog)
        // checkpoint: written whole or not at all (Elsewhere)
            self.checkpoint.save(run, it, &data, &step, world, &mut log)?;
    "#);
}

#[test]
fn the_loop_with_a_reference_beside_the_experts() {
    assert_snapshot!(unlike_others(REFERENCE), @r#"
    // teachers: each prompt hears the expert of its domain, and reference beside it; a_teacher_with_quite_a_long_name_for_mathematics and another_teacher_with_quite_a_long_name_for_programs also read ReferenceAnswer
    let teachers = (
        Experts::by(|domain| match domain {
            tasks::Domain::Math => {
                self.a_teacher_with_quite_a_long_name_for_mathematics
                    .seat("a_teacher_with_quite_a_long_name_for_mathematics")
                    .reads(ReferenceAnswer)
            }
            tasks::Domain::Code => {
                self.another_teacher_with_quite_a_long_name_for_programs
                    .seat("another_teacher_with_quite_a_long_name_for_programs")
                    .reads(ReferenceAnswer)
            }
        }),
        self.reference.seat("reference"),
    );
        // data: draw prompts (Prompts)
        // score: a_teacher_with_quite_a_long_name_for_mathematics, another_teacher_with_quite_a_long_name_for_programs and reference read the student's tokens, no gradient (SampledToken)
        // route: every token hears all its teachers
    "#);
}

#[test]
fn a_recipe_with_mistakes_still_is_a_struct_and_a_recipe() {
    let broken = recipe(TokenStream::new(), tokens(&UNI_OPD.replace("calibrate:", "calibrte:"))).to_string();
    for part in ["pub struct UniOpd", ":: limbeck :: Recipe for UniOpd", "compile_error", "macro_rules !"] {
        assert!(broken.contains(part), "no `{part}` in {broken}");
    }
    assert_eq!(broken.matches("compile_error").count(), 1);
    let (structure, _) = broken.split_once("macro_rules").expect("the carrier comes after the struct");
    assert!(!structure.contains("# [teacher") && !structure.contains("# [with"));
}

#[test]
fn no_tokens_make_the_macros_panic() {
    let mut dice = Dice(20_261_121);
    let methods = "#[settings(check = a, facts = b)] pub struct M<const K: usize, B> { #[setting(default = 1.0)] a: f64, #[setting(skip)] b: PhantomData<B> }";
    let domains = "#[derive(Clone)] pub enum Domain { Math, Code }";
    for round in 0..1500_usize {
        let item = dice.changed(tokens(ALL[round % ALL.len()]));
        let args = dice.changed(tokens("base = path::UniOpd, without(calibrate, route)"));
        let _ = recipe(if round % 3 == 0 { args } else { TokenStream::new() }, item);
        let _ = settings(dice.changed(tokens(methods)));
        let _ = domain(dice.changed(tokens(domains)));
        let (args, item) = (dice.noise(0), dice.noise(0));
        let _ = recipe(args, item.clone());
        let _ = settings(item.clone());
        let _ = domain(item);
    }
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

/// Chance from a seed, so that a failure can be seen again (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % bound as u64).unwrap_or(0)
    }

    /// The tokens with a few dropped, doubled, swapped or replaced, at any depth.
    fn changed(&mut self, tokens: TokenStream) -> TokenStream {
        let mut trees: Vec<TokenTree> = tokens.into_iter().collect();
        for _ in 0..=self.below(2) {
            if trees.is_empty() {
                break;
            }
            let (one, other) = (self.below(trees.len()), self.below(trees.len()));
            match (self.below(7), trees[one].clone()) {
                (0, _) => drop(trees.remove(one)),
                (1, tree) => trees.insert(other, tree),
                (2, _) => trees.swap(one, other),
                (3, _) => trees[one] = self.token(0),
                (_, TokenTree::Group(group)) => {
                    let within = self.changed(group.stream());
                    trees[one] = Group::new(group.delimiter(), within).into();
                }
                _ => {
                    if let Some(place) = trees.iter().rposition(|tree| matches!(tree, TokenTree::Group(_))) {
                        if let TokenTree::Group(group) = trees[place].clone() {
                            trees[place] = Group::new(group.delimiter(), self.changed(group.stream())).into();
                        }
                    }
                }
            }
        }
        trees.into_iter().collect()
    }

    fn noise(&mut self, depth: usize) -> TokenStream {
        (0..self.below(8)).map(|_| self.token(depth)).collect()
    }

    fn token(&mut self, depth: usize) -> TokenTree {
        const WORDS: [&str; 14] = [
            "struct", "enum", "pub", "self", "_x", "teacher", "with", "domain", "data", "loss", "Frozen",
            "impl", "fn", "dyn",
        ];
        const MARKS: [char; 12] = ['#', ':', '=', ',', ';', '<', '>', '&', '!', '$', '-', '.'];
        const CLOSED: [Delimiter; 4] =
            [Delimiter::Parenthesis, Delimiter::Brace, Delimiter::Bracket, Delimiter::None];
        match self.below(if depth < 3 { 10 } else { 8 }) {
            0..=2 => Ident::new(WORDS[self.below(WORDS.len())], Span::call_site()).into(),
            3 => Ident::new_raw("type", Span::call_site()).into(),
            4 => Literal::string("text").into(),
            5 => Literal::f64_unsuffixed(0.5).into(),
            6 => Punct::new(MARKS[self.below(MARKS.len())], Spacing::Joint).into(),
            7 => Punct::new(MARKS[self.below(MARKS.len())], Spacing::Alone).into(),
            _ => Group::new(CLOSED[self.below(CLOSED.len())], self.noise(depth + 1)).into(),
        }
    }
}
