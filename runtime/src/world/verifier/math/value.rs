//! What an answer can be: an expression, or several, in some arrangement.

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::Zero;

/// A number with letters in it, perhaps.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expr {
    /// A number as it was written: exact, and whether with a decimal point.
    Number(BigRational, bool),
    /// A letter, with its subscript.
    Variable(String),
    Pi,
    Euler,
    Imaginary,
    Infinity,
    Sum(Box<Expr>, Box<Expr>),
    Product(Box<Expr>, Box<Expr>),
    Quotient(Box<Expr>, Box<Expr>),
    Power(Box<Expr>, Box<Expr>),
    Negative(Box<Expr>),
    /// The n-th root.
    Root(u32, Box<Expr>),
    /// A hundredth.
    Percent(Box<Expr>),
    /// The number before a degree sign.
    Degrees(Box<Expr>),
    Call(Function, Box<Expr>),
    /// The logarithm of the second to the base of the first.
    Logarithm(Box<Expr>, Box<Expr>),
    /// n over k.
    Binomial(Box<Expr>, Box<Expr>),
}

/// Functions of one argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Sin,
    Cos,
    Tan,
    Ln,
    Exp,
    Absolute,
    Factorial,
    Floor,
    Ceiling,
}

impl Expr {
    /// A whole number.
    pub(super) fn whole(number: impl Into<BigInt>) -> Self {
        Self::Number(BigRational::from_integer(number.into()), false)
    }

    /// Both parts of an expression that has two, the one part of an expression that has one.
    fn parts(&self) -> [Option<&Self>; 2] {
        match self {
            Self::Sum(a, b)
            | Self::Product(a, b)
            | Self::Quotient(a, b)
            | Self::Power(a, b)
            | Self::Logarithm(a, b)
            | Self::Binomial(a, b) => [Some(a), Some(b)],
            Self::Negative(a) | Self::Root(_, a) | Self::Percent(a) | Self::Degrees(a) | Self::Call(_, a) => {
                [Some(a), None]
            }
            _ => [None, None],
        }
    }

    /// Whether any part is as `wanted`.
    fn any(&self, wanted: &dyn Fn(&Self) -> bool) -> bool {
        wanted(self) || self.parts().into_iter().flatten().any(|part| part.any(wanted))
    }

    /// Whether a letter stands in it for which any number could be put.
    pub(super) fn has_variables(&self) -> bool {
        self.any(&|part| matches!(part, Self::Variable(_)))
    }

    /// Whether a number in it was written with a decimal point.
    pub(super) fn has_decimals(&self) -> bool {
        self.any(&|part| matches!(part, Self::Number(_, true)))
    }
}

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Answer {
    One(Expr),
    /// `x = 3`: a value, and what it is called.
    Named(String, Box<Answer>),
    /// Several in no order: a set, or a list without brackets.
    Several(Vec<Answer>),
    /// Several in order: a pair, a point, an interval; with its brackets.
    Ordered(char, Vec<Answer>, char),
    /// Intervals or sets, joined.
    Union(Vec<Answer>),
    Matrix(Vec<Vec<Answer>>),
    /// Left and right of an equals sign; of several, the last two.
    Equation(Expr, Expr),
    /// The first is below the second; or may be as large.
    Below(Expr, Expr, bool),
    /// A word, in small letters.
    Word(String),
}

impl Answer {
    /// Whether a letter stands in it for which any number could be put.
    pub(super) fn has_variables(&self) -> bool {
        match self {
            Self::One(one) => one.has_variables(),
            Self::Named(_, one) => one.has_variables(),
            Self::Several(all) | Self::Ordered(_, all, _) | Self::Union(all) => {
                all.iter().any(Self::has_variables)
            }
            Self::Matrix(rows) => rows.iter().flatten().any(Self::has_variables),
            Self::Equation(..) | Self::Below(..) | Self::Word(_) => true,
        }
    }
}

/// Whether some number of decimals writes it down exactly: no prime but 2 and 5 divides its denominator.
pub(super) fn is_finite_decimal(number: &BigRational) -> bool {
    let mut rest = number.denom().clone();
    // an answer has few digits, so this ends soon
    for prime in [2u32, 5] {
        while (&rest % prime).is_zero() {
            rest /= prime;
        }
    }
    rest == BigInt::from(1)
}
