use std::borrow::Cow;
use std::sync::Arc;

use crate::real::Real;
use crate::stages::loss::top_k::Gathered;

/// What is held of a policy over one response, in the precision it was made in.
#[derive(Clone, Debug)]
pub enum Rows {
    /// From a model: `[T * V]`.
    F32(Arc<[f32]>),
    /// From a recording: `[T * V]`.
    F64(Arc<[f64]>),
    /// From a model: of some tokens only a part of the row.
    Cut32(Arc<[Kept<f32>]>),
    /// From a recording: of some tokens only a part of the row.
    Cut64(Arc<[Kept<f64>]>),
}

/// What is held at one token.
#[derive(Clone, Debug)]
pub enum Kept<R> {
    /// The row: `[V]`.
    Whole(Box<[R]>),
    /// The log-probabilities of these tokens (ascending) and of all others together.
    On(Box<[u32]>, Gathered<R>),
}

/// What a loss is given of the policy that a token learns from.
#[derive(Clone, Debug)]
pub enum Target<'a, R: Real> {
    /// Its row: `[V]`.
    Row(Cow<'a, [R]>),
    /// Its log-probabilities of these tokens (ascending) and of all others together.
    On(Vec<usize>, Gathered<R>),
}

impl<R: Real> Kept<R> {
    /// These tokens (ascending) of a row.
    pub fn on(row: &[R], ids: &[usize]) -> Self {
        Self::On(ids.iter().map(|&id| id as u32).collect(), Gathered::of(row, ids))
    }

    /// The tokens that are held; none of a whole row.
    pub fn ids(&self) -> Option<Vec<usize>> {
        match self {
            Self::Whole(_) => None,
            Self::On(ids, _) => Some(ids.iter().map(|&id| id as usize).collect()),
        }
    }

    fn log_prob(&self, id: u32) -> f64 {
        match self {
            Self::Whole(row) => row[id as usize].f64(),
            Self::On(ids, some) => ids.binary_search(&id).map_or(f64::NAN, |at| some.logits[at].f64()),
        }
    }

    fn row<'a, S: Real>(&'a self, width: usize, view: impl Fn(&'a [R]) -> Cow<'a, [S]>) -> Cow<'a, [S]> {
        match self {
            Self::Whole(row) => view(row),
            Self::On(..) => vec![S::nan(); width].into(),
        }
    }

    fn target<'a, S: Real>(&'a self, view: impl Fn(&'a [R]) -> Cow<'a, [S]>) -> Target<'a, S> {
        match self {
            Self::Whole(row) => Target::Row(view(row)),
            Self::On(ids, some) => {
                let logits = some.logits.iter().map(|x| S::of(x.f64())).collect();
                let some = Gathered { logits, rest: S::of(some.rest.f64()) };
                Target::On(ids.iter().map(|&id| id as usize).collect(), some)
            }
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Whole(row) => size_of_val(&**row),
            Self::On(ids, some) => {
                size_of_val(&**ids) + size_of_val(&some.logits[..]) + size_of_val(&some.rest)
            }
        }
    }
}

impl Rows {
    /// The row of token `t`: `[V]`. Of a row that was cut nobody can say more than is held: it is not a
    /// number anywhere.
    pub fn row<R: Real>(&self, width: usize, t: usize) -> Cow<'_, [R]> {
        let span = t * width..(t + 1) * width;
        match self {
            Self::F32(rows) => R::view32(&rows[span]),
            Self::F64(rows) => R::view64(&rows[span]),
            Self::Cut32(kept) => kept[t].row(width, R::view32),
            Self::Cut64(kept) => kept[t].row(width, R::view64),
        }
    }

    /// What is held at token `t`.
    pub fn target<R: Real>(&self, width: usize, t: usize) -> Target<'_, R> {
        match self {
            Self::F32(_) | Self::F64(_) => Target::Row(self.row(width, t)),
            Self::Cut32(kept) => kept[t].target(R::view32),
            Self::Cut64(kept) => kept[t].target(R::view64),
        }
    }

    /// The log-probability of token `id` at token `t`; not a number if it is not held.
    pub fn log_prob(&self, width: usize, t: usize, id: u32) -> f64 {
        let at = t * width + id as usize;
        match self {
            Self::F32(rows) => f64::from(rows[at]),
            Self::F64(rows) => rows[at],
            Self::Cut32(kept) => kept[t].log_prob(id),
            Self::Cut64(kept) => kept[t].log_prob(id),
        }
    }

    /// How much memory the numbers take.
    pub fn bytes(&self) -> usize {
        match self {
            Self::F32(rows) => size_of_val(&**rows),
            Self::F64(rows) => size_of_val(&**rows),
            Self::Cut32(kept) => kept.iter().map(Kept::bytes).sum(),
            Self::Cut64(kept) => kept.iter().map(Kept::bytes).sum(),
        }
    }
}
