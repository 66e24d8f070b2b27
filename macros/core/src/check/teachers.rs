//! Who teaches what: every prompt must have exactly one expert to hear.

use crate::messages;
use crate::model::{Recipe, Teacher};
use crate::report::Report;
use crate::spelling::spell;
use crate::stage::StageName;

/// A teacher's name is not a stage's.
pub fn named_apart_from_stages(recipe: &Recipe, report: &mut Report) {
    for teacher in &recipe.teachers {
        if StageName::named(&teacher.name.to_string()).is_some() {
            report.at(&teacher.name, messages::teacher_named_like_a_stage(&teacher.name));
        }
    }
}

/// A prompt of one domain cannot hear two experts.
pub fn one_teacher_a_domain(recipe: &Recipe, report: &mut Report) {
    for (place, teacher) in recipe.teachers.iter().enumerate() {
        let Some(domain) = &teacher.domain else { continue };
        let same = |other: &&Teacher| other.domain.as_ref().is_some_and(|path| spell(path) == spell(domain));
        if let Some(first) = recipe.teachers[..place].iter().find(same) {
            report.at(domain, messages::two_teachers_for_a_domain(&first.name, &teacher.name, domain));
        }
    }
}

/// Once one expert has a domain, an expert of the same kind without one teaches nobody in particular.
pub fn every_expert_has_a_domain(recipe: &Recipe, report: &mut Report) {
    for teacher in undomained(recipe) {
        let routed =
            recipe.teachers.iter().find(|other| other.domain.is_some() && other.kind == teacher.kind);
        if let Some(routed) = routed.filter(|_| teacher.kind.is_expert() && !teacher.broken) {
            report.at(&teacher.name, messages::expert_without_a_domain(&teacher.name, &routed.name));
        }
    }
}

/// The experts sit in one row, so they are of one kind.
pub fn experts_of_one_kind(recipe: &Recipe, report: &mut Report) {
    let mut experts = recipe.teachers.iter().filter(|teacher| teacher.domain.is_some());
    let Some(first) = experts.next() else { return };
    for teacher in experts.filter(|teacher| teacher.kind.may_have_a_domain()) {
        if teacher.method.spelled() != first.method.spelled() {
            report.at(&teacher.method.path, messages::experts_of_two_kinds(first, teacher));
        }
    }
}

/// What a teacher reads is part of its type, so the experts of one row are shown the same.
pub fn experts_read_the_same(recipe: &Recipe, report: &mut Report) {
    let mut experts = recipe.teachers.iter().filter(|teacher| teacher.domain.is_some() && !teacher.broken);
    let Some(first) = experts.next() else { return };
    for teacher in experts {
        if teacher.reads.as_ref().map(spell) != first.reads.as_ref().map(spell) {
            report.at(&teacher.name, messages::experts_read_differently(first, teacher));
        }
    }
}

/// A token can be judged by one voice or by two; the experts together are one.
pub fn two_voices_at_most(recipe: &Recipe, report: &mut Report) {
    if recipe.teachers.iter().any(|teacher| teacher.broken) {
        return;
    }
    let experts = recipe.teachers.iter().any(|teacher| teacher.domain.is_some());
    let room = if experts { 1 } else { 2 };
    let alone = |teacher: &&Teacher| {
        !(experts && recipe.teachers.iter().any(|other| other.domain.is_some() && other.kind == teacher.kind))
    };
    for teacher in undomained(recipe).filter(alone).skip(room) {
        report.at(&teacher.name, messages::too_many_voices(&teacher.name, experts));
    }
}

fn undomained(recipe: &Recipe) -> impl Iterator<Item = &Teacher> {
    recipe.teachers.iter().filter(|teacher| teacher.domain.is_none())
}
