//! How recipes differ, as people read it.

mod common;

use std::path::Path;

use common::limbeck_in;
use limbeck::diff::{Change, Of};
use limbeck::prelude::*;
use limbeck::{assert_diff_snapshot, diff, Plan, Recipe};
use limbeck_recipes::*;
use serde_json::Value;

/// `UniOpd` without its calibration.
#[recipe]
struct NoCalibration {
    #[teacher(domain = Domain::Math)]
    math: Frozen,
    #[teacher(domain = Domain::Code)]
    code: Frozen,

    #[with(shape = Shape::Auto)]
    data: ByDifficulty,
    // a temperature of 1 is the default, and it does not matter how a value is written
    #[with(group_size = 8 + 8)]
    rollout: Sample,
    verify: TaskAnswer,
    #[with(scope = Scope::Group, ratio = 1.0)]
    balance: ByOutcome,
    score: SampledToken,
    #[with(clip_low = 0.2, clip_high = 0.28, gap_mask = 10.0)]
    loss: PolicyGradient,
    #[with(lr = 0.000001, beta2 = 0.98, weight_decay = 0.1, warmup = 5)]
    step: AdamW,
}

/// `Dopd` whose teachers read the answer, with another trim.
#[recipe]
struct Answered {
    #[teacher(reads = ReferenceAnswer)]
    teacher: Frozen,
    #[teacher(reads = ReferenceAnswer)]
    hindsight: Own,

    data: Prompts,
    #[with(group_size = 4)]
    rollout: Sample,
    score: FullVocab,
    #[with(trim = 0.1)]
    route: AdvantageGap,
    #[with(light = 0.6, weak = 0.3)]
    loss: Routed<TopK<64>>,
    #[with(lr = 5e-6, schedule = Schedule::Cosine)]
    step: AdamW,
}

#[test]
fn a_stage_left_out() {
    assert_diff_snapshot!(UniOpd, NoCalibration);
}

#[test]
fn a_stage_put_in() {
    assert_diff_snapshot!(NoCalibration, UniOpd);
}

#[test]
fn a_stage_filled_otherwise() {
    assert_diff_snapshot!(UniOpd, UniOpdGreedyMask);
}

#[test]
fn settings_and_what_a_teacher_reads() {
    assert_diff_snapshot!(Dopd, Answered);
}

#[test]
fn two_methods() {
    assert_diff_snapshot!(VanillaOpd, Dopd);
}

#[test]
fn the_loops_line_by_line() {
    insta::assert_snapshot!(diff(&UniOpd::PLAN, &NoCalibration::PLAN).loops);
}

#[test]
fn nothing_differs_from_itself_and_both_ways_say_the_same() {
    for a in ALL {
        assert!(diff(a.plan(), a.plan()).is_empty(), "{}", a.name());
        for b in ALL.iter().filter(|b| b.name() != a.name()) {
            let (there, back) = (diff(a.plan(), b.plan()), diff(b.plan(), a.plan()));
            assert!(!there.is_empty(), "{} and {} are one recipe", a.name(), b.name());
            assert_eq!((there.same_teachers, there.same_stages), (back.same_teachers, back.same_stages));
            assert_eq!(there.changes.len(), back.changes.len());
            assert_eq!((there.loops.removed, there.loops.added), (back.loops.added, back.loops.removed));
            counts(a.plan(), &there.changes, there.same_stages);
        }
    }
}

/// Each stage of a recipe is the same, or there is a change that names it.
fn counts(plan: &Plan, changes: &[Change], same: usize) {
    let here = |change: &&Change| change.of() == Of::Stage && !matches!(change, Change::Added(_));
    assert_eq!(plan.stages.len(), same + changes.iter().filter(here).count());
}

/// The recipes that differ from their base in nothing.
fn say_nothing_new(plans: &[Plan]) -> Vec<&'static str> {
    let base = |plan: &Plan| plans.iter().find(|other| Some(other.name) == plan.base);
    let same = |plan: &&Plan| base(plan).is_some_and(|base| diff(base, plan).is_empty());
    plans.iter().filter(same).map(|plan| plan.name).collect()
}

/// What a fork changes is its whole idea, so each is looked at.
#[test]
fn what_each_fork_changes() {
    let base = |fork: &Plan| EVERY.iter().find(|entry| Some(entry.name()) == fork.base);
    let forks: Vec<_> =
        EVERY.iter().filter_map(|entry| Some((base(entry.plan())?.plan(), entry.plan()))).collect();
    assert_eq!(forks.len(), EVERY.iter().filter(|entry| entry.plan().base.is_some()).count());
    for (base, fork) in forks {
        let name = format!("{}_against_{}", fork.name, base.name);
        insta::with_settings!({ omit_expression => true }, {
            insta::assert_snapshot!(name, diff(base, fork));
        });
    }
}

#[test]
fn every_fork_changes_something() {
    let mut plans: Vec<Plan> = EVERY.iter().map(|entry| *entry.plan()).collect();
    assert_eq!(say_nothing_new(&plans), Vec::<&str>::new());
    assert!(plans.iter().any(|plan| plan.base.is_some()));
    plans.push(Plan { name: "Copy", base: Some("UniOpd"), ..UniOpd::PLAN });
    plans.push(Plan { base: Some("UniOpd"), ..NoCalibration::PLAN });
    assert_eq!(say_nothing_new(&plans), ["Copy"]);
}

#[test]
fn the_verb() {
    let call = |words: &[&str]| limbeck_in(Path::new("."), &[&["diff"], words].concat());
    let said = call(&["UniOpd", "UniOpdGreedyMask"]).good();
    assert_eq!((said.out, said.err.as_str()), (diff(&UniOpd::PLAN, &UniOpdGreedyMask::PLAN).to_string(), ""));
    let said = call(&["VanillaOpd", "UniOpd", "--loop"]).good();
    let lines = diff(&VanillaOpd::PLAN, &UniOpd::PLAN).loops.to_string();
    assert!(said.out.ends_with(&format!("\n\n{lines}")) && !said.out.contains('\x1b'), "{}", said.out);

    let said = call(&["VanillaOpd", "UniOpd", "--json", "--exit-code"]);
    assert_eq!((said.code, said.err.as_str()), (Some(1), ""));
    let json = said.json();
    assert_eq!((&json["from"], &json["to"]), (&"VanillaOpd".into(), &"UniOpd".into()));
    let changes = json["changes"].as_array().unwrap();
    let added: Vec<&Value> = changes.iter().map(|change| &change["added"]["name"]).collect();
    assert!(added.contains(&&"calibrate".into()), "{json}");
    assert!(json["loop"]["added"].as_u64() > Some(0) && json["loop"]["lines"].is_array());

    call(&["UniOpd", "UniOpd", "--exit-code"]).good();
    assert_eq!(call(&["UniOpd", "VanillaOpd", "--exit-code"]).code, Some(1));
    call(&["UniOpd", "uniopdgreedymask"]).refused(2, &["did you mean `UniOpdGreedyMask`"]);
    call(&["Nothing", "UniOpd"]).refused(2, &["there is no recipe `Nothing`"]);
}
