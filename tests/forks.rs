//! A fork is its base and its change, and nothing else: loop, settings, plan and what stages know of each other.

use limbeck::prelude::*;
use limbeck::Plan;
use limbeck_recipes::UniOpd;

/// Uni-OPD without calibration.
#[recipe(base = UniOpd, without(calibrate))]
struct NoCalibration;

/// Uni-OPD, gently.
#[recipe(base = UniOpd)]
struct Gentle {
    #[with(group_size = 4)]
    rollout: _,
    #[with(delta = 0.3)]
    calibrate: _,
    #[with(lr = 1e-5)]
    step: AdamW,
}

/// As gentle as can be.
#[recipe(base = Gentle, without(balance))]
struct Gentler {
    #[with(delta = 0.2, over = Over::Kept)]
    calibrate: _,
}

/// As gentle as can be.
#[recipe]
struct ByHand {
    #[teacher(domain = Domain::Math)]
    math: Frozen,
    #[teacher(domain = Domain::Code)]
    code: Frozen,

    #[with(shape = Shape::Auto)]
    data: ByDifficulty,
    #[with(group_size = 4, temperature = 1.0)]
    rollout: Sample,
    verify: TaskAnswer,
    score: SampledToken,
    #[with(
        scope = Scope::Group,
        statistic = Statistic::Mean,
        delta = 0.2,
        direction = Direction::Both,
        over = Over::Kept
    )]
    calibrate: MarginShift,
    #[with(clip_low = 0.2, clip_high = 0.28, gap_mask = 10.0)]
    loss: PolicyGradient,
    #[with(lr = 1e-5)]
    step: AdamW,
}

/// Two experts and two voices beside the prompt.
#[recipe(base = limbeck_recipes::Dopd, without(hindsight, route))]
struct Plain {
    #[teacher(reads = ReferenceAnswer)]
    teacher: _,
    #[teacher]
    before: Start,
    score: Extrapolated,
    loss: PolicyGradient,
}

fn lines_without<'a>(text: &'a str, words: &[&str]) -> Vec<&'a str> {
    text.lines().filter(|line| !words.iter().any(|word| line.contains(word))).collect()
}

#[test]
fn a_stage_left_out_is_two_lines_less_and_nothing_more() {
    let calibrate = ["// calibrate: ", "self.calibrate."];
    assert_eq!(NoCalibration::LOOP, lines_without(UniOpd::LOOP, &calibrate).join("\n") + "\n");
    assert_eq!(NoCalibration::LOOP.lines().count() + 2, UniOpd::LOOP.lines().count());
    assert_eq!(NoCalibration::PLAN.stages.len() + 1, UniOpd::PLAN.stages.len());
}

#[test]
fn a_fork_of_a_fork_has_both_changes() {
    let Gentler { calibrate, rollout, step, .. } = Gentler::DEFAULT;
    assert_eq!((calibrate.delta, calibrate.over), (0.2, Over::Kept));
    assert_eq!((rollout.group_size, rollout.temperature), (4, 1.0));
    assert_eq!(step.lr, 1e-5);
    assert_eq!(
        Gentler::LOOP,
        lines_without(Gentle::LOOP, &["// balance: ", "self.balance."]).join("\n") + "\n"
    );
}

#[test]
fn what_is_not_mentioned_is_the_bases() {
    let changed = [("rollout", "group_size"), ("calibrate", "delta")];
    for ((stage, base), (_, fork)) in UniOpd::DEFAULT.settings().into_iter().zip(Gentle::DEFAULT.settings()) {
        for (base, fork) in base.iter().zip(&fork).filter(|_| stage != "step") {
            assert_eq!(
                base.value != fork.value,
                changed.contains(&(stage, base.name)),
                "{stage}.{}",
                base.name
            );
        }
    }
    // another method, be it the same: its settings are its own
    assert_eq!(Gentle::DEFAULT.step.weight_decay, AdamW::DEFAULT.weight_decay);
    assert_ne!(NoCalibration::DEFAULT.step.weight_decay, AdamW::DEFAULT.weight_decay);
}

#[test]
fn what_stages_know_of_each_other_is_known_of_the_fork() {
    assert_eq!(Gentle::FACTS, limbeck::Facts { group_size: 4, ..UniOpd::FACTS });
    let mut alone = Gentle::DEFAULT;
    alone.rollout.group_size = 1;
    assert!(alone.faults().iter().any(|fault| (fault.stage, fault.field) == ("rollout", "group_size")));
}

/// The plan without the recipe's name and its base's.
fn anonymous(plan: Plan) -> String {
    let plan = Plan { name: "", base: None, ..plan };
    plan.to_ron()
}

#[test]
fn a_fork_is_what_one_would_write_by_hand() {
    assert_eq!(anonymous(Gentler::PLAN), anonymous(ByHand::PLAN));
    assert_eq!(Gentler::PLAN.stages, ByHand::PLAN.stages);
    assert_eq!(Gentler::PLAN.teachers, ByHand::PLAN.teachers);
    assert_eq!(Gentler::DOC, ByHand::DOC);
    assert_eq!(Gentler::LOOP, ByHand::LOOP);
    assert_eq!(Gentler::FACTS, ByHand::FACTS);
    assert_eq!(Gentler::DEFAULT.settings(), ByHand::DEFAULT.settings());
    assert_eq!(
        Gentler::EJECTED.replace("Gentler", "ByHand").replace("Some(\"Gentle\")", "None"),
        ByHand::EJECTED
    );
    assert_eq!(Gentler::SOURCE.replace("Gentler {", "ByHand {"), ByHand::SOURCE);
}

#[test]
fn a_plan_names_its_direct_base() {
    let bases = [UniOpd::PLAN, NoCalibration::PLAN, Gentle::PLAN, Gentler::PLAN].map(|plan| plan.base);
    assert_eq!(bases, [None, Some("UniOpd"), Some("UniOpd"), Some("Gentle")]);
}

#[test]
fn teachers_come_go_and_change() {
    let teachers = Plain::PLAN.teachers.iter().map(|one| (one.name, one.kind, one.reads));
    let teachers: Vec<_> = teachers.collect();
    assert_eq!(teachers, [("teacher", "Frozen", Some("ReferenceAnswer")), ("before", "Start", None)]);
}

#[test]
fn a_run_file_sets_what_the_fork_has() {
    let mut fork = NoCalibration::DEFAULT;
    fork.set("(rollout: (group_size: 2))").unwrap();
    assert_eq!(fork.rollout.group_size, 2);
    let why = fork.set("(calibrate: (delta: 0.1))").unwrap_err().to_string();
    assert!(why.contains("no stage `calibrate`") && why.contains("settings:1:2"), "{why}");
}
