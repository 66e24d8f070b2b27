//! REOPOLD, arXiv 2603.11137: rewards with a floor; at first without the tokens under it, later only
//! where the student is uncertain. One entry a token of the scope.

use super::prune::keep_top;

/// The floor `(log λ)/(1−λ)` of the rewards (eq 7); for `λ` in (0, 1), the paper's 0.1 gives −2.56.
///
/// It is the reward `R = log q/s` against a teacher mixed with the student, `log(λ + (1−λ)·q/s)/(1−λ)`,
/// where the teacher finds the token impossible. It is not `log(λ/(1−λ))`, as some have read it.
///
/// ```
/// assert!((limbeck::stages::route::reopold::floor(0.1) + 2.558427881).abs() < 1e-9);
/// ```
pub fn floor(lambda: f64) -> f64 {
    lambda.ln() / (1.0 - lambda)
}

/// `R̂ = max(R, floor)` (eq 7); a constant for the gradient, like `R` itself.
///
/// ```
/// assert_eq!(limbeck::stages::route::reopold::clipped(&[-3.0, 0.5], -2.5), [-2.5, 0.5]);
/// ```
pub fn clipped(rewards: &[f64], floor: f64) -> Vec<f64> {
    rewards.iter().map(|reward| reward.max(floor)).collect()
}

/// Which tokens are trained on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Phase {
    /// Those with `R ≥ floor` (eq 9): exploration, the first steps.
    Explore {
        /// The floor of the rewards.
        floor: f64,
    },
    /// The `ceil(share·n)` at which the student's entropy is highest (eq 10): refinement.
    Refine {
        /// The paper keeps 0.2.
        share: f64,
    },
}

impl Phase {
    /// The mask, from each token's reward and the student's entropy there.
    ///
    /// ```
    /// use limbeck::stages::route::reopold::Phase;
    /// let (rewards, entropies) = ([-3.0, 0.5, -0.2], [0.9, 0.1, 0.3]);
    /// assert_eq!(Phase::Explore { floor: -2.5 }.keep(&rewards, &entropies), [false, true, true]);
    /// assert_eq!(Phase::Refine { share: 0.2 }.keep(&rewards, &entropies), [true, false, false]);
    /// ```
    pub fn keep(self, rewards: &[f64], entropies: &[f64]) -> Vec<bool> {
        match self {
            Self::Explore { floor } => rewards.iter().map(|&reward| reward >= floor).collect(),
            Self::Refine { share } => keep_top(entropies, share),
        }
    }
}
