//! The outcome advantage of GRPO (DeepSeekMath, arXiv 2402.03300, eq. for outcome supervision).

/// `A_i = (r_i − mean r) / (std r + 1e-6)` over the judged responses of one prompt, `r ∈ {0, 1}`,
/// `std` with `n − 1`. The unjudged get 0, and so does everyone in a group without a comparison:
/// fewer than two judged, or all judged alike.
///
/// ```
/// use limbeck::stages::loss::grpo::group_advantages;
/// let got = group_advantages(&[Some(true), Some(false), None]);
/// assert!((got[0] - 0.5 / (0.5f64.sqrt() + 1e-6)).abs() < 1e-12);
/// assert_eq!((got[1], got[2]), (-got[0], 0.0));
/// assert_eq!(group_advantages(&[Some(true), Some(true)]), [0.0, 0.0]);
/// ```
pub fn group_advantages(outcomes: &[Option<bool>]) -> Vec<f64> {
    let judged = outcomes.iter().flatten().count() as f64;
    let right = outcomes.iter().flatten().filter(|&&right| right).count() as f64;
    if right == 0.0 || right == judged {
        return vec![0.0; outcomes.len()];
    }
    let mean = right / judged;
    let squares = right * (1.0 - mean).powi(2) + (judged - right) * mean.powi(2);
    let std = (squares / (judged - 1.0)).sqrt();
    let advantage = |right: bool| (f64::from(u8::from(right)) - mean) / (std + 1e-6);
    outcomes.iter().map(|outcome| outcome.map_or(0.0, advantage)).collect()
}
