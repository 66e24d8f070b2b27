//! `#[with(…)]`.

use insta::assert_snapshot;

use crate::change;

#[test]
fn settings_that_set_nothing() {
    assert_snapshot!(change("group_size = 4, temperature = 1.0", ""), @"8:5 this `#[with]` sets nothing. Name a setting of `rollout`, as in `#[with(name = value)]`, or leave it out");
}

#[test]
fn settings_without_parentheses() {
    assert_snapshot!(change("#[with(group_size = 4, temperature = 1.0)]", "#[with]"), @"8:5 this `#[with]` sets nothing. Name a setting of `rollout`, as in `#[with(name = value)]`, or leave it out");
}

#[test]
fn a_setting_without_a_value() {
    assert_snapshot!(change("temperature = 1.0", "temperature"), @"8:28 `temperature` has no value. Write `temperature = …`");
}

#[test]
fn a_setting_with_a_colon() {
    assert_snapshot!(change("temperature = 1.0", "temperature: 1.0"), @"8:28 `temperature` has no value. Write `temperature = …`");
}

#[test]
fn a_setting_with_half_a_value() {
    assert_snapshot!(change("temperature = 1.0", "temperature = 1.0 +"), @"8:28 `temperature` has no value. Write `temperature = …`");
}

#[test]
fn a_setting_twice() {
    assert_snapshot!(change("temperature = 1.0", "group_size = 8"), @"8:28 `group_size` is set twice. Keep one of the two");
}

#[test]
fn a_setting_without_a_name() {
    assert_snapshot!(change("group_size = 4", "4"), @"8:12 settings are given by name, one after the other with commas, as in `#[with(temperature = 1.0, group_size = 4)]`");
}

#[test]
fn a_setting_that_is_a_call() {
    assert_snapshot!(change("group_size = 4", "group_size(4)"), @"8:12 `group_size` has no value. Write `group_size = …`");
}

#[test]
fn settings_without_a_comma() {
    assert_snapshot!(change("4, temperature", "4 temperature"), @"8:27 settings are given by name, one after the other with commas, as in `#[with(temperature = 1.0, group_size = 4)]`");
}

#[test]
fn two_with_attributes() {
    assert_snapshot!(change("    rollout:", "    #[with(top_p = 0.9)]\n    rollout:"), @"9:5 this field has two `#[with]`. Put everything into one");
}
