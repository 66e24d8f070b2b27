use crate as limbeck;
use crate::capability::Demonstration;
use crate::kernels::token_loss::{Described, Own};
use crate::real::Real;
use crate::stages::loss::described::own;
use crate::stages::loss::row::StudentRow;
use crate::stages::loss::{Loss, TokenLoss};
use limbeck::Settings;

/// `−log s(y_t)` of the demonstrated tokens: supervised fine-tuning.
#[derive(Clone, Debug, Settings)]
pub struct CrossEntropy {}

impl<S: Demonstration> Loss<S> for CrossEntropy {
    const WHOLE_ROWS: bool = false;

    fn token<R: Real>(&self, _: &S, _: usize, _: usize, student: &mut StudentRow<'_, R>) -> TokenLoss {
        let loss = -student.log_prob();
        student.push_log_prob(-R::one());
        TokenLoss { loss: loss.f64(), ..TokenLoss::default() }
    }

    fn described<'a>(&self, _: &'a S, _: usize, _: usize, _: usize) -> Option<Described<'a>> {
        Some(own(Own::CrossEntropy))
    }
}
