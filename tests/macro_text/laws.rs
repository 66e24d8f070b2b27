//! What holds of every printed loop.

use insta::assert_snapshot;
use quote::ToTokens;
use syn::visit::Visit;

use crate::{
    compiled, expanded, indent, line_of, spelled, tokens, without_comments, words, ALL, DOPD, UNI_OPD,
};

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

#[test]
fn the_loop_says_what_a_field_says_of_itself() {
    let usual = expanded(UNI_OPD).text;
    let own = UNI_OPD.replace("verify: TaskAnswer", "/// a judge\n/// decides.\n verify: TaskAnswer");
    assert_ne!(own, UNI_OPD);
    let told = expanded(&own).text;
    assert!(told.contains("// verify: a judge decides (TaskAnswer)\n"), "{told}");
    let changed = usual.lines().zip(told.lines()).filter(|(one, other)| one != other).count();
    assert_eq!((changed, usual.lines().count()), (1, told.lines().count()));
}
