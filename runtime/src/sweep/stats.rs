//! Means over seeds, and how sure they are.

use serde::Serialize;

/// A mean over seeds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Mean {
    /// How many seeds.
    pub n: usize,
    /// The mean.
    pub mean: f64,
    /// Half the width of its 95 % interval; one seed says nothing about it.
    pub half95: Option<f64>,
}

impl Mean {
    /// The mean and its 95 % interval, by Student's t: `m ± t(0.975, n − 1) · s / √n`, where `s` is the
    /// standard deviation with `n − 1` below. None of no numbers.
    ///
    /// ```
    /// # use limbeck::sweep::Mean;
    /// let mean = Mean::of(&[1.0, 2.0, 3.0]).unwrap();
    /// assert_eq!((mean.n, mean.mean), (3, 2.0));
    /// assert!((mean.half95.unwrap() - 4.302653 / 3f64.sqrt()).abs() < 1e-6);
    /// assert_eq!(Mean::of(&[5.0]).unwrap().half95, None);
    /// ```
    pub fn of(numbers: &[f64]) -> Option<Self> {
        let n = numbers.len();
        if n == 0 {
            return None;
        }
        let mean = numbers.iter().sum::<f64>() / n as f64;
        let squares: f64 = numbers.iter().map(|x| (x - mean).powi(2)).sum();
        let half95 = (n > 1).then(|| {
            let deviation = (squares / (n - 1) as f64).sqrt();
            t_quantile(n - 1) * deviation / (n as f64).sqrt()
        });
        Some(Self { n, mean, half95 })
    }

    /// Whether the interval leaves out 0 by more than rounding, and on which side it lies.
    pub fn clear_of_zero(&self) -> Option<f64> {
        let half = self.half95?;
        (self.mean.abs() > half + 1e-9).then(|| self.mean.signum())
    }
}

/// The 0.975 quantile of Student's t: beyond `±` it lie 5 %. `df` is at least 1.
fn t_quantile(df: usize) -> f64 {
    // t = tan θ · √df, and the share within ±t grows with θ from 0 to 1
    let (mut low, mut high) = (0.0, std::f64::consts::FRAC_PI_2);
    for _ in 0..100 {
        let middle = 0.5 * (low + high);
        if within(middle, df) < 0.95 {
            low = middle;
        } else {
            high = middle;
        }
    }
    low.tan() * (df as f64).sqrt()
}

/// The share of Student's t within `±tan θ · √df`: Abramowitz and Stegun, 26.7.3 and 26.7.4.
fn within(theta: f64, df: usize) -> f64 {
    let (sin, cos) = theta.sin_cos();
    let odd = df % 2 == 1;
    let (mut term, mut sum) = if odd { (cos, 0.0) } else { (1.0, 0.0) };
    // odd: cos + 2/3 cos³ + 2·4/(3·5) cos⁵ + …; even: 1 + 1/2 cos² + 1·3/(2·4) cos⁴ + …
    let first = if odd { 2 } else { 1 };
    for k in (first..df).step_by(2) {
        sum += term;
        term *= cos * cos * k as f64 / (k + 1) as f64;
    }
    if odd {
        (theta + sin * sum) * std::f64::consts::FRAC_2_PI
    } else {
        sin * sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Published tables of Student's t (two-sided 5 %), with more digits from integrating its density.
    #[test]
    fn quantiles_are_as_tabulated() {
        for (df, t) in TABLE {
            assert!((t_quantile(df) - t).abs() < 1e-6, "{df}: {}", t_quantile(df));
        }
    }

    #[rustfmt::skip]
    const TABLE: [(usize, f64); 25] = [
        (1, 12.706205), (2, 4.302653), (3, 3.182446), (4, 2.776445), (5, 2.570582),
        (6, 2.446912), (7, 2.364624), (8, 2.306004), (9, 2.262157), (10, 2.228139),
        (11, 2.200985), (12, 2.178813), (13, 2.160369), (14, 2.144787), (15, 2.131450),
        (19, 2.093024), (20, 2.085963), (24, 2.063899), (29, 2.045230), (30, 2.042272),
        (40, 2.021075), (60, 2.000298), (99, 1.984217), (120, 1.979930), (1000, 1.962339),
    ];
}
