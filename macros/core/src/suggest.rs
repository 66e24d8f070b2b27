//! Near misses: which of the known words was probably meant. The macros and the runtime share this file.

/// The known word closest to `word`, if it is close enough to be worth a question.
#[must_use]
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    known
        .into_iter()
        .map(|candidate| (distance(&word, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= allowed(candidate))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// A third of the letters may be wrong, and one at least.
fn allowed(candidate: &str) -> usize {
    (candidate.chars().count() / 3).max(1)
}

/// Letters added, dropped, changed, or swapped with a neighbour (optimal string alignment).
fn distance(from: &str, to: &str) -> usize {
    let from: Vec<char> = from.chars().collect();
    let to: Vec<char> = to.chars().collect();
    let mut rows: Vec<Vec<usize>> = vec![(0..=to.len()).collect()];
    for i in 1..=from.len() {
        let mut row = vec![i];
        for j in 1..=to.len() {
            let change = usize::from(from[i - 1] != to[j - 1]);
            let mut best = (rows[i - 1][j] + 1).min(row[j - 1] + 1).min(rows[i - 1][j - 1] + change);
            if i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[from.len()][to.len()]
}

#[cfg(test)]
mod tests {
    use super::{distance, nearest};

    #[test]
    fn one_slip_is_one_step() {
        assert_eq!(distance("calibrte", "calibrate"), 1);
        assert_eq!(distance("rolluot", "rollout"), 1);
        assert_eq!(distance("loss", "loss"), 0);
        assert_eq!(distance("", "step"), 4);
    }

    #[test]
    fn near_words_are_offered_and_far_ones_are_not() {
        let words = ["calibrate", "rollout", "score", "delta", "retain", "UniOpd"];
        assert_eq!(nearest("calibrte", words), Some("calibrate"));
        assert_eq!(nearest("Rollouts", words), Some("rollout"));
        assert_eq!(nearest("Scroe", words), Some("score"));
        assert_eq!(nearest("detla", words), Some("delta"));
        assert_eq!(nearest("uniodp", words), Some("UniOpd"));
        assert_eq!(nearest("teacher", words), None);
        assert_eq!(nearest("banana", words), None);
    }
}
