//! The item and `#[recipe(…)]`.

use insta::assert_snapshot;

use crate::{change, recipe, recipe_with, GOOD};

#[test]
fn a_recipe_is_a_struct() {
    assert_snapshot!(recipe("pub enum Good { Data, Loss }"), @"1:5 a recipe is a struct whose fields are its teachers and its stages; this is an enum. Make it a struct");
}

#[test]
fn a_function_is_no_recipe() {
    assert_snapshot!(recipe("fn train() {}"), @"1:1 a recipe is a struct whose fields are its teachers and its stages; this is a function. Make it a struct");
}

#[test]
fn fields_have_names() {
    assert_snapshot!(recipe("struct Good(Prompts, Sample);"), @"1:8 the fields of `Good` have no names, and a field's name is its stage. Write `{ data: …, rollout: …, }`");
}

#[test]
fn a_recipe_has_fields() {
    assert_snapshot!(recipe("struct Good;"), @"1:8 `Good` has no fields, so its loop would do nothing. Write `{ data: …, rollout: …, }`");
}

#[test]
fn a_recipe_takes_no_parameters() {
    assert_snapshot!(change("struct Good {", "struct Good<L> {"), @"2:12 `Good` takes no parameters: a recipe is one fixed method. Name the types in its fields instead");
}

#[test]
fn settings_belong_on_a_field() {
    assert_snapshot!(change("struct Good", "#[with(lr = 1e-6)]\nstruct Good"), @"2:1 `#[with]` belongs on a field, not on the whole recipe. Move it down to the field it speaks of");
}

#[test]
fn a_teacher_is_a_field() {
    assert_snapshot!(change("struct Good", "#[teacher]\nstruct Good"), @"2:1 `#[teacher]` belongs on a field, not on the whole recipe. Move it down to the field it speaks of");
}

#[test]
fn an_unknown_key_of_a_recipe() {
    assert_snapshot!(recipe_with("bse = UniOpd", GOOD), @"
    1:1 `#[recipe]` does not know `bse`; did you mean `base`?
    it takes nothing, or `base = …` and `without(…)`
    ");
}

#[test]
fn a_recipe_has_no_loose_words() {
    assert_snapshot!(recipe_with("\"uni-opd\"", GOOD), @"1:1 `#[recipe]` takes nothing, or `base = …` and `without(…)`");
}

#[test]
fn a_key_of_a_recipe_given_twice() {
    assert_snapshot!(recipe_with("base = UniOpd, base = Dopd", GOOD), @"1:16 `base` is given twice in one `#[recipe]`. Keep one of the two");
}

#[test]
fn a_base_has_a_path() {
    assert_snapshot!(recipe_with("base", GOOD), @"1:1 `base` names the recipe to fork, as in `base = UniOpd`");
}

#[test]
fn without_names_stages() {
    assert_snapshot!(recipe_with("base = UniOpd, without", GOOD), @"1:16 `without` lists the stages to leave out, as in `without(calibrate)`");
}

#[test]
fn without_needs_a_base() {
    assert_snapshot!(recipe_with("without(calibrate)", GOOD), @"1:9 `without(…)` takes stages away from a base, and there is none. Give one with `base = …`, or leave the field out");
}
