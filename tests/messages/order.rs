//! In which order they stand.

use insta::assert_snapshot;

use crate::{change, recipe, GOOD};

#[test]
fn a_stage_too_early() {
    assert_snapshot!(change("    verify: TaskAnswer,\n    balance: ByOutcome,\n", "    balance: ByOutcome,\n    verify: TaskAnswer,\n"), @"10:5 `balance` runs after `verify`, and a recipe reads in the order its loop runs. Move it below `verify`");
}

#[test]
fn a_stage_too_late() {
    assert_snapshot!(recipe(&GOOD.replace("    data: Prompts,\n", "").replace("    loss:", "    data: Prompts,\n    loss:")), @"13:5 `data` runs before `rollout`, and a recipe reads in the order its loop runs. Move it above `rollout`");
}

#[test]
fn a_stage_that_jumped_to_the_front() {
    assert_snapshot!(recipe(&GOOD.replace("    step: AdamW,\n", "").replace("    data:", "    step: AdamW,\n    data:")), @"7:5 `step` runs after `loss`, and a recipe reads in the order its loop runs. Move it below `loss`");
}

#[test]
fn a_teacher_after_a_stage() {
    assert_snapshot!(change("    step: AdamW,\n", "    #[teacher]\n    reference: Start,\n    step: AdamW,\n"), @"16:5 `reference` teaches, and teachers come before all stages. Move it above `data`");
}
