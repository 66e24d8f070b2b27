use std::marker::PhantomData;

use crate as limbeck;
use crate::capability::Distributions;
use crate::check::{Facts, Fault};
use crate::kernels::token_loss::{Among, Described, Kind, Own, Part, Rest, Teacher};
use crate::real::Real;
use crate::stages::loss::described::nothing;
use crate::stages::loss::divergences::Width;
use crate::stages::loss::eopd::{push, TeacherTop};
use crate::stages::loss::policy::{advantage, PolicyToken};
use crate::stages::loss::row::StudentRow;
use crate::stages::loss::{Loss, TokenLoss, TopK};
use limbeck::Settings;

/// The clipped sampled reverse KL at every token, and the forward KL on the teacher's top K as well where
/// the teacher itself is uncertain (EOPD, arXiv 2603.07079, Eqs. 7 to 10).
#[derive(Clone, Debug, Settings)]
#[settings(check = check)]
pub struct EntropyGated<W: Width = TopK<16>> {
    /// The teacher's entropy, in nats, above which the forward KL is added.
    #[setting(default = 0.8)]
    pub threshold: f64,
    /// The ratio to the sampling student is held above `1 − clip_low`.
    #[setting(default = 0.2)]
    pub clip_low: f64,
    /// The ratio to the sampling student is held below `1 + clip_high`.
    #[setting(default = 0.2)]
    pub clip_high: f64,
    /// How many of the teacher's likeliest tokens.
    #[setting(skip)]
    pub width: PhantomData<W>,
}

const fn check<W: Width>(method: &EntropyGated<W>, facts: &Facts) -> Option<Fault> {
    if !(method.threshold >= 0.0) {
        return fault("threshold", "an entropy is 0 or above (`inf` never adds the forward KL)");
    }
    if !(method.clip_low >= 0.0 && method.clip_low <= 1.0) {
        return fault("clip_low", "`clip_low` holds the ratio above 1 − clip_low: from 0 to 1");
    }
    if !(method.clip_high >= 0.0) {
        return fault("clip_high", "`clip_high` holds the ratio below 1 + clip_high: 0 or above");
    }
    if !facts.on_policy {
        return fault(
            "",
            "a policy gradient needs the student's own samples: use `rollout: Sample` with this loss",
        );
    }
    None
}

const fn fault(field: &'static str, says: &'static str) -> Option<Fault> {
    Some(Fault { stage: "loss", field, says })
}

impl<S: Distributions, W: Width> Loss<S> for EntropyGated<W> {
    const WHOLE_ROWS: bool = true;

    fn token<R: Real>(&self, signal: &S, i: usize, t: usize, student: &mut StudentRow<'_, R>) -> TokenLoss {
        let row = signal.teacher_row::<R>(i, t);
        // one update a rollout: the student that sampled is the student that learns
        let old = student.log_prob();
        let teacher = row.get(student.sampled()).copied().unwrap_or_else(R::neg_infinity);
        let token = PolicyToken {
            old,
            new: old,
            teacher: Some(teacher),
            advantage: advantage(teacher, old),
            clip_low: R::of(self.clip_low),
            clip_high: R::of(self.clip_high),
            gap_mask: R::infinity(),
        };
        let k = W::K.unwrap_or(row.len());
        let found = push(token, &TeacherTop::of(&row, k), R::of(self.threshold), student);
        TokenLoss { loss: found.map_or(f64::NAN, |found| found.value.f64()), ..TokenLoss::default() }
    }

    fn described<'a>(&self, signal: &'a S, i: usize, t: usize, sampled: usize) -> Option<Described<'a>> {
        let row = signal.teacher_row::<f32>(i, t);
        let teacher = row.get(sampled).copied().unwrap_or(f32::NEG_INFINITY);
        let among = match W::K {
            Some(k) if k < row.len() => Among::Teacher(k),
            _ => Among::All,
        };
        let forward = Part {
            kind: Kind::ForwardKl,
            teacher: Teacher::Row(row, among),
            rest: Rest::TeacherAlone,
            weight: 1.0,
            weighed: false,
            gate: f32::of(self.threshold),
        };
        Some(Described { own: Own::Pulled { teacher }, parts: vec![forward], ..nothing() })
    }
}
