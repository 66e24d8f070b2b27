//! Forks: what they may say of their base. The base is `Good`; places are those of the fork.

use insta::assert_snapshot;

use crate::{fork, fork_of, recipe_with, GOOD};

#[test]
fn nothing_is_said_of_a_good_fork() {
    let said = fork(
        "without(calibrate, code)",
        "struct Fork {
            #[teacher(domain = Domain::Logic, reads = StepHints)]
            logic: Frozen,
            #[teacher(reads = StepHints)]
            math: _,
            #[with(group_size = 8)]
            rollout: _,
            route: AdvantageGap,
            #[with(lr = 1e-5)]
            step: Sgdish,
        }",
    );
    assert_eq!(said, "nothing is wrong");
    assert_eq!(fork("without(calibrate)", "pub struct Fork;"), "nothing is wrong");
}

#[test]
fn nothing_is_said_of_a_fork_whose_base_has_mistakes() {
    assert_eq!(fork_of(&GOOD.replace("calibrate:", "calibrte:"), "without(verify)", "struct Fork;"), "");
    assert_eq!(fork_of("enum Good {}", "without(verify)", "struct Fork;"), "");
}

#[test]
fn a_base_is_a_path() {
    assert_snapshot!(recipe_with("base = \"UniOpd\"", GOOD), @"1:8 `base` names the recipe to fork, as in `base = UniOpd`");
    assert_snapshot!(recipe_with("base = Mine<3>", GOOD), @"1:1 `base` names the recipe to fork, as in `base = UniOpd`");
}

#[test]
fn without_lists_names() {
    assert_snapshot!(recipe_with("base = UniOpd, without(calibrate = 0.3)", GOOD), @"1:24 `without` lists fields of the base by name, with commas, as in `without(calibrate, route)`");
    assert_snapshot!(recipe_with("base = UniOpd, without()", GOOD), @"1:16 `without` lists the stages to leave out, as in `without(calibrate)`");
}

#[test]
fn a_fork_changes_something() {
    assert_snapshot!(fork("", "struct Fork;"), @"1:8 `Fork` changes nothing of `Good`. Give it a field, as in `step: _` under `#[with(…)]`, leave something out with `without(…)`, or use `Good` itself");
    assert_snapshot!(fork("", "struct Fork {}"), @"1:8 `Fork` changes nothing of `Good`. Give it a field, as in `step: _` under `#[with(…)]`, leave something out with `without(…)`, or use `Good` itself");
}

#[test]
fn a_field_of_a_fork_is_there_once() {
    assert_snapshot!(fork("", "struct Fork {\n    #[with(lr = 0.1)]\n    step: _,\n    step: Sgdish,\n}"), @"4:5 `step` is there twice. Keep one of the two");
}

