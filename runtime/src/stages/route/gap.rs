//! Which of two hinted models a token learns from: DOPD, arXiv 2606.30626.
//!
//! The *hinted* teacher and the *hinted* student (the student's own weights) read the response with
//! the privileged input `p`; both are constants. Natural logarithms, f64, one entry a sampled token.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::thresholds::{Thresholds, Token};

/// The privilege advantage gap `A = |log q_T − log q_S|` of a sampled token (DOPD, eq 1); 0 where the
/// two agree, also that it is impossible.
///
/// ```
/// use limbeck::stages::route::gap::gap;
/// assert!((gap(0.65f64.ln(), 0.15f64.ln()) - 1.4663370688).abs() < 1e-9);
/// assert_eq!(gap(-1.0, -1.0), 0.0);
/// ```
pub fn gap(teacher: f64, student: f64) -> f64 {
    if teacher == student {
        return 0.0;
    }
    (teacher - student).abs()
}

/// What a token teaches (DOPD): how large the gap is, and who knows the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Regime {
    /// Low gap, likely to both: only the information in `p` separates them from the student.
    LH,
    /// Low gap, likely to neither: beyond them; an anchor against drift.
    LL,
    /// High gap, the teacher likes it at least as much: what the teacher can and the student cannot yet.
    HT,
    /// High gap, the student likes it more: kept for exploration.
    HS,
}

/// Whom a token learns from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Source {
    /// The hinted teacher.
    Teacher,
    /// The hinted student, as a constant.
    Student,
}

impl Regime {
    /// All four.
    pub const ALL: [Self; 4] = [Self::LH, Self::LL, Self::HT, Self::HS];

    /// The teacher for LH and HT, the hinted student for LL and HS.
    ///
    /// ```
    /// use limbeck::stages::route::gap::{Regime, Source};
    /// assert_eq!(Regime::ALL.map(Regime::source)[..2], [Source::Teacher, Source::Student]);
    /// ```
    pub fn source(self) -> Source {
        match self {
            Self::LH | Self::HT => Source::Teacher,
            Self::LL | Self::HS => Source::Student,
        }
    }
}

/// Some of the four.
///
/// ```
/// use limbeck::stages::route::gap::{Regime, RegimeSet};
/// let high = RegimeSet { lh: false, ll: false, ht: true, hs: true };
/// assert_eq!(Regime::ALL.map(|regime| high.has(regime)), [false, false, true, true]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegimeSet {
    /// [`Regime::LH`].
    pub lh: bool,
    /// [`Regime::LL`].
    pub ll: bool,
    /// [`Regime::HT`].
    pub ht: bool,
    /// [`Regime::HS`].
    pub hs: bool,
}

impl RegimeSet {
    /// All four.
    pub const ALL: Self = Self { lh: true, ll: true, ht: true, hs: true };

    /// Whether this one is among them.
    pub const fn has(self, regime: Regime) -> bool {
        match regime {
            Regime::LH => self.lh,
            Regime::LL => self.ll,
            Regime::HT => self.ht,
            Regime::HS => self.hs,
        }
    }

    /// Whether none is.
    pub const fn is_empty(self) -> bool {
        !(self.lh || self.ll || self.ht || self.hs)
    }
}

impl fmt::Display for Regime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::LH => "LH",
            Self::LL => "LL",
            Self::HT => "HT",
            Self::HS => "HS",
        })
    }
}

/// The regime of a token, from its gap and its two probabilities (DOPD):
///
/// | | `q_S + q_T ≥ q̄_S + q̄_T` | else | | | `q_T ≥ q_S` | else |
/// |---|---|---|---|---|---|---|
/// | `A < Ā` | LH | LL | | `A ≥ Ā` | HT | HS |
///
/// The high side compares the two with each other and not with their averages. Where no gap is below
/// the average (the teacher is the student itself: all gaps 0) every token is high, and HT on a tie.
///
/// ```
/// use limbeck::stages::route::gap::{regime, Regime};
/// use limbeck::stages::route::thresholds::Thresholds;
/// let bar = Thresholds { gap: 0.78, student: 0.41, teacher: 0.41, dropped: 0 };
/// assert_eq!(regime(0.13, 0.7, 0.8, &bar), Regime::LH);
/// assert_eq!(regime(0.18, 0.1, 0.12, &bar), Regime::LL);
/// assert_eq!(regime(1.47, 0.15, 0.65, &bar), Regime::HT);
/// assert_eq!(regime(1.79, 0.6, 0.1, &bar), Regime::HS);
/// ```
pub fn regime(gap: f64, student: f64, teacher: f64, bar: &Thresholds) -> Regime {
    let low = gap < bar.gap;
    if low && student + teacher >= bar.student + bar.teacher {
        Regime::LH
    } else if low {
        Regime::LL
    } else if teacher >= student {
        Regime::HT
    } else {
        Regime::HS
    }
}

/// Where each token of a scope goes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Routing {
    /// Its regime.
    pub regimes: Vec<Regime>,
    /// What it was compared with.
    pub thresholds: Thresholds,
    /// Its gap.
    pub gaps: Vec<f64>,
}

impl Routing {
    /// The regimes of `tokens` under thresholds that were found elsewhere: over several ranks, or over
    /// a batch of which these are one sequence.
    pub fn under(thresholds: Thresholds, tokens: &[Token]) -> Self {
        let of = |token: &Token| regime(token.gap, token.student, token.teacher, &thresholds);
        Self {
            regimes: tokens.iter().map(of).collect(),
            thresholds,
            gaps: tokens.iter().map(|token| token.gap).collect(),
        }
    }
}

/// Routes the tokens of one scope, given `log q_S` and `log q_T` of each: the scope (a batch, a
/// sequence, a micro-batch) is whatever is handed in, and `trim` the share of outliers (DOPD: 0.05).
///
/// Normalising the gaps within the batch, as the paper says it does, changes nothing: the average
/// moves with them.
///
/// ```
/// use limbeck::stages::route::gap::{route, Regime::*};
/// let student = [0.7f64, 0.1, 0.15, 0.6].map(f64::ln);
/// let teacher = [0.8f64, 0.12, 0.65, 0.1].map(f64::ln);
/// let got = route(&student, &teacher, 0.05);
/// assert_eq!(got.regimes, [LH, LL, HT, HS]);
/// assert!((got.thresholds.student - 0.3875).abs() < 1e-12 && got.thresholds.dropped == 0);
/// ```
pub fn route(student: &[f64], teacher: &[f64], trim: f64) -> Routing {
    let tokens: Vec<_> = student.iter().zip(teacher).map(|(&s, &q)| Token::of(q, s)).collect();
    Routing::under(Thresholds::of(&tokens, trim), &tokens)
}
