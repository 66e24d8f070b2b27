//! What a fork may say of its base.

use syn::ext::IdentExt;
use syn::Ident;

use super::order;
use crate::inherit::{self, Fork};
use crate::messages::forks as messages;
use crate::model::{Meant, Recipe};
use crate::report::Report;
use crate::spelling::spell;
use crate::stage::{Absent, StageName};
use crate::suggest;
use crate::syntax::{Field, Setting, Written};

type ForkRule = fn(&Fork<'_>, &mut Report);

/// One rule, one function, one sentence.
const RULES: [ForkRule; 12] = [
    changes_something,
    no_field_twice,
    no_strangers,
    keeps_what_is_there,
    keeps_and_changes,
    no_setting_as_before,
    no_field_as_before,
    nothing_left_out_twice,
    left_out_or_given,
    leaves_out_what_is_there,
    leaves_a_whole_loop,
    in_loop_order,
];

/// Runs every rule of forks.
pub fn all(fork: &Fork<'_>, report: &mut Report) {
    for rule in RULES {
        rule(fork, report);
    }
}

/// A recipe cannot bring its own fields: nobody would be there to be asked.
pub fn not_its_own_base(own: &Written, report: &mut Report) {
    let Some(base) = &own.base else { return };
    let words: Vec<&Ident> = base.path.segments.iter().map(|part| &part.ident).collect();
    let name = match words.as_slice() {
        [name] => Some(*name),
        [here, name] if *here == "self" => Some(*name),
        _ => None,
    };
    if base.path.leading_colon.is_none() && name == Some(&own.item.ident) {
        report.at(&base.path, messages::its_own_base(&own.item.ident));
    }
}

fn changes_something(fork: &Fork<'_>, report: &mut Report) {
    if fork.own.fields.is_empty() && fork.says.without.is_empty() {
        report.at(&fork.own.item.ident, messages::changes_nothing(&fork.own.item.ident, &fork.base_name()));
    }
}

fn no_field_twice(fork: &Fork<'_>, report: &mut Report) {
    for (place, field) in fork.own.fields.iter().enumerate() {
        if fork.own.fields[..place].iter().any(|other| other.name == field.name) {
            report.at(&field.name, messages::field_twice(&field.name));
        }
    }
}

/// A field is a stage, a teacher by its attribute, or one that the base has.
fn no_strangers(fork: &Fork<'_>, report: &mut Report) {
    for field in fork.own.fields.iter().filter(|field| field.teacher.is_none() && field.stage().is_none()) {
        let (name, base) = (&field.name, fork.base.field(&field.name));
        if base.is_some() && field.keeps() {
            continue;
        }
        let meant = if base.is_some() { Meant::Teacher } else { Meant::of(field) };
        let near = near(name, fork.base.fields.iter().filter(|field| field.teacher.is_some()));
        report.at(
            name,
            match (meant, near) {
                (Meant::Unknown, Some(near)) => messages::misspelt_teacher(name, &fork.base_name(), &near),
                _ => meant.says(name),
            },
        );
    }
}

fn keeps_what_is_there(fork: &Fork<'_>, report: &mut Report) {
    for own in fork.own.fields.iter().filter(|own| own.keeps() && fork.base.field(&own.name).is_none()) {
        let base = fork.base_name();
        match own.stage() {
            Some(stage) => report.at(&own.name, messages::no_stage_to_keep(stage, &base)),
            None if own.teacher.is_some() => {
                let near = near(&own.name, fork.base.fields.iter().filter(|field| field.teacher.is_some()));
                report.at(&own.name, messages::no_teacher_to_keep(&own.name, &base, near.as_deref()));
            }
            None => {} // a stranger
        }
    }
}

fn keeps_and_changes(fork: &Fork<'_>, report: &mut Report) {
    for (own, base) in fork.kept() {
        let words = own.teacher.as_ref();
        let changed = words.is_some_and(|words| words.domain.is_some() || words.reads.is_some());
        if own.with.is_empty() && own.says().is_none() && !changed {
            let teacher = base.teacher.is_some();
            report.at(&own.name, messages::keeps_and_changes_nothing(&own.name, &fork.base_name(), teacher));
        }
    }
}

fn no_setting_as_before(fork: &Fork<'_>, report: &mut Report) {
    for (own, base) in fork.kept() {
        for setting in own.with.iter().filter(|setting| base.with.iter().any(|known| same(known, setting))) {
            let says = messages::value_as_before(&setting.name, &spell(&setting.value), &fork.base_name());
            report.at(&setting.value, says);
        }
        let (Some(own), Some(base)) = (&own.teacher, &base.teacher) else { continue };
        for (key, own, base) in [("domain", &own.domain, &base.domain), ("reads", &own.reads, &base.reads)] {
            if let Some(value) = own.as_ref().filter(|_| own.as_ref().map(spell) == base.as_ref().map(spell))
            {
                report.at(value, messages::value_as_before(&key, &spell(value), &fork.base_name()));
            }
        }
    }
}

fn no_field_as_before(fork: &Fork<'_>, report: &mut Report) {
    for own in fork.own.fields.iter().filter(|own| !own.keeps()) {
        if fork.base.field(&own.name).is_some_and(|base| alike(own, base)) {
            report.at(&own.name, messages::field_as_before(&own.name, &spell(&own.ty), &fork.base_name()));
        }
    }
}

fn nothing_left_out_twice(fork: &Fork<'_>, report: &mut Report) {
    for (place, out) in fork.says.without.iter().enumerate() {
        if fork.says.without[..place].contains(out) {
            report.at(out, messages::left_out_twice(out));
        }
    }
}

fn left_out_or_given(fork: &Fork<'_>, report: &mut Report) {
    for out in fork.says.without.iter().filter(|out| fork.own.field(out).is_some()) {
        report.at(out, messages::left_out_and_given(out));
    }
}

fn leaves_out_what_is_there(fork: &Fork<'_>, report: &mut Report) {
    for out in &fork.says.without {
        if fork.base.field(out).is_none() && fork.own.field(out).is_none() {
            let near = near(out, fork.base.fields.iter());
            let names: Vec<String> =
                fork.base.fields.iter().map(|field| field.name.unraw().to_string()).collect();
            let says =
                messages::nothing_to_leave_out(out, &fork.base_name(), near.as_deref(), &names.join(", "));
            report.at(out, says);
        }
    }
}

fn leaves_a_whole_loop(fork: &Fork<'_>, report: &mut Report) {
    for out in fork.says.without.iter().filter(|out| fork.own.field(out).is_none()) {
        let stage = StageName::named(&out.unraw().to_string());
        if let Some(stage) = stage.filter(|stage| stage.absent() == Absent::Refused)
            && fork.base.field(out).is_some()
        {
            report.at(out, messages::required_left_out(&fork.own.item.ident, stage));
        }
    }
}

/// What a fork says itself also reads in the order the loop runs.
fn in_loop_order(fork: &Fork<'_>, report: &mut Report) {
    if let Some(written) = report.is_clean().then(|| inherit::as_ordered(fork)).flatten() {
        let own = Recipe::new(written, &mut Report::default());
        order::teachers_first(&own, report);
        order::stages_in_loop_order(&own, report);
    }
}

/// Same type, same settings in any order, the same words about a teacher, and none to say in the loop.
fn alike(one: &Field, other: &Field) -> bool {
    let words = |field: &Field| {
        field
            .teacher
            .as_ref()
            .map(|words| (words.domain.as_ref().map(spell), words.reads.as_ref().map(spell)))
    };
    spell(&one.ty) == spell(&other.ty)
        && words(one) == words(other)
        && (one.says().is_none() || one.says() == other.says())
        && one.with.len() == other.with.len()
        && one.with.iter().all(|setting| other.with.iter().any(|known| same(known, setting)))
}

fn same(one: &Setting, other: &Setting) -> bool {
    one.name == other.name && spell(&one.value) == spell(&other.value)
}

fn near<'a>(name: &Ident, fields: impl Iterator<Item = &'a Field>) -> Option<String> {
    let names: Vec<String> = fields.map(|field| field.name.unraw().to_string()).collect();
    suggest::nearest(&name.unraw().to_string(), names.iter().map(String::as_str)).map(str::to_owned)
}
