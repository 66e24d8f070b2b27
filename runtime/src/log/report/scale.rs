//! From numbers to places on an axis.

/// An axis from `low` to `high` with its ticks, in a picture from `start` to `end`.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    low: f64,
    high: f64,
    start: f64,
    end: f64,
    step: f64,
}

/// What can be drawn at all: differences of such numbers do not overflow.
pub(super) fn drawable(value: f64) -> bool {
    value.abs() < 1e100
}

impl Axis {
    /// Fits the values as they are: for steps.
    pub(super) fn tight(values: impl IntoIterator<Item = f64>, start: f64, end: f64) -> Self {
        let (low, high) = range(values);
        let step = nice_step((high - low) / 6.0).max(1.0);
        Self { low, high, start, end, step }
    }

    /// Fits the values and goes on to the next ticks; from zero if that costs little.
    pub(super) fn roomy(values: impl IntoIterator<Item = f64>, start: f64, end: f64) -> Self {
        let (mut low, mut high) = range(values);
        if low > 0.0 && low < 0.6 * high {
            low = 0.0;
        }
        if high < 0.0 && high > 0.6 * low {
            high = 0.0;
        }
        let step = nice_step((high - low) / 4.0);
        let (low, high) = ((low / step).floor() * step, (high / step).ceil() * step);
        Self { low, high, start, end, step }
    }

    /// Where a value lies in the picture.
    pub(super) fn at(&self, value: f64) -> f64 {
        let share = (value - self.low) / (self.high - self.low);
        self.start + share.clamp(0.0, 1.0) * (self.end - self.start)
    }

    /// The ticks and what is written at them.
    pub(super) fn ticks(&self) -> Vec<(f64, String)> {
        let first = (self.low / self.step).ceil();
        let count = ((self.high - self.low) / self.step + 0.01).floor() as usize;
        let ticks = (0..=count.min(20)).map(|i| (first + i as f64) * self.step);
        ticks
            .filter(|tick| *tick <= self.high + self.step * 0.01)
            .map(|tick| (tick, self.label(tick)))
            .collect()
    }

    fn label(&self, tick: f64) -> String {
        let largest = self.low.abs().max(self.high.abs());
        let digits = |unit: f64| (-(self.step / unit).log10()).ceil().clamp(0.0, 6.0) as usize;
        if tick.abs() < self.step * 0.01 {
            "0".to_owned()
        } else if !(1e-3..1e9).contains(&largest) {
            let digits = (largest.log10().floor() - self.step.log10().floor()).clamp(0.0, 4.0) as usize;
            format!("{tick:.digits$e}")
        } else if largest >= 1e6 {
            format!("{:.*}M", digits(1e6), tick / 1e6)
        } else if largest >= 1e4 {
            format!("{:.*}k", digits(1e3), tick / 1e3)
        } else {
            format!("{tick:.*}", digits(1.0))
        }
    }
}

/// Lowest and highest, never equal.
fn range(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for value in values.into_iter().filter(|value| drawable(*value)) {
        low = low.min(value);
        high = high.max(value);
    }
    if low > high {
        return (0.0, 1.0);
    }
    // Apart by more than rounding, or the ticks would fall together.
    let least = low.abs().max(high.abs()).max(1e-12) * 1e-6;
    if high - low < least {
        let half = low.abs() * 0.1;
        return if half < 1e-12 { (0.0, 1.0) } else { (low - half, high + half) };
    }
    (low, high)
}

/// The next of 1, 2, 5, 10, 20, 50, …
fn nice_step(rough: f64) -> f64 {
    let rough = rough.max(1e-300);
    let power = 10f64.powf(rough.log10().floor());
    let nice = [1.0, 2.0, 5.0, 10.0].into_iter().map(|digit| digit * power);
    nice.into_iter().find(|step| *step >= rough * 0.999).unwrap_or(rough)
}

/// The mean of each value and its neighbours, `window` in all.
pub(super) fn smooth(points: &[(f64, f64)], window: usize) -> Vec<(f64, f64)> {
    let half = window / 2;
    let mut sum = 0.0;
    let mut sums = vec![sum];
    for (_, y) in points {
        sum += y;
        sums.push(sum);
    }
    let mean = |i: usize| {
        let (from, to) = (i.saturating_sub(half), (i + half + 1).min(points.len()));
        (sums[to] - sums[from]) / (to - from) as f64
    };
    let place = |(i, (x, _)): (usize, &(f64, f64))| (*x, mean(i));
    points.iter().enumerate().map(place).collect()
}

/// At most `most` points: neighbours become their mean.
pub(super) fn thin(points: &[(f64, f64)], most: usize) -> Vec<(f64, f64)> {
    let size = points.len().div_ceil(most.max(1)).max(1);
    let mean = |part: &[(f64, f64)], of: fn(&(f64, f64)) -> f64| {
        part.iter().map(of).sum::<f64>() / part.len() as f64
    };
    points.chunks(size).map(|part| (mean(part, |p| p.0), mean(part, |p| p.1))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(values: &[f64]) -> Vec<String> {
        let axis = Axis::roomy(values.iter().copied(), 0.0, 100.0);
        axis.ticks().into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn ticks_are_round_numbers() {
        assert_eq!(labels(&[0.1, 0.93]), ["0", "0.5", "1.0"]);
        assert_eq!(labels(&[3.2, 3.9]), ["3.2", "3.4", "3.6", "3.8", "4.0"]);
        assert_eq!(labels(&[0.0, 21_000.0]), ["0", "10k", "20k", "30k"]);
        assert_eq!(labels(&[1e-6, 4e-6]), ["0", "1e-6", "2e-6", "3e-6", "4e-6"]);
        assert_eq!(labels(&[-3.0, 1.0]), ["-3", "-2", "-1", "0", "1"]);
    }

    #[test]
    fn any_values_give_an_axis_that_stays_in_the_picture() {
        let odd = [f64::NAN, f64::INFINITY, 0.0, -0.0, 1.0, 1.0 + 1e-15, -1e-310, 1e99, -9e99, 1e300, 5e-324];
        for a in odd {
            for b in odd {
                for axis in [Axis::roomy([a, b], 10.0, 20.0), Axis::tight([a, b], 10.0, 20.0)] {
                    let ticks = axis.ticks();
                    assert!(ticks.len() <= 21);
                    for value in [a, b].into_iter().filter(|v| drawable(*v)).chain(ticks.iter().map(|t| t.0))
                    {
                        assert!((10.0..=20.0).contains(&axis.at(value)), "{a} {b} {value} {axis:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn smoothing_and_thinning_keep_the_mean() {
        let points: Vec<_> = (0..10).map(|i| (i as f64, i as f64)).collect();
        assert_eq!(smooth(&points, 3)[4], (4.0, 4.0));
        assert_eq!(smooth(&points, 3)[0], (0.0, 0.5));
        assert_eq!(thin(&points, 5), [(0.5, 0.5), (2.5, 2.5), (4.5, 4.5), (6.5, 6.5), (8.5, 8.5)]);
        assert_eq!(thin(&points, 0).len(), 1);
        assert!(thin(&[], 5).is_empty());
    }
}
