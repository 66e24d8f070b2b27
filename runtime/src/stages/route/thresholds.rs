//! The averages that DOPD compares a token with: means over a scope, without its largest gaps.

use super::exact::Exact;
use super::gap::gap;
use super::prune::{count, key};

/// One sampled token `y_n` as the two hinted models see it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Token {
    /// `A = |log q_T − log q_S|`.
    pub gap: f64,
    /// `q_S = Π_S(y|x, p)`: the probability under the hinted student.
    pub student: f64,
    /// `q_T = Π_T(y|x, p)`: the probability under the hinted teacher.
    pub teacher: f64,
}

impl Token {
    /// From `log q_T` and `log q_S`.
    ///
    /// ```
    /// let token = limbeck::stages::route::thresholds::Token::of(0.8f64.ln(), 0.4f64.ln());
    /// assert!((token.gap - 2f64.ln()).abs() < 1e-12 && (token.teacher - 0.8).abs() < 1e-12);
    /// ```
    pub fn of(teacher: f64, student: f64) -> Self {
        Self { gap: gap(teacher, student), student: student.exp(), teacher: teacher.exp() }
    }
}

/// `Ā`, `q̄_S` and `q̄_T`: the means over a scope's tokens but for the `trunc(trim·n)` with the
/// largest gaps (DOPD, arXiv 2606.30626: the top 5 % are outliers). The three means leave out
/// the same tokens; what was left out is routed like any other. All 0 in an empty scope.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Thresholds {
    /// `Ā`.
    pub gap: f64,
    /// `q̄_S`.
    pub student: f64,
    /// `q̄_T`.
    pub teacher: f64,
    /// How many tokens were left out.
    pub dropped: usize,
}

impl Thresholds {
    /// Over one scope: a batch, a sequence or a micro-batch, whatever tokens the caller hands in.
    ///
    /// ```
    /// use limbeck::stages::route::thresholds::{Thresholds, Token};
    /// let token = |gap: f64| Token { gap, student: 0.5, teacher: 0.25 };
    /// let got = Thresholds::of(&[1.0, 8.0, 2.0, 3.0].map(token), 0.25);
    /// assert_eq!(got, Thresholds { gap: 2.0, student: 0.5, teacher: 0.25, dropped: 1 });
    /// ```
    pub fn of(tokens: &[Token], trim: f64) -> Self {
        Part::of(tokens, drop_count(tokens.len(), trim)).thresholds()
    }
}

/// How many of `n` tokens are left out: `trunc(trim·n)`, none of fewer than 20 at 5 %; one always stays.
///
/// ```
/// use limbeck::stages::route::thresholds::drop_count;
/// assert_eq!((drop_count(19, 0.05), drop_count(40, 0.05), drop_count(3, 1.0)), (0, 2, 2));
/// ```
pub fn drop_count(n: usize, trim: f64) -> usize {
    count(n, trim).min(n.saturating_sub(1))
}

/// What one part of a scope (a rank's, a micro-batch's) adds to its thresholds.
///
/// A trimmed mean does not follow from trimmed means of parts: all the outliers may sit in one part.
/// So ranks exchange twice. First their token counts, which give `drop` for the whole scope. Then each
/// sends its part: three sums, and its `drop` largest gaps set aside with their probabilities (three
/// f64 a token, at most 5 % of the whole). Merged in the order of the batch, parts give the same bits
/// as the whole scope at once, wherever it was split: the sums are exact until they are divided.
///
/// ```
/// use limbeck::stages::route::thresholds::{drop_count, Part, Thresholds, Token};
/// let tokens = [0.5, 9.0, 7.0, 0.25].map(|gap| Token { gap, student: 0.1, teacher: 0.3 });
/// let drop = drop_count(tokens.len(), 0.5); // both outliers are in the middle
/// let (first, later) = (Part::of(&tokens[..3], drop), Part::of(&tokens[3..], drop));
/// assert_eq!(first.merge(later).thresholds(), Thresholds::of(&tokens, 0.5));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Part {
    kept: Sums,
    /// The largest gaps, rising; equals in the order of the batch.
    aside: Vec<Token>,
    /// How many the whole scope leaves out.
    drop: usize,
}

impl Part {
    /// One part of a scope that leaves out `drop` tokens in all.
    pub fn of(tokens: &[Token], drop: usize) -> Self {
        let none = Self { drop, ..Self::default() };
        none.merge(Self { aside: tokens.to_vec(), drop, kept: Sums::default() })
    }

    /// This part and the one that follows it in the batch. Of equal gaps the later is left out first.
    #[must_use]
    pub fn merge(self, later: Self) -> Self {
        let drop = self.drop.max(later.drop);
        let mut aside = self.aside;
        aside.extend(later.aside);
        // stable: equals stay in the order of the batch
        aside.sort_by(|a, b| key(a.gap).total_cmp(&key(b.gap)));
        let back = aside.len().saturating_sub(drop);
        let kept = aside.drain(..back).fold(self.kept.merge(later.kept), Sums::plus);
        Self { kept, aside, drop }
    }

    /// The thresholds, once every part has been merged.
    pub fn thresholds(&self) -> Thresholds {
        let Sums { gap, student, teacher } = &self.kept;
        Thresholds {
            gap: gap.mean(),
            student: student.mean(),
            teacher: teacher.mean(),
            dropped: self.aside.len(),
        }
    }
}

/// The sums over the tokens kept.
#[derive(Clone, Debug, Default)]
struct Sums {
    gap: Mean,
    student: Mean,
    teacher: Mean,
}

impl Sums {
    fn plus(self, token: Token) -> Self {
        Self {
            gap: self.gap.plus(token.gap),
            student: self.student.plus(token.student),
            teacher: self.teacher.plus(token.teacher),
        }
    }

    fn merge(self, other: Self) -> Self {
        Self {
            gap: self.gap.merge(other.gap),
            student: self.student.merge(other.student),
            teacher: self.teacher.merge(other.teacher),
        }
    }
}

/// A mean that rounding cannot push beyond the smallest and the largest: of equals, it is their value.
#[derive(Clone, Debug)]
struct Mean {
    sum: Exact,
    n: usize,
    min: f64,
    max: f64,
}

impl Default for Mean {
    fn default() -> Self {
        Self { sum: Exact::default(), n: 0, min: f64::INFINITY, max: f64::NEG_INFINITY }
    }
}

impl Mean {
    fn plus(self, x: f64) -> Self {
        Self { sum: self.sum.plus(x), n: self.n + 1, min: self.min.min(x), max: self.max.max(x) }
    }

    fn merge(self, other: Self) -> Self {
        Self {
            sum: self.sum.merge(other.sum),
            n: self.n + other.n,
            min: self.min.min(other.min),
            max: self.max.max(other.max),
        }
    }

    /// 0 of nothing.
    fn mean(&self) -> f64 {
        if self.n == 0 {
            return 0.0;
        }
        (self.sum.value() / self.n as f64).max(self.min).min(self.max)
    }
}
