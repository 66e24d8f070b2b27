//! What a kind of teacher may do: a table, and the rules that read it.

use crate::messages;
use crate::model::{Recipe, Teacher};
use crate::report::Report;
use crate::spelling::spell;

/// A kind of teacher, by the last word of its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Frozen,
    Own,
    /// The student once more, said in words, beside its hindsight.
    SameWeights,
    Ema,
    Start,
    Remote,
    /// A kind of the user's own.
    Other,
}

impl Kind {
    /// The kind this type names.
    #[must_use]
    pub fn of(word: &str) -> Self {
        match word {
            "Frozen" => Self::Frozen,
            "Own" => Self::Own,
            "SameWeights" => Self::SameWeights,
            "Ema" => Self::Ema,
            "Start" => Self::Start,
            "Remote" => Self::Remote,
            _ => Self::Other,
        }
    }

    /// What it is, in words, where it is the student in some shape.
    #[must_use]
    pub const fn shape_of_student(self) -> Option<&'static str> {
        match self {
            Self::Own | Self::SameWeights => Some("the student itself"),
            Self::Ema => Some("the student's own running average"),
            Self::Start => Some("the student as it was at the start"),
            Self::Frozen | Self::Remote | Self::Other => None,
        }
    }

    /// It learns along with the student, so only what it reads can set it apart.
    #[must_use]
    pub const fn is_self(self) -> bool {
        matches!(self, Self::Own | Self::SameWeights | Self::Ema)
    }

    /// It knows something the student does not.
    #[must_use]
    pub const fn is_expert(self) -> bool {
        matches!(self, Self::Frozen | Self::Remote)
    }

    /// It can be the expert of one domain.
    #[must_use]
    pub const fn may_have_a_domain(self) -> bool {
        !matches!(self, Self::Start)
    }
}

/// The student can teach the student only by reading more than the student.
pub fn a_self_teacher_reads_more(recipe: &Recipe, report: &mut Report) {
    for teacher in &recipe.teachers {
        if teacher.kind.is_self() && teacher.reads.is_none() && !teacher.broken {
            report.at(&teacher.name, messages::self_teacher_reads_nothing(&teacher.name, teacher.kind));
        }
    }
}

/// The student's start is what scores are compared with, in every domain.
pub fn no_domain_for_the_start(recipe: &Recipe, report: &mut Report) {
    for teacher in recipe.teachers.iter().filter(|teacher| !teacher.kind.may_have_a_domain()) {
        if let Some(domain) = &teacher.domain {
            report.at(domain, messages::domain_for_the_start(&teacher.name));
        }
    }
}

/// Where two voices are weighed against each other, they must have read the same.
pub fn a_pair_reads_the_same(recipe: &Recipe, report: &mut Report) {
    let [first, second] = recipe.teachers.as_slice() else { return };
    let hindsight = |teacher: &Teacher| teacher.kind.is_self() && teacher.kind != Kind::SameWeights;
    let (own, other) = if hindsight(first) { (first, second) } else { (second, first) };
    let pair = hindsight(own) && !hindsight(other) && other.kind != Kind::Start;
    let whole = |teacher: &Teacher| teacher.domain.is_none() && !teacher.broken;
    if !(pair && whole(own) && whole(other)) {
        return;
    }
    let Some(reads) = &own.reads else { return };
    if other.kind.is_self() && other.reads.is_none() {
        return; // said already
    }
    if other.reads.as_ref().map(spell) != Some(spell(reads)) {
        report.at(&second.name, messages::pair_reads_differently(own, other, reads));
    }
}
