use crate as limbeck;
use crate::capability::TeacherLogProbs;
use crate::check::{Facts, Fault};
use crate::kernels::token_loss::{Described, Own};
use crate::real::Real;
use crate::stages::loss::described::own;
use crate::stages::loss::estimator::Estimator;
use crate::stages::loss::row::StudentRow;
use crate::stages::loss::{Loss, TokenLoss};
use limbeck::Settings;

/// An estimate of the divergence from the sampled token alone, back-propagated as it stands.
/// `K1` is refused here: its gradient does not contain the teacher.
#[derive(Clone, Debug, Settings)]
#[settings(check = check)]
pub struct SampledKl {
    /// Which estimate.
    #[setting(default = Estimator::K2)]
    pub estimator: Estimator,
}

const fn check(method: &SampledKl, facts: &Facts) -> Option<Fault> {
    if matches!(method.estimator, Estimator::K1) {
        let says = "k1 back-propagated as a loss has no teacher in its gradient: deliver it as a reward with `loss: PolicyGradient`, or use K2 or K3";
        return Some(Fault { stage: "loss", field: "estimator", says });
    }
    if !facts.on_policy {
        let says = "an estimate from sampled tokens needs the student's own samples: use `rollout: Sample` with this loss";
        return Some(Fault { stage: "loss", field: "", says });
    }
    None
}

impl<S: TeacherLogProbs> Loss<S> for SampledKl {
    const WHOLE_ROWS: bool = false;

    fn token<R: Real>(&self, signal: &S, i: usize, t: usize, student: &mut StudentRow<'_, R>) -> TokenLoss {
        let (new, teacher) = (student.log_prob(), R::of(signal.teacher(i, t).unwrap_or_default()));
        student.push_log_prob(self.estimator.slope(new, teacher));
        TokenLoss { loss: self.estimator.value(new, teacher).f64(), ..TokenLoss::default() }
    }

    fn described<'a>(&self, signal: &'a S, i: usize, t: usize, _: usize) -> Option<Described<'a>> {
        let teacher = f32::of(signal.teacher(i, t).unwrap_or_default());
        Some(own(match self.estimator {
            Estimator::K1 => Own::K1 { teacher },
            Estimator::K2 => Own::K2 { teacher },
            Estimator::K3 => Own::K3 { teacher },
        }))
    }
}
