//! The sentences about forks. The base is called by its name: its fields stand in another file.

use std::fmt::Display;

use syn::Ident;

use super::{did_you_mean, example, without};
use crate::stage::StageName;

pub fn without_not_names() -> String {
    "`without` lists fields of the base by name, with commas, as in `without(calibrate, route)`".to_owned()
}

pub fn its_own_base(name: &Ident) -> String {
    format!(
        "`{name}` cannot fork itself. Give the fork a name of its own, or name another recipe in `base = …`; \
         a recipe of the same name elsewhere is named by its full path"
    )
}

pub fn called_by_hand() -> String {
    "`__fork!` is the middle of `#[recipe(base = …)]`, and no use by itself. Write the attribute above a struct"
        .to_owned()
}

pub fn changes_nothing(fork: &Ident, base: &str) -> String {
    format!(
        "`{fork}` changes nothing of `{base}`. Give it a field, as in `step: _` under `#[with(…)]`, \
         leave something out with `without(…)`, or use `{base}` itself"
    )
}

pub fn field_twice(name: &Ident) -> String {
    format!("`{name}` is there twice. Keep one of the two")
}

pub fn misspelt_teacher(name: &Ident, base: &str, near: &str) -> String {
    format!("`{name}` is no stage, and `{base}` has no such teacher; did you mean `{near}`?")
}

pub fn no_stage_to_keep(stage: StageName, base: &str) -> String {
    let (name, field) = (stage.as_str(), example(stage));
    format!(
        "`{base}` has no `{name}`, so there is no method for `_` to keep. Name one, for example `{field}`"
    )
}

pub fn no_teacher_to_keep(name: &Ident, base: &str, near: Option<&str>) -> String {
    match near {
        Some(near) => format!("`{base}` has no teacher `{name}`; did you mean `{near}`?"),
        None => format!(
            "`{base}` has no teacher `{name}`, so there is no kind for `_` to keep. Name one, for example \
             `{name}: Frozen`"
        ),
    }
}

pub fn keeps_and_changes_nothing(name: &Ident, base: &str, teacher: bool) -> String {
    let how = if teacher { "`#[teacher(…)]` or `#[with(…)]`" } else { "`#[with(…)]`" };
    format!(
        "`{name}: _` keeps what `{base}` has and changes nothing. Say in {how} what is different, or leave it out"
    )
}

pub fn value_as_before(name: &impl Display, value: &str, base: &str) -> String {
    format!("`{name}` is {value} in `{base}` already. Give it another value, or leave it out")
}

pub fn field_as_before(name: &Ident, method: &str, base: &str) -> String {
    format!(
        "`{name}` is {method} with the same settings in `{base}` already. Change something, or leave it out"
    )
}

pub fn left_out_twice(name: &Ident) -> String {
    format!("`{name}` is left out twice. Say it once")
}

pub fn left_out_and_given(name: &Ident) -> String {
    format!(
        "`{name}` is left out and given. A field takes the place of what the base has: \
         take `{name}` out of `without(…)`, or drop the field"
    )
}

pub fn nothing_to_leave_out(name: &Ident, base: &str, near: Option<&str>, has: &str) -> String {
    let near = did_you_mean(near);
    format!("`{base}` has no `{name}` to leave out{near}\nit has, in order: {has}")
}

pub fn required_left_out(fork: &Ident, stage: StageName) -> String {
    let (name, why, field) = (stage.as_str(), without(stage), example(stage));
    format!(
        "`{fork}` cannot leave `{name}` out: {why}. Give it another method instead, for example `{field}`, \
         and take it out of `without(…)`"
    )
}

pub fn from_the_base(names: &[&str], base: &str) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.as_slice() {
        [one] => format!("{one} comes from `{base}`"),
        [most @ .., last] => format!("{} and {last} come from `{base}`", most.join(", ")),
        [] => String::new(),
    }
}
