//! `#[derive(Settings)]`.

use insta::assert_snapshot;

use crate::settings;

#[test]
fn a_method_is_a_struct() {
    assert_snapshot!(settings("enum AdamW { Fast }"), @"1:6 a method is a struct whose fields are its settings; `AdamW` is an enum. Make it a struct");
}

#[test]
fn a_method_is_no_union() {
    assert_snapshot!(settings("union AdamW { lr: f64 }"), @"1:7 a method is a struct whose fields are its settings; `AdamW` is a union. Make it a struct");
}

#[test]
fn settings_have_names() {
    assert_snapshot!(settings("struct AdamW(f64);"), @"1:8 the settings of `AdamW` have no names, so no recipe and no run file can set them. Name the fields");
}

#[test]
fn a_setting_has_a_default() {
    assert_snapshot!(settings("struct AdamW { lr: f64 }"), @"1:16 `lr` has no default, so a recipe that does not set it has no value. Write `#[setting(default = …)]`");
}

#[test]
fn an_unknown_key_of_a_setting() {
    assert_snapshot!(settings("struct AdamW {\n    #[setting(defualt = 1e-6)]\n    lr: f64,\n}"), @"
    2:15 `#[setting]` does not know `defualt`; did you mean `default`?
    it takes `default = …` or `skip`
    ");
}

#[test]
fn a_default_given_twice() {
    assert_snapshot!(settings("struct AdamW {\n    #[setting(default = 1.0, default = 2.0)]\n    lr: f64,\n}"), @"2:30 `default` is given twice in one `#[setting]`. Keep one of the two");
}

#[test]
fn a_default_without_a_value() {
    assert_snapshot!(settings("struct AdamW {\n    #[setting(default)]\n    lr: f64,\n}"), @"2:15 `#[setting]` takes `default = …` or `skip`, as in `#[setting(default = 1.0)]`");
}

#[test]
fn a_bare_default() {
    assert_snapshot!(settings("struct AdamW {\n    #[setting(1.0)]\n    lr: f64,\n}"), @"2:15 `#[setting]` takes `default = …` or `skip`, as in `#[setting(default = 1.0)]`");
}

#[test]
fn a_setting_is_no_assignment() {
    assert_snapshot!(settings("struct AdamW {\n    #[setting = 1.0]\n    lr: f64,\n}"), @"2:5 `#[setting]` takes `default = …` or `skip`, as in `#[setting(default = 1.0)]`");
}

#[test]
fn a_setting_of_a_generic_type() {
    assert_snapshot!(settings("struct Mixed<B> {\n    #[setting(default = None)]\n    base: Option<B>,\n}"), @"3:11 `base` depends on the parameter `B`, and a setting's type is fixed: what scales a number is a value, what shapes a tensor is a type. Give it a type of its own, or mark it `#[setting(skip)]`");
}

#[test]
fn an_unknown_key_of_the_settings() {
    assert_snapshot!(settings("#[settings(chek = margin)]\nstruct MarginShift;"), @"
    1:12 `#[settings]` does not know `chek`; did you mean `check`?
    it takes `check = …` and `facts = …`
    ");
}

#[test]
fn a_check_is_a_function() {
    assert_snapshot!(settings("#[settings(check = 3)]\nstruct MarginShift;"), @"1:20 `check` names a const fn, as in `check = check_of_my_method`");
}

#[test]
fn a_check_given_twice() {
    assert_snapshot!(settings("#[settings(check = a)]\n#[settings(check = b)]\nstruct MarginShift;"), @"2:12 `check` is given twice in one `#[settings]`. Keep one of the two");
}

#[test]
fn settings_have_no_loose_words() {
    assert_snapshot!(settings("#[settings(\"margin\")]\nstruct MarginShift;"), @"1:12 `#[settings]` takes `check = …` and `facts = …`, each the path of a const fn");
}
