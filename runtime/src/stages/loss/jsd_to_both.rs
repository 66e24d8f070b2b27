use crate as limbeck;
use crate::capability::TwoVoices;
use crate::check::{Facts, Fault};
use crate::kernels::token_loss::Described;
use crate::real::Real;
use crate::signal::{Rows, Target};
use crate::stages::loss::described::{nothing, part};
use crate::stages::loss::divergence::Divergence;
use crate::stages::loss::row::StudentRow;
use crate::stages::loss::top_k::{Support, Tail, Truncation};
use crate::stages::loss::{Loss, TokenLoss};
use limbeck::Settings;

/// Every token learns from both voices: `w JSD_β(s, q_T) + (1−w) JSD_β(s, q_S)` over the whole
/// vocabulary, `q_T` the teacher, `q_S` the student's own hindsight, `w` the same at every token. What
/// routing is compared with: DOPD (arXiv 2606.30626), figure 3.
#[derive(Clone, Debug, Settings)]
#[settings(check = check)]
pub struct JsdToBoth {
    /// The teacher's share `w`; the hindsight has the rest.
    #[setting(default = 0.5)]
    pub teacher_share: f64,
    /// A voice's weight `β` in its mixture with the student; ½ is the plain Jensen-Shannon divergence.
    #[setting(default = 0.5)]
    pub beta: f64,
}

const fn check(method: &JsdToBoth, _: &Facts) -> Option<Fault> {
    if !(method.teacher_share >= 0.0 && method.teacher_share <= 1.0) {
        let says = "`teacher_share` is the teacher's part of every token's loss: from 0 to 1";
        return Some(Fault { stage: "loss", field: "teacher_share", says });
    }
    if !(method.beta > 0.0 && method.beta < 1.0) {
        let says = "at beta 0 or 1 the Jensen-Shannon divergence is zero for everyone: choose a beta between";
        return Some(Fault { stage: "loss", field: "beta", says });
    }
    None
}

impl<S: TwoVoices> Loss<S> for JsdToBoth {
    const WHOLE_ROWS: bool = true;

    fn token<R: Real>(&self, signal: &S, i: usize, t: usize, student: &mut StudentRow<'_, R>) -> TokenLoss {
        let voices =
            [(signal.teacher(i), self.teacher_share), (signal.hindsight(i), 1.0 - self.teacher_share)];
        let mut loss = 0.0;
        for (rows, share) in voices {
            let row = rows.row::<R>(signal.width(), t);
            let found = Divergence::Jsd { beta: self.beta }.push(student, &row, R::of(share));
            loss += share * found.map_or(f64::NAN, Real::f64);
        }
        TokenLoss { loss, ..TokenLoss::default() }
    }

    fn described<'a>(&self, signal: &'a S, i: usize, t: usize, _: usize) -> Option<Described<'a>> {
        let whole = Truncation { k: usize::MAX, support: Support::Student, tail: Tail::Renormalise };
        let voice = |rows: &'a Rows, share: f64| {
            let row = Target::Row(rows.row(signal.width(), t));
            part(Divergence::Jsd { beta: self.beta }, whole, row, share)
        };
        let share = self.teacher_share;
        let parts = vec![voice(signal.teacher(i), share), voice(signal.hindsight(i), 1.0 - share)];
        Some(Described { parts, ..nothing() })
    }
}
