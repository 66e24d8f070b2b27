//! Sums without rounding, so that no threshold depends on how a batch was split or in which order it came.

/// A sum kept exactly, as numbers that do not overlap (Shewchuk, "Adaptive precision floating-point
/// arithmetic", 1997, §2; the same as Python's `math.fsum`). It is rounded once, when it is asked for.
///
/// ```
/// use limbeck::stages::route::exact::Exact;
/// let of = |xs: &[f64]| xs.iter().fold(Exact::default(), |sum, &x| sum.plus(x));
/// assert_eq!(of(&[1e16, 1.0, -1e16]).value(), 1.0); // in plain f64 this is 0
/// assert_eq!(of(&[0.1, 0.2]).merge(of(&[0.3])), of(&[0.1, 0.2, 0.3]));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Exact {
    /// From small to large; their sum is the sum.
    parts: Vec<f64>,
    /// What is infinite or not a number, summed as usual.
    other: f64,
}

impl Exact {
    /// With `x` added.
    #[must_use]
    pub fn plus(mut self, mut x: f64) -> Self {
        if !x.is_finite() {
            self.other += x;
            return self;
        }
        let mut filled = 0;
        for at in 0..self.parts.len() {
            let (high, low) = two_sum(x, self.parts[at]);
            if low != 0.0 {
                self.parts[filled] = low;
                filled += 1;
            }
            x = high;
        }
        self.parts.truncate(filled);
        self.parts.push(x);
        self
    }

    /// Both sums together.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        let sum = other.parts.into_iter().fold(self, Self::plus);
        Self { other: sum.other + other.other, ..sum }
    }

    /// The sum, rounded once, to the nearest and to even.
    pub fn value(&self) -> f64 {
        let mut rest = self.parts.iter().rev().copied().skip_while(|&x| x == 0.0).peekable();
        let mut high = rest.next().unwrap_or(0.0);
        while let Some(next) = rest.next() {
            let low;
            (high, low) = two_sum(high, next);
            if low == 0.0 {
                continue;
            }
            // `low` was rounded away; just at half a step, what lies below it decides
            let beyond = rest.peek().is_some_and(|&below| (below < 0.0) == (low < 0.0) && below != 0.0);
            let moved = high + 2.0 * low;
            if beyond && moved - high == 2.0 * low {
                high = moved;
            }
            break;
        }
        high + self.other
    }
}

/// Equal as sums, in whatever parts they are kept.
impl PartialEq for Exact {
    fn eq(&self, other: &Self) -> bool {
        self.value() == other.value()
    }
}

/// `a + b` as the rounded sum and exactly what the rounding took.
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let (large, small) = if a.abs() < b.abs() { (b, a) } else { (a, b) };
    let high = large + small;
    (high, small - (high - large))
}
