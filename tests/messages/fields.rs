//! Which fields there are.

use insta::assert_snapshot;

use crate::{change, teachers};

#[test]
fn a_misspelt_stage() {
    assert_snapshot!(change("calibrate:", "calibrte:"), @"
    13:5 `calibrte` is not a stage; did you mean `calibrate`?
    the stages are, in order: data, rollout, verify, balance, score, calibrate, route, loss, step, log, checkpoint
    ");
}

#[test]
fn a_stage_under_the_name_of_another_tool() {
    assert_snapshot!(change("step:", "optimizer:"), @"15:5 `optimizer` is not a stage: here that is called `step`, as in `step: AdamW`");
}

#[test]
fn a_mask_is_a_way_to_calibrate() {
    assert_snapshot!(change("calibrate: MarginShift", "mask: MarginMask"), @"13:5 `mask` is not a stage: here that is called `calibrate`, as in `calibrate: MarginShift`");
}

#[test]
fn a_reward_is_what_verify_finds() {
    assert_snapshot!(change("verify:", "reward:"), @"10:5 `reward` is not a stage: here that is called `verify`, as in `verify: TaskAnswer`");
}

#[test]
fn a_teacher_says_so() {
    assert_snapshot!(change("    #[teacher(domain = Domain::Code)]\n", ""), @"5:5 `code` is a teacher, and nothing says so. Write `#[teacher]` above it");
}

#[test]
fn a_field_called_teacher_says_so() {
    assert_snapshot!(teachers("    teacher: Critic,\n"), @"3:9 `teacher` is a teacher, and nothing says so. Write `#[teacher]` above it");
}

#[test]
fn neither_stage_nor_teacher() {
    assert_snapshot!(change("verify: TaskAnswer", "banana: TaskAnswer"), @"
    10:5 `banana` is neither a stage nor a teacher; a teacher has `#[teacher]` above it
    the stages are, in order: data, rollout, verify, balance, score, calibrate, route, loss, step, log, checkpoint
    ");
}

#[test]
fn no_data() {
    assert_snapshot!(change("    data: Prompts,\n", ""), @"2:8 `Good` has no `data`: there would be no prompts to answer. Add one, for example `data: Prompts`");
}

#[test]
fn no_rollout() {
    assert_snapshot!(change("    #[with(group_size = 4, temperature = 1.0)]\n    rollout: Sample,\n", ""), @"2:8 `Good` has no `rollout`: there would be no answers to learn from. Add one, for example `rollout: Sample`");
}

#[test]
fn no_score() {
    assert_snapshot!(change("    score: SampledToken,\n", ""), @"2:8 `Good` has no `score`: nobody would say how good a token is. Add one, for example `score: SampledToken`");
}

#[test]
fn no_loss() {
    assert_snapshot!(change("    loss: PolicyGradient,\n", ""), @"2:8 `Good` has no `loss`: nothing would say which way to change the student. Add one, for example `loss: PolicyGradient`");
}

#[test]
fn no_step() {
    assert_snapshot!(change("    step: AdamW,\n", ""), @"2:8 `Good` has no `step`: the student would never change. Add one, for example `step: AdamW`");
}

#[test]
fn a_stage_twice() {
    assert_snapshot!(change("    step: AdamW,\n", "    step: AdamW,\n    step: Muon,\n"), @"16:5 `step` is there twice, as AdamW and as Muon; a stage has one method. Choose one");
}

#[test]
fn a_stage_twice_with_the_same_method() {
    assert_snapshot!(change("    step: AdamW,\n", "    step: AdamW,\n    step: AdamW,\n"), @"16:5 `step` is there twice, both times as AdamW. Leave one out");
}

#[test]
fn shift_and_mask_together() {
    assert_snapshot!(change("    loss:", "    calibrate: MarginMask,\n    loss:"), @"14:5 MarginShift and MarginMask are two ways to calibrate, and the second would undo what the first has set right: shift the scores or mask them. Choose one");
}

#[test]
fn a_teacher_twice() {
    assert_snapshot!(change("code: Frozen", "math: Frozen"), @"6:5 two teachers are called `math`. Give each its own name");
}

#[test]
fn a_stage_without_a_method() {
    assert_snapshot!(change("loss: PolicyGradient", "loss: (PolicyGradient, TopK<16>)"), @"14:11 the type of `loss` is its method, written as a plain type name, for example `loss: PolicyGradient`");
}

#[test]
fn a_stage_left_open() {
    assert_snapshot!(change("step: AdamW", "step: _"), @"15:11 the type of `step` is its method, written as a plain type name, for example `step: AdamW`");
}

#[test]
fn a_teacher_without_a_kind() {
    assert_snapshot!(teachers("    #[teacher]\n    teacher: _,\n"), @"4:14 the type of `teacher` says what kind of teacher it is, for example `teacher: Frozen`");
}

#[test]
fn a_number_as_a_method() {
    assert_snapshot!(change("loss: PolicyGradient", "loss: f64"), @"14:11 `f64` is no method: the type of `loss` does its work, and numbers are settings in `#[with(…)]`. Name a method, for example `loss: PolicyGradient`");
}

#[test]
fn text_as_a_teacher() {
    assert_snapshot!(teachers("    #[teacher]\n    teacher: String,\n"), @"4:14 `String` is no kind of teacher: it says where the weights come from. Name one, for example `teacher: Frozen`");
}
