//! Every sentence an author of a method can read from `#[derive(Settings)]`.

use syn::Ident;

pub fn not_a_struct(name: &Ident, what: &str) -> String {
    format!("a method is a struct whose fields are its settings; `{name}` is {what}. Make it a struct")
}

pub fn tuple_struct(name: &Ident) -> String {
    format!(
        "the settings of `{name}` have no names, so no recipe and no run file can set them. Name the fields"
    )
}

pub fn no_default(name: &Ident) -> String {
    format!("`{name}` has no default, so a recipe that does not set it has no value. Write `#[setting(default = …)]`")
}

pub fn generic_setting(name: &Ident, parameter: &Ident) -> String {
    format!(
        "`{name}` depends on the parameter `{parameter}`, and a setting's type is fixed: what scales a number is a \
         value, what shapes a tensor is a type. Give it a type of its own, or mark it `#[setting(skip)]`"
    )
}

pub fn unknown_setting_key(key: &Ident, near: Option<&str>) -> String {
    format!("`#[setting]` does not know `{key}`{}\nit takes `default = …` or `skip`", did_you_mean(near))
}

pub fn junk_in_setting() -> String {
    "`#[setting]` takes `default = …` or `skip`, as in `#[setting(default = 1.0)]`".to_owned()
}

pub fn unknown_settings_key(key: &Ident, near: Option<&str>) -> String {
    format!("`#[settings]` does not know `{key}`{}\nit takes `check = …` and `facts = …`", did_you_mean(near))
}

pub fn junk_in_settings() -> String {
    "`#[settings]` takes `check = …` and `facts = …`, each the path of a const fn".to_owned()
}

pub fn not_a_function(key: &Ident) -> String {
    format!("`{key}` names a const fn, as in `{key} = {key}_of_my_method`")
}

pub fn key_twice(attribute: &str, key: &Ident) -> String {
    format!("`{key}` is given twice in one `#[{attribute}]`. Keep one of the two")
}

fn did_you_mean(near: Option<&str>) -> String {
    near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default()
}
