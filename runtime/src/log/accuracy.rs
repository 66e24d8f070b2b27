//! How often a policy is right, and how sure that is.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How answers were judged. What the verifier could not judge counts neither as right nor as wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accuracy {
    /// Answers judged right.
    pub right: usize,
    /// Answers judged wrong.
    pub wrong: usize,
    /// Answers on which the verifier gave no verdict.
    pub unjudged: usize,
}

/// An accuracy with its 95 % interval, all between 0 and 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// The accuracy.
    pub rate: f64,
    /// Where the interval starts.
    pub low: f64,
    /// Where the interval ends.
    pub high: f64,
}

/// Whether a policy's interval lies clear of the one it is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It lies above: better.
    Up,
    /// It lies below: worse.
    Down,
    /// The two overlap: nothing is shown.
    Unclear,
}

impl Accuracy {
    /// Counts one verdict; `None` is "not judged".
    pub fn count(&mut self, correct: Option<bool>) {
        match correct {
            Some(true) => self.right += 1,
            Some(false) => self.wrong += 1,
            None => self.unjudged += 1,
        }
    }

    /// How many answers were judged.
    pub fn n(&self) -> usize {
        self.right.saturating_add(self.wrong)
    }

    /// The share of the judged answers that are right; none if none was judged.
    pub fn rate(&self) -> Option<f64> {
        (self.n() > 0).then(|| self.right as f64 / self.n() as f64)
    }

    /// The 95 % Wilson score interval of the rate.
    ///
    /// `(p + z²/2n ± z √(p(1−p)/n + z²/4n²)) / (1 + z²/n)`, z = 1.96
    ///
    /// ```
    /// # use limbeck::log::Accuracy;
    /// let (low, high) = Accuracy { right: 8, wrong: 2, unjudged: 5 }.interval95().unwrap();
    /// assert!((low - 0.4902).abs() < 1e-4 && (high - 0.9433).abs() < 1e-4);
    /// ```
    pub fn interval95(&self) -> Option<(f64, f64)> {
        const Z: f64 = 1.959_963_984_540_054;
        let p = self.rate()?;
        let n = self.n() as f64;
        let middle = p + Z * Z / (2.0 * n);
        let half = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
        let scale = 1.0 + Z * Z / n;
        let low = ((middle - half) / scale).clamp(0.0, p);
        let high = ((middle + half) / scale).clamp(p, 1.0);
        Some((low, high))
    }

    /// Rate and interval together.
    pub fn estimate(&self) -> Option<Estimate> {
        let (low, high) = self.interval95()?;
        let rate = self.rate()?;
        Some(Estimate { rate, low, high })
    }
}

impl Estimate {
    /// The mean over domains, each counting the same. Its interval takes the square root of the summed
    /// squared distances to either side of the domains' intervals (Zou and Donner's MOVER).
    pub fn mean(domains: &[Estimate]) -> Option<Estimate> {
        if domains.is_empty() {
            return None;
        }
        let k = domains.len() as f64;
        let rate = domains.iter().map(|e| e.rate).sum::<f64>() / k;
        let side = |distance: fn(&Estimate) -> f64| {
            domains.iter().map(|e| distance(e).powi(2)).sum::<f64>().sqrt() / k
        };
        Some(Estimate {
            rate,
            low: (rate - side(|e| e.rate - e.low)).max(0.0),
            high: (rate + side(|e| e.high - e.rate)).min(1.0),
        })
    }

    /// Where this interval lies, seen from `other`.
    pub fn change_from(&self, other: &Estimate) -> Change {
        if self.low > other.high {
            Change::Up
        } else if self.high < other.low {
            Change::Down
        } else {
            Change::Unclear
        }
    }
}

impl Change {
    /// The sign that stands behind a number; a space where nothing is shown.
    pub fn sign(self) -> char {
        match self {
            Change::Up => '↑',
            Change::Down => '↓',
            Change::Unclear => ' ',
        }
    }
}

/// `48.2 (45.0–51.4)`, in per cent.
impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [rate, low, high] = [self.rate, self.low, self.high].map(|share| share * 100.0);
        write!(f, "{rate:.1} ({low:.1}–{high:.1})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wilson_is_as_published_and_unjudged_answers_do_not_count() {
        // Newcombe (1998), table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
        for (right, n, low, high) in [
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0000, 0.1611),
            (1, 29, 0.0061, 0.1718),
        ] {
            let unjudged = 7;
            let wrong = n - right;
            let accuracy = Accuracy { right, wrong, unjudged };
            let (l, h) = accuracy.interval95().unwrap();
            assert!((l - low).abs() < 5e-5 && (h - high).abs() < 5e-5, "{right}/{n}: {l} {h}");
        }
    }

    #[test]
    fn the_mean_is_surer_than_its_parts() {
        let part = Accuracy { right: 50, wrong: 50, unjudged: 0 }.estimate().unwrap();
        let mean = Estimate::mean(&[part, part]).unwrap();
        assert_eq!(mean.rate, 0.5);
        let shrunk = (mean.high - mean.low) / (part.high - part.low);
        assert!((shrunk - 0.5_f64.sqrt()).abs() < 1e-12);
        assert_eq!(Estimate::mean(&[]), None);
    }
}
