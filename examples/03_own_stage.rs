//! A method of your own: a loss that Limbeck does not have, checked and settable like a built-in one.
//!
//! ```text
//! cargo run --release --example 03_own_stage -- show Skewed
//! cargo run --release --example 03_own_stage -- train examples/runs/own_stage.ron --set loss.skew=0.3
//! ```

use std::process::ExitCode;

use limbeck::capability::Distributions;
use limbeck::prelude::*;
use limbeck::real::Real;
use limbeck::stages::loss::divergence::Divergence;
use limbeck::stages::loss::row::StudentRow;
use limbeck::stages::loss::{Loss, TokenLoss};
use limbeck::{Entry, Facts, Fault};

/// Part forward, part reverse KL: `skew · KL(q‖s) + (1 − skew) · KL(s‖q)`.
#[derive(Clone, Debug, Settings)]
#[settings(check = check)]
pub struct MixedKl {
    /// The share of the forward KL.
    #[setting(default = 0.5)]
    pub skew: f64,
}

/// The same sentence for a literal in `#[with]` (at compile time) and for a run file (when it is read).
const fn check(method: &MixedKl, _: &Facts) -> Option<Fault> {
    if method.skew >= 0.0 && method.skew <= 1.0 {
        return None;
    }
    Some(Fault {
        stage: "loss",
        field: "skew",
        says: "`skew` is a share: from 0 (reverse KL) to 1 (forward KL)",
    })
}

/// One token, in either precision: training and replay run the same lines.
impl<S: Distributions> Loss<S> for MixedKl {
    const WHOLE_ROWS: bool = true;

    fn token<R: Real>(&self, signal: &S, i: usize, t: usize, student: &mut StudentRow<'_, R>) -> TokenLoss {
        let teacher = signal.teacher_row::<R>(i, t);
        let parts = [(Divergence::ForwardKl, self.skew), (Divergence::ReverseKl, 1.0 - self.skew)];
        let loss = parts.map(|(divergence, share)| {
            let value = divergence.push(student, &teacher, R::of(share));
            share * value.map_or(f64::NAN, Real::f64)
        });
        TokenLoss { loss: loss.iter().sum(), ..TokenLoss::default() }
    }
}

/// A teacher heard through a loss of one's own.
#[recipe]
pub struct Skewed {
    #[teacher]
    teacher: Frozen,

    data: Prompts,
    #[with(group_size = 8, max_response_tokens = 32)]
    rollout: Sample,
    score: FullVocab,
    #[with(skew = 0.25)]
    loss: MixedKl,
    #[with(lr = 6e-4, warmup = 5, schedule = Schedule::Cosine)]
    step: AdamW,
}

fn main() -> ExitCode {
    const RECIPES: &[Entry] = &[Entry::of::<Skewed>()];
    limbeck::main(RECIPES)
}
