//! Offline difficulty-aware balancing: prompts the student sometimes gets right are drawn more often.
//!
//! Uni-OPD, arXiv 2605.03677, §2.2. The release holds only the resulting data, so the shape test and
//! the target are ours; nothing is ever removed.

use serde::{Deserialize, Serialize};

use crate::rng::Stream;

/// The shape of the histogram of pass counts, which says which prompts are copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Shape {
    /// [`detect`] looks.
    #[default]
    Auto,
    /// Many never and many always right: what lies between is copied.
    U,
    /// Many never right, fewer and fewer above: all but the never right is copied.
    MirroredJ,
}

/// Up to how many prompts a bin is filled; taken over the bins that are not empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Target {
    /// The largest bin.
    #[default]
    Max,
    /// The mean bin, rounded.
    Mean,
    /// The smallest bin with at least this share of the bins no larger than it; 1 is the largest bin.
    Quantile(f64),
}

/// The balanced order of prompts.
#[derive(Clone, Debug, PartialEq)]
pub struct Balanced {
    /// Indices of prompts, ascending, each as often as it is to be drawn.
    pub indices: Vec<usize>,
    /// The shape that was found, or asked for.
    pub shape: Shape,
    /// Prompts by pass count, before.
    pub before: Vec<usize>,
    /// And after.
    pub after: Vec<usize>,
    /// How many different prompts there are: far fewer than `indices` means many copies of few.
    pub distinct: usize,
}

/// How many prompts were right `k` times of `samples`, for `k` in `0..=samples` (a larger count is
/// taken for `samples`).
///
/// ```
/// use limbeck::stages::data::difficulty::histogram;
/// assert_eq!(histogram(&[0, 2, 1, 0], 2), [2, 1, 1]);
/// ```
pub fn histogram(pass_counts: &[u32], samples: u32) -> Vec<usize> {
    let mut bins = vec![0; samples as usize + 1];
    for &count in pass_counts {
        bins[count.min(samples) as usize] += 1;
    }
    bins
}

/// `U` if the last bin is higher than the median of the bins between, else `MirroredJ`.
///
/// ```
/// use limbeck::stages::data::difficulty::{detect, Shape};
/// assert_eq!(detect(&[40, 12, 8, 10, 38]), Shape::U);
/// assert_eq!(detect(&[60, 28, 14, 6, 3]), Shape::MirroredJ);
/// ```
pub fn detect(histogram: &[usize]) -> Shape {
    let [_, between @ .., last] = histogram else { return Shape::MirroredJ };
    let mut sorted = between.to_vec();
    sorted.sort_unstable();
    let n = sorted.len();
    if n > 0 && 2 * last > sorted[(n - 1) / 2] + sorted[n / 2] {
        Shape::U
    } else {
        Shape::MirroredJ
    }
}

/// Copies the prompts of every eligible bin until it holds `target` of them: `target / n` times each,
/// and once more for `target % n` of them drawn at random. With `max_copies`, no prompt appears more
/// often than that, and its bin stays short of the target. A bin beyond the target stays as it is.
///
/// ```
/// use limbeck::rng::{Purpose, Stream};
/// use limbeck::stages::data::difficulty::{balanced, Shape, Target};
/// let mut stream = Stream::new(7, Purpose::Difficulty, 0, 0);
/// let passes = [0, 0, 0, 0, 0, 1, 1, 2]; // of 2
/// let got = balanced(&passes, 2, Shape::MirroredJ, Target::Max, Some(4), &mut stream);
/// assert_eq!((got.before, got.after, got.distinct), (vec![5, 2, 1], vec![5, 5, 4], 8));
/// ```
pub fn balanced(
    pass_counts: &[u32],
    samples: u32,
    shape: Shape,
    target: Target,
    max_copies: Option<u32>,
    stream: &mut Stream,
) -> Balanced {
    let before = histogram(pass_counts, samples);
    let shape = if shape == Shape::Auto { detect(&before) } else { shape };
    let target = level(&before, target);
    let most = max_copies.map_or(usize::MAX, |most| most.max(1) as usize);
    let mut copies = vec![1; pass_counts.len()];
    for bin in shape.eligible(samples) {
        let mut members: Vec<_> =
            (0..pass_counts.len()).filter(|&i| pass_counts[i].min(samples) == bin).collect();
        let n = members.len();
        let wanted = target.min(n.saturating_mul(most));
        if wanted > n && n > 0 {
            stream.shuffle(&mut members);
            let share = |rank: usize| wanted / n + usize::from(rank < wanted % n);
            members.iter().enumerate().for_each(|(rank, &i)| copies[i] = share(rank));
        }
    }
    let indices: Vec<_> = copies.iter().enumerate().flat_map(|(i, &n)| std::iter::repeat_n(i, n)).collect();
    let counts: Vec<_> = indices.iter().map(|&i| pass_counts[i]).collect();
    Balanced { shape, before, after: histogram(&counts, samples), distinct: pass_counts.len(), indices }
}

impl Shape {
    /// The pass counts whose prompts are copied.
    fn eligible(self, samples: u32) -> std::ops::Range<u32> {
        match self {
            Self::U => 1..samples.max(1),
            Self::Auto | Self::MirroredJ => 1..samples.saturating_add(1),
        }
    }
}

/// The number of prompts to fill bins up to.
fn level(histogram: &[usize], target: Target) -> usize {
    let mut filled: Vec<_> = histogram.iter().copied().filter(|&n| n > 0).collect();
    filled.sort_unstable();
    let n = filled.len() as f64;
    let rank = |share: f64| ((share.clamp(0.0, 1.0) * n).ceil() as usize).max(1) - 1;
    match target {
        _ if filled.is_empty() => 0,
        Target::Max => filled[filled.len() - 1],
        Target::Mean => (filled.iter().sum::<usize>() as f64 / n).round() as usize,
        Target::Quantile(share) => filled[rank(share)],
    }
}
