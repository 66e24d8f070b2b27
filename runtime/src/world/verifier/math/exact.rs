//! Exact values: quotients of polynomials with rational coefficients.

use std::collections::BTreeMap;

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Signed, ToPrimitive, Zero};

use super::value::{Expr, Function};

/// Products of terms that one comparison may take.
const WORK: usize = 20_000;
/// The longest number, in bits.
const BITS: u64 = 1 << 14;
/// The largest exponent over letters.
const DEGREE: i32 = 64;

/// Letters with their exponents, in order; `i`, `π` and `e` are letters here, and `i² = −1`.
type Monomial = Vec<(String, u32)>;

/// A polynomial; no coefficient is 0.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Polynomial(BTreeMap<Monomial, BigRational>);

/// A quotient of polynomials.
#[derive(Clone, Debug)]
pub(super) struct Quotient {
    over: Polynomial,
    under: Polynomial,
}

/// The work that is left.
pub(super) struct Budget(usize);

impl Default for Budget {
    fn default() -> Self {
        Self(WORK)
    }
}

impl Polynomial {
    fn constant(number: BigRational) -> Self {
        Self(if number.is_zero() { BTreeMap::new() } else { BTreeMap::from([(Vec::new(), number)]) })
    }

    fn letter(name: &str) -> Self {
        Self(BTreeMap::from([(vec![(name.to_string(), 1)], BigRational::one())]))
    }

    /// The number it is, if no letter stands in it.
    fn number(&self) -> Option<BigRational> {
        match self.0.len() {
            0 => Some(BigRational::zero()),
            1 => self.0.get(&Vec::new() as &Monomial).cloned(),
            _ => None,
        }
    }

    fn add(mut self, other: Self, budget: &mut Budget) -> Option<Self> {
        budget.0 = budget.0.checked_sub(other.0.len())?;
        for (monomial, number) in other.0 {
            self.gather(monomial, number)?;
        }
        Some(self)
    }

    fn gather(&mut self, monomial: Monomial, number: BigRational) -> Option<()> {
        let sum = self.0.remove(&monomial).map_or(number.clone(), |known| known + number);
        if sum.numer().bits().max(sum.denom().bits()) > BITS {
            return None;
        }
        if !sum.is_zero() {
            self.0.insert(monomial, sum);
        }
        Some(())
    }

    fn multiply(&self, other: &Self, budget: &mut Budget) -> Option<Self> {
        // long numbers cost more than short ones
        let size = |one: &Self| {
            one.0.values().map(|n| 1 + (n.numer().bits() + n.denom().bits()) as usize / 512).sum::<usize>()
        };
        budget.0 = budget.0.checked_sub(size(self).checked_mul(size(other))?)?;
        let mut product = Self(BTreeMap::new());
        for (left, a) in &self.0 {
            for (right, b) in &other.0 {
                let (monomial, sign) = merged(left, right)?;
                let number = a * b;
                product.gather(monomial, if sign { -number } else { number })?;
            }
        }
        Some(product)
    }
}

/// The product of two monomials, and whether `i² = −1` turned its sign.
fn merged(left: &Monomial, right: &Monomial) -> Option<(Monomial, bool)> {
    let mut sum: BTreeMap<&str, u32> = left.iter().map(|(name, n)| (&name[..], *n)).collect();
    for (name, n) in right {
        let known = sum.entry(name).or_default();
        *known = known.checked_add(*n).filter(|n| *n <= 4 * DEGREE as u32)?;
    }
    let turns = sum.get(IMAGINARY).map_or(0, |n| n / 2);
    if let Some(n) = sum.get_mut(IMAGINARY) {
        *n %= 2;
    }
    let monomial = sum.into_iter().filter(|(_, n)| *n > 0).map(|(name, n)| (name.to_string(), n)).collect();
    Some((monomial, turns % 2 == 1))
}

// no letter of an answer is called like these
const IMAGINARY: &str = "(i)";
const PI: &str = "(pi)";
const EULER: &str = "(e)";

impl Quotient {
    fn whole(over: Polynomial) -> Self {
        Self { over, under: Polynomial::constant(BigRational::one()) }
    }

    fn constant(number: BigRational) -> Self {
        Self::whole(Polynomial::constant(number))
    }

    /// The number it is, if no letter stands in it.
    pub(super) fn number(&self) -> Option<BigRational> {
        let under = self.under.number().filter(|under| !under.is_zero())?;
        Some(self.over.number()? / under)
    }

