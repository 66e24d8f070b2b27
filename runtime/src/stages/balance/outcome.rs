//! Online correctness-aware balancing: as many right as wrong rollouts reach the loss.

use crate::rng::Stream;

/// Which rollouts of one scope (a prompt's group, or a whole batch) are kept, for `ratio` right ones
/// to a wrong one (Uni-OPD, arXiv 2605.03677, `rollout_sample_balance.py`).
///
/// With `n₊` right and `n₋` others (the unjudged among them): if `n₊ > trunc(n₋·ratio) ≥ 1`, that many
/// of the right stay, drawn at random; else if `n₋ > trunc(n₊/ratio) ≥ 1`, that many of the others;
/// else, or if one side is empty, all stay. Ratio 0 drops all the right, infinity all the others,
/// whatever there is; a negative ratio, or a scope in which nothing was judged, drops nothing.
///
/// ```
/// use limbeck::rng::{Purpose, Stream};
/// use limbeck::stages::balance::outcome::keep_balanced;
/// let mut stream = Stream::new(7, Purpose::Balance, 0, 0);
/// let outcomes = [Some(true), Some(false), Some(false), Some(false)];
/// let kept = keep_balanced(&outcomes, 1.0, &mut stream);
/// assert!(kept[0]);
/// assert_eq!(kept.iter().filter(|&&kept| kept).count(), 2);
/// ```
pub fn keep_balanced(outcomes: &[Option<bool>], ratio: f64, stream: &mut Stream) -> Vec<bool> {
    let mut kept = vec![true; outcomes.len()];
    let (mut right, mut other): (Vec<_>, Vec<_>) =
        (0..outcomes.len()).partition(|&i| outcomes[i] == Some(true));
    let judged = outcomes.iter().any(Option::is_some);
    let (right_drop, other_drop) = excess(right.len(), other.len(), ratio);
    for (side, drop) in [(&mut right, right_drop), (&mut other, other_drop)] {
        if judged && drop > 0 {
            stream.shuffle(side);
            side.iter().take(drop).for_each(|&i| kept[i] = false);
        }
    }
    kept
}

/// How many of the right and of the others are too many.
fn excess(right: usize, other: usize, ratio: f64) -> (usize, usize) {
    // in f64 as the release does, so that trunc(100 · 0.29) is 28 here too
    let (n, m) = (right as f64, other as f64);
    let (want_right, want_other) = ((m * ratio).trunc(), (n / ratio).trunc());
    if ratio == 0.0 {
        (right, 0)
    } else if ratio == f64::INFINITY {
        (0, other)
    } else if ratio < 0.0 || right == 0 || other == 0 {
        (0, 0)
    } else if n > want_right && want_right >= 1.0 {
        (right - want_right as usize, 0)
    } else if m > want_other && want_other >= 1.0 {
        (0, other - want_other as usize)
    } else {
        (0, 0)
    }
}
