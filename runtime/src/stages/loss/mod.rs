//! `loss`: the traced student against what the teachers said, on the student's own tokens.
//!
//! A loss is written once, for one token, in either precision: training runs it in `f32` over traced
//! logits, replay in `f64` over recorded ones.

mod cross_entropy;
pub(crate) mod described;
pub mod divergence;
mod divergences;
pub mod dopd;
mod entropy_gated;
pub mod eopd;
pub mod estimator;
pub mod grpo;
pub mod importance;
mod jsd_to_both;
pub mod policy;
mod policy_gradient;
mod routed;
pub mod row;
mod sampled_kl;
pub mod top_k;
mod traced;

pub use cross_entropy::CrossEntropy;
pub use divergence::Divergence;
pub use divergences::{ForwardKl, Full, Jsd, ReverseKl, TopK, UpTo};
pub use entropy_gated::EntropyGated;
pub use estimator::Estimator;
pub use jsd_to_both::JsdToBoth;
pub use policy_gradient::PolicyGradient;
pub use routed::Routed;
pub use sampled_kl::SampledKl;
pub use top_k::{Support, Tail};

use crate::batch;
use crate::capability::Signal;
use crate::error::Result;
use crate::kernels::token_loss::Described;
use crate::log::Log;
use crate::real::Real;
use crate::replay::{Recorded, Replay};
use crate::stages::loss::row::StudentRow;
use crate::tensor::Grads;
use crate::world::pinned::{narrow_enough, TOO_WIDE};
use crate::world::{Vocabulary, World};

/// What a loss found at one token.
#[derive(Clone, Copy, Debug, Default)]
pub struct TokenLoss {
    /// The loss, with the weight that the loss itself gives the token and before the routed one.
    pub loss: f64,
    /// The weight that the loss itself gave the token, already in `loss`; 1 when it gives none.
    pub weight: Option<f64>,
    /// Whether the token was masked out of the loss.
    pub masked: bool,
    /// The probability that student and teacher put on the tokens compared, when not all were.
    pub masses: Option<(f64, f64)>,
}

/// A method of the `loss` stage, for a signal `S`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a loss",
    label = "not a method of the stage `loss`",
    note = "methods of `loss`: PolicyGradient, ReverseKl, ForwardKl, Jsd, JsdToBoth, Routed, EntropyGated, SampledKl, CrossEntropy, or a type of yours with `impl Loss<S>`"
)]
pub trait Loss<S: Signal>: Clone + Send + Sync + 'static {
    /// The narrowest vocabulary this loss can be computed on.
    const NEEDS_VOCABULARY: usize = 1;

    /// Whether the loss compares the student's whole distribution, so that a recording needs logits.
    const WHOLE_ROWS: bool;

    /// The loss of token `t` of response `i`; its gradient is pushed into `student`.
    fn token<R: Real>(&self, signal: &S, i: usize, t: usize, student: &mut StudentRow<'_, R>) -> TokenLoss;

    /// The same loss in numbers, for a device that works it out where the logits are. Without it such a device asks
    /// [`Loss::token`] for every row, through the host, which is right and slow; the CPU never looks at it.
    /// `sampled` is the token that was sampled at `t`.
    fn described<'a>(&self, _signal: &'a S, _i: usize, _t: usize, _sampled: usize) -> Option<Described<'a>> {
        None
    }

    /// Adds the gradient of this part of the batch to `grads`.
    ///
    /// # Errors
    /// A loss that is not finite; the batch is saved first.
    fn backward<W: World>(
        &self,
        world: &W,
        micro: &batch::Routed<S>,
        grads: Grads<W::Device>,
        log: &mut Log,
    ) -> Result<Grads<W::Device>> {
        const {
            assert!(narrow_enough(Self::NEEDS_VOCABULARY, W::Vocabulary::SIZE), "{}", TOO_WIDE);
        }
        traced::backward(self, world, micro, grads, log)
    }

    /// The loss of every recorded response.
    ///
    /// # Errors
    /// A recording that lacks what the loss needs.
    fn replay(&self, recorded: &Recorded, routed: batch::Routed<S>) -> Result<Replay> {
        crate::replay::replay(self, recorded, &routed)
    }
}