    fn add(self, other: Self, budget: &mut Budget) -> Option<Self> {
        if self.under == other.under {
            return Some(Self { over: self.over.add(other.over, budget)?, under: self.under });
        }
        let left = self.over.multiply(&other.under, budget)?;
        let right = other.over.multiply(&self.under, budget)?;
        Some(Self { over: left.add(right, budget)?, under: self.under.multiply(&other.under, budget)? })
    }

    fn multiply(&self, other: &Self, budget: &mut Budget) -> Option<Self> {
        Some(Self {
            over: self.over.multiply(&other.over, budget)?,
            under: self.under.multiply(&other.under, budget)?,
        })
    }

    fn inverse(self) -> Option<Self> {
        (!self.over.0.is_empty()).then_some(Self { over: self.under, under: self.over })
    }

    fn power(self, exponent: i32, budget: &mut Budget) -> Option<Self> {
        let base = if exponent < 0 { self.inverse()? } else { self };
        let mut left = exponent.unsigned_abs();
        if let Some(number) = base.number() {
            let bits = number.numer().bits().max(number.denom().bits());
            let fits = bits <= 1 || bits.saturating_mul(u64::from(left)) <= BITS;
            return fits.then(|| Self::constant(number.pow(left as i32)));
        }
        if left > DEGREE as u32 {
            return None;
        }
        let (mut square, mut result) = (base, Self::constant(BigRational::one()));
        while left > 0 {
            if left % 2 == 1 {
                result = result.multiply(&square, budget)?;
            }
            left /= 2;
            if left > 0 {
                square = square.multiply(&square, budget)?;
            }
        }
        Some(result)
    }

    /// Whether both are the same: `a/b = c/d` where `ad = cb`.
    pub(super) fn same(&self, other: &Self, budget: &mut Budget) -> Option<bool> {
        let left = self.over.multiply(&other.under, budget)?;
        let right = other.over.multiply(&self.under, budget)?;
        Some(left == right)
    }

    /// `a` and `b` of `ax + b`, and which letter x is, if it is the only one.
    pub(super) fn linear(&self) -> Option<(String, BigRational, BigRational)> {
        let under = self.under.number()?;
        let mut found = None;
        let mut rest = BigRational::zero();
        for (monomial, number) in &self.over.0 {
            match &monomial[..] {
                [] => rest = number / &under,
                [(name, 1)] if found.is_none() && !name.starts_with('(') => {
                    found = Some((name.clone(), number / &under));
                }
                _ => return None,
            }
        }
        found.map(|(name, slope)| (name, slope, rest))
    }
}

/// The exact value of an expression; none where it has none that is short, or is divided by 0.
pub(super) fn exact(expr: &Expr, budget: &mut Budget) -> Option<Quotient> {
    let letter = |name| Some(Quotient::whole(Polynomial::letter(name)));
    let number = |expr: &Expr, budget: &mut Budget| exact(expr, budget)?.number();
    match expr {
        Expr::Number(number, _) => Some(Quotient::constant(number.clone())),
        Expr::Variable(name) => letter(name),
        Expr::Pi => letter(PI),
        Expr::Euler => letter(EULER),
        Expr::Imaginary => letter(IMAGINARY),
        Expr::Infinity => None,
        Expr::Sum(a, b) => exact(a, budget)?.add(exact(b, budget)?, budget),
        Expr::Product(a, b) => exact(a, budget)?.multiply(&exact(b, budget)?, budget),
        Expr::Quotient(a, b) => exact(a, budget)?.multiply(&exact(b, budget)?.inverse()?, budget),
        Expr::Negative(a) => exact(a, budget)?.multiply(&Quotient::constant((-1).into_rational()), budget),
        Expr::Percent(a) => exact(a, budget)?.multiply(&Quotient::constant(hundredth()), budget),
        Expr::Degrees(a) => exact(a, budget),
        Expr::Power(a, b) => {
            let exponent = number(b, budget)?;
            let base = exact(a, budget)?;
            if exponent.is_integer() {
                return base.power(exponent.to_integer().to_i32()?, budget);
            }
            let index = exponent.denom().to_u32()?;
            let root = root(&base.number()?, index)?;
            Quotient::constant(root).power(exponent.numer().to_i32()?, budget)
        }
        Expr::Root(index, a) => Some(Quotient::constant(root(&number(a, budget)?, *index)?)),
        Expr::Call(function, a) => Some(Quotient::constant(call(*function, &number(a, budget)?)?)),
        Expr::Logarithm(..) => None,
        Expr::Binomial(n, k) => {
            let (n, k) = (number(n, budget)?, number(k, budget)?);
            let whole = |x: &BigRational| x.is_integer().then(|| x.to_integer().to_u32()).flatten();
            let (n, k) = (whole(&n).filter(|n| *n <= 1000)?, whole(&k)?);
            if k > n {
                return Some(Quotient::constant(BigRational::zero()));
            }
            let times = |so_far: BigInt, at: u32| so_far * (n - at) / (at + 1);
            Some(Quotient::constant((0..k.min(n - k)).fold(BigInt::one(), times).into_rational()))
        }
    }
}

