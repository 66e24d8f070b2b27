//! The learning rate over the steps of a run.

use serde::{Deserialize, Serialize};

/// How the learning rate goes on after the warm-up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Schedule {
    /// It stays.
    #[default]
    Constant,
    /// It falls along half a cosine, to zero at the end of the run.
    Cosine,
}

impl Schedule {
    /// The share of the full learning rate at `step` (from 0) of `steps`, after a linear warm-up over
    /// `warmup` steps: `min(1, (step + 1) / warmup)` times `½(1 + cos(π step / steps))` for the cosine.
    ///
    /// ```
    /// use limbeck::stages::step::Schedule;
    /// assert_eq!(Schedule::Constant.factor(0, 100, 5), 0.2);
    /// assert_eq!(Schedule::Constant.factor(50, 100, 5), 1.0);
    /// assert!((Schedule::Cosine.factor(50, 100, 5) - 0.5).abs() < 1e-12);
    /// ```
    pub fn factor(self, step: u64, steps: u64, warmup: u64) -> f64 {
        let warm = if warmup == 0 { 1.0 } else { ((step + 1) as f64 / warmup as f64).min(1.0) };
        match self {
            Self::Constant => warm,
            Self::Cosine => {
                let done = step as f64 / steps.max(1) as f64;
                warm * 0.5 * (1.0 + (std::f64::consts::PI * done.min(1.0)).cos())
            }
        }
    }
}
