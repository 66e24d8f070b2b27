//! What the built-in losses say of themselves to a device that works them out where the logits are.

use super::divergence::Divergence;
use super::top_k::{Support, Tail, Truncation};
use crate::kernels::token_loss::{Among, Described, Kind, Own, Part, Rest, Teacher, Tells};
use crate::signal::Target;

/// A row without any loss, to be filled in; who asks fills in the token.
pub(crate) fn nothing<'a>() -> Described<'a> {
    Described {
        sampled: 0,
        old: None,
        importance_clip: f32::INFINITY,
        own: Own::Nothing,
        parts: Vec::new(),
        tells: Tells::default(),
    }
}

/// A row whose loss is the sampled token's own.
pub(crate) fn own<'a>(own: Own) -> Described<'a> {
    Described { own, ..nothing() }
}

impl Divergence {
    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::ForwardKl => Kind::ForwardKl,
            Self::ReverseKl => Kind::ReverseKl,
            Self::Jsd { beta } => Kind::Jsd { beta: beta as f32 },
        }
    }
}

/// A comparison with what is at hand of a teacher. Of tokens that were kept of it, as many of the student's likeliest
/// are looked at as the truncation says.
pub(crate) fn part<'a>(
    divergence: Divergence,
    how: Truncation,
    target: Target<'a, f32>,
    weight: f64,
) -> Part<'a> {
    let rest = match how.tail {
        Tail::Renormalise => Rest::Renormalise,
        Tail::Bucket => Rest::Bucket,
        Tail::Drop => Rest::Drop,
    };
    let (teacher, rest) = match target {
        Target::Row(row) => match how.support {
            Support::Sampled => (Teacher::Row(row, Among::Sampled), rest),
            _ if how.k >= row.len() => (Teacher::Row(row, Among::All), Rest::Renormalise),
            Support::Student => (Teacher::Row(row, Among::Student(how.k)), rest),
            Support::Teacher => (Teacher::Row(row, Among::Teacher(how.k)), rest),
            Support::Union => (Teacher::Row(row, Among::Union(how.k)), rest),
        },
        Target::On(ids, some) => {
            let narrow = if how.k < ids.len() { how.k } else { 0 };
            let ids = ids.into_iter().map(|id| id as u32).collect();
            (Teacher::Some { ids, values: some.logits, rest: some.rest, narrow }, rest)
        }
    };
    Part {
        kind: divergence.kind(),
        teacher,
        rest,
        weight: weight as f32,
        weighed: false,
        gate: f32::NEG_INFINITY,
    }
}