#[test]
fn a_misspelt_stage_in_a_fork() {
    assert_snapshot!(fork("", "struct Fork {\n    #[with(delta = 0.3)]\n    calibrte: _,\n}"), @"
    3:5 `calibrte` is not a stage; did you mean `calibrate`?
    the stages are, in order: data, rollout, verify, balance, score, calibrate, route, loss, step, log, checkpoint
    ");
}

#[test]
fn a_misspelt_teacher_in_a_fork() {
    assert_snapshot!(fork("", "struct Fork {\n    #[with(decay = 0.3)]\n    mth: _,\n}"), @"3:5 `mth` is no stage, and `Good` has no such teacher; did you mean `math`?");
    assert_snapshot!(fork("", "struct Fork {\n    #[teacher(reads = StepHints)]\n    mth: _,\n}"), @"3:5 `Good` has no teacher `mth`; did you mean `math`?");
}

#[test]
fn an_unknown_field_in_a_fork() {
    assert_snapshot!(fork("", "struct Fork {\n    #[with(delta = 0.3)]\n    banana: _,\n}"), @"
    3:5 `banana` is neither a stage nor a teacher; a teacher has `#[teacher]` above it
    the stages are, in order: data, rollout, verify, balance, score, calibrate, route, loss, step, log, checkpoint
    ");
}

#[test]
fn a_teacher_of_another_kind_says_that_it_is_one() {
    assert_snapshot!(fork("", "struct Fork {\n    math: Mine,\n}"), @"2:5 `math` is a teacher, and nothing says so. Write `#[teacher]` above it");
}

#[test]
fn a_fork_keeps_a_stage_that_its_base_has() {
    assert_snapshot!(fork("", "struct Fork {\n    #[with(high = 0.3)]\n    route: _,\n}"), @"3:5 `Good` has no `route`, so there is no method for `_` to keep. Name one, for example `route: AdvantageGap`");
}

#[test]
fn a_fork_keeps_a_teacher_that_its_base_has() {
    assert_snapshot!(fork("", "struct Fork {\n    #[teacher(domain = Domain::Logic)]\n    logic: _,\n}"), @"3:5 `Good` has no teacher `logic`, so there is no kind for `_` to keep. Name one, for example `logic: Frozen`");
}

#[test]
fn what_is_kept_changes_something() {
    assert_snapshot!(fork("without(balance)", "struct Fork {\n    calibrate: _,\n}"), @"2:5 `calibrate: _` keeps what `Good` has and changes nothing. Say in `#[with(…)]` what is different, or leave it out");
    assert_snapshot!(fork("", "struct Fork {\n    #[teacher]\n    math: _,\n}"), @"3:5 `math: _` keeps what `Good` has and changes nothing. Say in `#[teacher(…)]` or `#[with(…)]` what is different, or leave it out");
}

#[test]
fn a_setting_gets_another_value() {
    assert_snapshot!(fork("", "struct Fork {\n    #[with(group_size = 4, temperature = 0.7)]\n    rollout: _,\n}"), @"2:25 `group_size` is 4 in `Good` already. Give it another value, or leave it out");
}

#[test]
fn a_teacher_gets_other_words() {
    assert_snapshot!(fork("", "struct Fork {\n    #[teacher(domain = Domain::Math)]\n    math: _,\n}"), @"2:24 `domain` is Domain::Math in `Good` already. Give it another value, or leave it out");
}

#[test]
fn a_field_is_not_as_it_was() {
    assert_snapshot!(fork("", "struct Fork {\n    #[with(temperature = 1.0, group_size = 4)]\n    rollout: Sample,\n    step: AdamW,\n}"), @"
    3:5 `rollout` is Sample with the same settings in `Good` already. Change something, or leave it out
    4:5 `step` is AdamW with the same settings in `Good` already. Change something, or leave it out
    ");
    assert_snapshot!(fork("", "struct Fork {\n    #[teacher(domain = Domain::Math)]\n    math: Frozen,\n}"), @"3:5 `math` is Frozen with the same settings in `Good` already. Change something, or leave it out");
}

#[test]
fn the_same_method_with_other_settings_is_another_field() {
    assert_eq!(fork("", "struct Fork { rollout: Sample }"), "nothing is wrong");
    assert_eq!(fork("", "struct Fork { #[with(lr = 1e-5)] step: AdamW }"), "nothing is wrong");
}

#[test]
fn a_setting_of_a_fork_given_twice() {
    assert_snapshot!(recipe_with("base = Good", "struct Fork {\n    #[with(delta = 0.3, delta = 0.2)]\n    calibrate: _,\n}"), @"2:25 `delta` is set twice. Keep one of the two");
}

#[test]
fn a_field_left_out_twice() {
    assert_snapshot!(fork("without(calibrate, calibrate)", "struct Fork;"), @"1:33 `calibrate` is left out twice. Say it once");
}

#[test]
fn a_field_left_out_and_given() {
    assert_snapshot!(fork("without(calibrate)", "struct Fork {\n    calibrate: MarginMask,\n}"), @"1:22 `calibrate` is left out and given. A field takes the place of what the base has: take `calibrate` out of `without(…)`, or drop the field");
}

#[test]
fn only_what_is_there_can_be_left_out() {
    assert_snapshot!(fork("without(calibrte)", "struct Fork;"), @"
    1:22 `Good` has no `calibrte` to leave out; did you mean `calibrate`?
    it has, in order: math, code, data, rollout, verify, balance, score, calibrate, loss, step
    ");
    assert_snapshot!(fork("without(route)", "struct Fork;"), @"
    1:22 `Good` has no `route` to leave out
    it has, in order: math, code, data, rollout, verify, balance, score, calibrate, loss, step
    ");
}

#[test]
fn a_needed_stage_cannot_be_left_out() {
    assert_snapshot!(fork("without(step)", "struct Fork;"), @"1:22 `Fork` cannot leave `step` out: the student would never change. Give it another method instead, for example `step: AdamW`, and take it out of `without(…)`");
}

#[test]
fn no_recipe_forks_itself() {
    assert_snapshot!(recipe_with("base = Fork, without(calibrate)", "struct Fork;"), @"1:8 `Fork` cannot fork itself. Give the fork a name of its own, or name another recipe in `base = …`; a recipe of the same name elsewhere is named by its full path");
    assert_snapshot!(recipe_with("base = self::Fork, without(calibrate)", "struct Fork;"), @"1:8 `Fork` cannot fork itself. Give the fork a name of its own, or name another recipe in `base = …`; a recipe of the same name elsewhere is named by its full path");
}

#[test]
fn a_fork_reads_in_the_order_of_the_loop() {
    assert_snapshot!(fork("", "struct Fork {\n    #[with(lr = 0.1)]\n    step: _,\n    #[with(delta = 0.3)]\n    calibrate: _,\n    #[teacher(reads = StepHints)]\n    math: _,\n}"), @"
    7:5 `math` teaches, and teachers come before all stages. Move it above `step`
    3:5 `step` runs after `calibrate`, and a recipe reads in the order its loop runs. Move it below `calibrate`
    ");
}

#[test]
fn a_fork_with_two_teachers_for_a_domain_says_whose_the_other_is() {
    assert_snapshot!(fork("", "struct Fork {\n    #[teacher(domain = Domain::Math)]\n    logic: Frozen,\n}"), @"
    2:24 `math` and `logic` both teach `Domain::Math`, and a prompt hears one expert. Give each its own domain
    `math` comes from `Good`
    ");
}

#[test]
fn what_is_wrong_with_the_bases_teacher_stands_on_the_bases_name() {
    assert_snapshot!(fork("", "struct Fork {\n    #[teacher(reads = StepHints)]\n    math: _,\n}"), @"
    1:8 `math` reads `StepHints` and `code` reads only the prompt, and the experts of a recipe are all shown the same. Give them the same `reads = …`, or none
    `code` comes from `Good`
    ");
}

#[test]
fn several_mistakes_of_a_fork_are_said_at_once() {
    assert_snapshot!(fork("without(step, route)", "struct Fork {\n    calibrate: _,\n    mth: Frozen,\n}"), @"
    3:5 `mth` is a teacher, and nothing says so. Write `#[teacher]` above it
    2:5 `calibrate: _` keeps what `Good` has and changes nothing. Say in `#[with(…)]` what is different, or leave it out
    1:28 `Good` has no `route` to leave out
    it has, in order: math, code, data, rollout, verify, balance, score, calibrate, loss, step
    1:22 `Fork` cannot leave `step` out: the student would never change. Give it another method instead, for example `step: AdamW`, and take it out of `without(…)`
    ");
}

#[test]
fn only_its_base_calls_the_middle_of_a_fork() {
    let said = limbeck_macros_core::fork("{ } { struct Good; }".parse().unwrap()).to_string();
    assert!(said.contains("`__fork!` is the middle of `#[recipe(base = …)]`"), "{said}");
}
