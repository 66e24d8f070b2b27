//! VA-OPD, arXiv 2605.21924: responses and tokens count by how much the teacher's reading of them
//! depends on the image.

use super::prune::keep_top;

/// What keeps the spread of a group from being divided by when it is 0.
const EPSILON: f64 = 1e-6;

/// The visual advantage of a token, `VA = max(0, log q_orig(y) − log q_pix(y))`: what the teacher loses
/// when the image is pixelated; 0 where the two agree, also that it is impossible.
///
/// ```
/// use limbeck::stages::route::visual::visual_advantage;
/// assert_eq!(visual_advantage(-0.5, -2.5), 2.0);
/// assert_eq!(visual_advantage(-2.5, -0.5), 0.0);
/// ```
pub fn visual_advantage(original: f64, pixelated: f64) -> f64 {
    (original - pixelated).max(0.0)
}

/// The weights of the responses to one prompt, which sum to 1: `softmax((m − μ)/(σ + 1e-6))` of their
/// mean visual advantages `m`, with the group's mean `μ` and its population standard deviation `σ`.
///
/// ```
/// let weights = limbeck::stages::route::visual::response_weights(&[0.5, 0.06]);
/// assert!((weights[0] - 0.880796123).abs() < 1e-9 && (weights[1] - 0.119203877).abs() < 1e-9);
/// ```
pub fn response_weights(means: &[f64]) -> Vec<f64> {
    let mu = mean(means);
    let deviation = mean(&means.iter().map(|m| (m - mu) * (m - mu)).collect::<Vec<_>>()).sqrt();
    let scores = means.iter().map(|m| (m - mu) / (deviation + EPSILON));
    let highest = scores.clone().fold(f64::NEG_INFINITY, f64::max);
    let powers: Vec<f64> = scores.map(|score| (score - highest).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.iter().map(|power| power / sum).collect()
}

/// The masses of a response's tokens, which sum to 1: the `ceil(share·T)` with the highest visual
/// advantage share `mass` evenly, the others the rest (the paper: a fifth of the tokens, half of the
/// mass). If one side is empty the other has all.
///
/// ```
/// use limbeck::stages::route::visual::token_masses;
/// assert_eq!(token_masses(&[0.0, 2.0, 0.1, 0.0, 0.4], 0.2, 0.5), [0.125, 0.5, 0.125, 0.125, 0.125]);
/// assert_eq!(token_masses(&[0.3], 0.2, 0.5), [1.0]);
/// ```
pub fn token_masses(advantages: &[f64], share: f64, mass: f64) -> Vec<f64> {
    let top = keep_top(advantages, share);
    let ups = top.iter().filter(|&&is_top| is_top).count();
    let downs = top.len() - ups;
    let mass = if downs == 0 {
        1.0
    } else if ups == 0 {
        0.0
    } else {
        mass
    };
    let (up, down) = (mass / ups as f64, (1.0 - mass) / downs as f64);
    top.iter().map(|&is_top| if is_top { up } else { down }).collect()
}

/// The weights of all tokens of one prompt's responses, `w_i·m_t`: they sum to 1 when no response is
/// empty. With them the loss is full-vocabulary reverse KL to the teacher that sees the original image,
/// summed over a prompt's tokens and averaged over prompts.
///
/// ```
/// use limbeck::stages::route::visual::token_weights;
/// let got = token_weights(&[vec![0.0, 0.5], vec![0.5, 0.0]], 0.5, 0.75);
/// assert_eq!(got, [[0.125, 0.375], [0.375, 0.125]]);
/// ```
pub fn token_weights(advantages: &[Vec<f64>], share: f64, mass: f64) -> Vec<Vec<f64>> {
    let means: Vec<f64> = advantages.iter().map(|response| mean(response)).collect();
    let scaled = |(response, weight): (&Vec<f64>, f64)| {
        token_masses(response, share, mass).into_iter().map(|m| weight * m).collect()
    };
    advantages.iter().zip(response_weights(&means)).map(scaled).collect()
}

/// 0 of nothing.
fn mean(numbers: &[f64]) -> f64 {
    numbers.iter().fold(0.0, |sum, x| sum + x) / numbers.len().max(1) as f64
}
