use crate as limbeck;
use crate::capability::Rewards;
use crate::check::{Facts, Fault};
use crate::kernels::token_loss::{Described, Own, Tells};
use crate::real::Real;
use crate::stages::loss::described::own;
use crate::stages::loss::policy::PolicyToken;
use crate::stages::loss::row::StudentRow;
use crate::stages::loss::{Loss, TokenLoss};
use limbeck::Settings;

/// The clipped policy gradient on token rewards, exactly as Uni-OPD's release computes it: the mean
/// over each response first, then over responses; tokens on which student and teacher differ by
/// `gap_mask` nats or more add nothing but still count in the mean.
#[derive(Clone, Debug, Settings)]
#[settings(check = check)]
pub struct PolicyGradient {
    /// The ratio to the sampling student is held above `1 − clip_low`.
    #[setting(default = 0.2)]
    pub clip_low: f64,
    /// The ratio to the sampling student is held below `1 + clip_high`.
    #[setting(default = 0.28)]
    pub clip_high: f64,
    /// Tokens with a gap of so many nats or more to the teacher are masked; `inf` masks none.
    #[setting(default = 10.0)]
    pub gap_mask: f64,
}

const fn check(method: &PolicyGradient, facts: &Facts) -> Option<Fault> {
    if !(method.clip_low >= 0.0 && method.clip_low <= 1.0) {
        return fault("clip_low", "`clip_low` holds the ratio above 1 − clip_low: from 0 to 1");
    }
    if !(method.clip_high >= 0.0) {
        return fault("clip_high", "`clip_high` holds the ratio below 1 + clip_high: 0 or above");
    }
    if !(method.gap_mask > 0.0) {
        return fault("gap_mask", "`gap_mask` is a gap in nats above which tokens are masked: at 0 every token is (`inf` masks none)");
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

impl<S: Rewards> Loss<S> for PolicyGradient {
    const WHOLE_ROWS: bool = false;

    fn token<R: Real>(&self, signal: &S, i: usize, t: usize, student: &mut StudentRow<'_, R>) -> TokenLoss {
        let at = PolicyToken {
            old: R::of(signal.student(i, t)),
            new: student.log_prob(),
            teacher: signal.teacher(i, t).map(R::of),
            advantage: R::of(signal.reward(i, t)),
            clip_low: R::of(self.clip_low),
            clip_high: R::of(self.clip_high),
            gap_mask: R::of(self.gap_mask),
        }
        .loss();
        student.push_log_prob(at.slope);
        TokenLoss { loss: at.loss.f64(), masked: at.masked, ..TokenLoss::default() }
    }

    fn described<'a>(&self, signal: &'a S, i: usize, t: usize, _: usize) -> Option<Described<'a>> {
        let clipped = own(Own::Clipped {
            old: f32::of(signal.student(i, t)),
            teacher: signal.teacher(i, t).map(f32::of),
            advantage: f32::of(signal.reward(i, t)),
            clip_low: f32::of(self.clip_low),
            clip_high: f32::of(self.clip_high),
            gap_mask: f32::of(self.gap_mask),
        });
        Some(Described { tells: Tells { masked: true, ..Tells::default() }, ..clipped })
    }
}