/// A rational root of a rational number, where there is one; of a negative number the odd ones.
fn root(number: &BigRational, index: u32) -> Option<BigRational> {
    if index == 0 || index > 64 || (number.is_negative() && index.is_multiple_of(2)) {
        return None;
    }
    let exact = |n: &BigInt| Some(n.nth_root(index)).filter(|root| root.pow(index) == *n);
    Some(BigRational::new(exact(number.numer())?, exact(number.denom())?))
}

fn call(function: Function, of: &BigRational) -> Option<BigRational> {
    match function {
        Function::Absolute => Some(of.abs()),
        Function::Floor => Some(of.floor()),
        Function::Ceiling => Some(of.ceil()),
        Function::Factorial if of.is_integer() => {
            let n = of.to_integer().to_u32().filter(|n| *n <= 500)?;
            Some((1..=n).fold(BigInt::one(), |product, factor| product * factor).into_rational())
        }
        Function::Sin | Function::Tan if of.is_zero() => Some(BigRational::zero()),
        Function::Exp | Function::Cos if of.is_zero() => Some(BigRational::one()),
        Function::Ln if of.is_one() => Some(BigRational::zero()),
        _ => None,
    }
}

fn hundredth() -> BigRational {
    BigRational::new(BigInt::one(), BigInt::from(100))
}

trait IntoRational {
    fn into_rational(self) -> BigRational;
}

impl<N: Into<BigInt>> IntoRational for N {
    fn into_rational(self) -> BigRational {
        BigRational::from_integer(self.into())
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse::read;
    use super::super::value::Answer;
    use super::*;

    fn value(text: &str) -> Option<Quotient> {
        match read(text, false) {
            Ok(Answer::One(expr)) => exact(&expr, &mut Budget::default()),
            other => panic!("{text}: {other:?}"),
        }
    }

    fn equal(left: &str, right: &str) -> bool {
        let (left, right) = (value(left).unwrap(), value(right).unwrap());
        left.same(&right, &mut Budget::default()).unwrap()
    }

    #[test]
    fn polynomials_are_expanded() {
        assert!(equal("(x+1)^2", "x^2+2x+1"));
        assert!(equal("(a+b)(a-b)", "a^2-b^2"));
        assert!(equal(r"\frac{x}{x+1}", r"1-\frac{1}{x+1}"));
        assert!(equal("(2+3i)(2-3i)", "13"));
        assert!(equal(r"2\pi + \pi", r"3\pi"));
        assert!(!equal("(x+1)^2", "x^2+1"));
        assert!(!equal("x", "y"));
    }

    #[test]
    fn numbers_are_exact() {
        let number = |text: &str| value(text).and_then(|value| value.number()).map(|n| n.to_string());
        for (text, is) in [
            (r"\frac{2}{6}", "1/3"),
            (r"\sqrt{\frac{9}{4}}", "3/2"),
            (r"8^{2/3}", "4"),
            (r"\sqrt[3]{-8}", "-2"),
            (r"\binom{10}{3}", "120"),
            ("5!", "120"),
            ("2^{-3}", "1/8"),
            ("0.1 + 0.2", "3/10"),
            (r"1.5 \times 10^{3}", "1500"),
            (r"25\%", "1/4"),
        ] {
            assert_eq!(number(text).as_deref(), Some(is), "{text}");
        }
    }

    #[test]
    fn what_is_too_large_or_has_no_value_is_none() {
        for text in ["9^{9^9}", "(x+y+z+w)^{60}", "1/0", "x^{1000}", r"\sqrt{2}", "600!", "2^{-99999999}"] {
            assert!(value(text).is_none(), "{text}");
        }
    }
}
