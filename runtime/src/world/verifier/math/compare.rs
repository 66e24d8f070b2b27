//! When two answers are the same.

use super::exact::{exact, Budget};
use super::numeric::{value, Complex};
use super::value::{is_finite_decimal, Answer, Expr};

/// How far two values may be apart, of the size of the larger, that floating point worked out both.
const NEAR: f64 = 1e-9;
/// How far a decimal may be from a value that no decimal is: half of the sixth place, or that part of the value.
const ROUNDED: f64 = 5e-7;
/// Places at which expressions with letters are compared that have no exact value.
const PLACES: u64 = 4;
/// Members of a set that are compared, each with each.
const MEMBERS: usize = 60;

/// Whether `said` is what `gold` says.
pub(super) fn same(gold: &Answer, said: &Answer) -> bool {
    use Answer::{Below, Equation, Matrix, Named, One, Ordered, Several, Union};
    match (gold, said) {
        (One(a), One(b)) => equal(a, b),
        (Named(name, a), Named(other, b)) => name == other && same(a, b) || related(gold, said),
        (Equation(..), Named(..) | Equation(..)) | (Named(..), Equation(..)) => related(gold, said),
        (Named(_, a), b) => same(a, b),
        (a, Named(_, b)) => same(a, b),
        // of `3 + 4 = 7` the 7 is the answer
        (a, Equation(_, last)) => same(a, &One(last.clone())),
        (Several(all), other) | (other, Several(all)) if all.len() == 1 && !matches!(other, Several(_)) => {
            same(&all[0], other)
        }
        (Several(a), Several(b) | Ordered(_, b, _)) | (Union(a), Union(b)) => as_sets(a, b),
        // a pair without its brackets
        (Ordered('(', a, ')'), Several(b)) => in_order(a, b),
        (Ordered(open, a, close), Ordered(opened, b, closed)) => {
            open == opened && close == closed && in_order(a, b)
        }
        (Matrix(a), Matrix(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| in_order(a, b)),
        (Below(low, high, equal), Below(lower, higher, or_equal)) => {
            equal == or_equal && proportional((low, high), (lower, higher)).is_some_and(|by| by > 0.0)
        }
        _ => false,
    }
}

fn in_order(gold: &[Answer], said: &[Answer]) -> bool {
    gold.len() == said.len() && gold.iter().zip(said).all(|(gold, said)| same(gold, said))
}

fn as_sets(gold: &[Answer], said: &[Answer]) -> bool {
    gold.len().max(said.len()) <= MEMBERS
        && gold.iter().all(|gold| said.iter().any(|said| same(gold, said)))
        && said.iter().all(|said| gold.iter().any(|gold| same(gold, said)))
}

/// Both as equations: one is a multiple of the other.
fn related(gold: &Answer, said: &Answer) -> bool {
    let sides = |answer: &Answer| match answer {
        Answer::Equation(left, right) => Some((left.clone(), right.clone())),
        Answer::Named(name, value) => match &**value {
            Answer::One(right) => Some((Expr::Variable(name.clone()), right.clone())),
            _ => None,
        },
        _ => None,
    };
    let (Some(gold), Some(said)) = (sides(gold), sides(said)) else { return false };
    proportional((&gold.0, &gold.1), (&said.0, &said.1)).is_some()
}

/// The factor between the differences of two pairs, if it is the same wherever one looks.
fn proportional(gold: (&Expr, &Expr), said: (&Expr, &Expr)) -> Option<f64> {
    let mut factor: Option<Complex> = None;
    for place in 0..PLACES {
        let difference = |(left, right): (&Expr, &Expr)| value(left, place).minus(value(right, place));
        let here = difference(said).over(difference(gold));
        if !(here.size().is_finite() && here.size() > NEAR) {
            return None;
        }
        match factor {
            Some(known) if !near(known, here, NEAR) => return None,
            _ => factor = Some(here),
        }
    }
    factor.map(|factor| factor.re)
}

/// A value without its percent sign.
fn without_percent(expr: &Expr) -> Option<Expr> {
    match expr {
        Expr::Percent(of) => Some((**of).clone()),
        Expr::Negative(of) => without_percent(of).map(|of| Expr::Negative(Box::new(of))),
        _ => None,
    }
}

/// Whether two expressions are the same for every number that their letters can be. Of percents, `50%` is the
/// same as 0.5 and as 50.
fn equal(gold: &Expr, said: &Expr) -> bool {
    match (without_percent(gold), without_percent(said)) {
        (Some(gold), None) if equal(&gold, said) => return true,
        (None, Some(said)) if equal(gold, &said) => return true,
        _ => {}
    }
    if let (Some(gold), Some(said)) = (infinity(gold), infinity(said)) {
        return gold == said;
    }
    let budget = &mut Budget::default();
    let values = (exact(gold, budget), exact(said, budget));
    let tolerance = tolerance(gold, said);
    if let (Some(a), Some(b)) = &values
        && let Some(same) = a.same(b, budget)
        && (same || tolerance.is_none())
    {
        return same;
    }
    let places = if gold.has_variables() || said.has_variables() { PLACES } else { 1 };
    (0..places).all(|place| match tolerance {
        Some(off) => {
            let (gold, said) = (value(gold, place), value(said, place));
            gold.minus(said).size() <= off * gold.size().max(1.0)
        }
        None => near(value(gold, place), value(said, place), NEAR),
    })
}

/// How far the values may be apart where one was rounded: one is a decimal, and the other no decimal can be.
fn tolerance(gold: &Expr, said: &Expr) -> Option<f64> {
    if gold.has_variables() || said.has_variables() || gold.has_decimals() == said.has_decimals() {
        return None;
    }
    let other = if gold.has_decimals() { said } else { gold };
    let value = exact(other, &mut Budget::default()).and_then(|value| value.number());
    (!value.is_some_and(|value| is_finite_decimal(&value))).then_some(ROUNDED)
}

/// Whether it is +∞ or −∞.
fn infinity(expr: &Expr) -> Option<bool> {
    match expr {
        Expr::Infinity => Some(true),
        Expr::Negative(of) => infinity(of).map(|positive| !positive),
        _ => None,
    }
}

fn near(a: Complex, b: Complex, part: f64) -> bool {
    // what is no finite number is near nothing
    let size = a.size().max(b.size());
    size.is_finite() && a.minus(b).size() <= part * size
}

/// Whether a value can be found at all: a gold answer without one could never be met.
pub(super) fn has_value(answer: &Answer) -> bool {
    let of = |expr: &Expr| {
        infinity(expr).is_some()
            || exact(expr, &mut Budget::default()).is_some()
            || (0..PLACES).any(|place| value(expr, place).size().is_finite())
    };
    match answer {
        Answer::One(one) => of(one),
        Answer::Named(_, one) => has_value(one),
        Answer::Several(all) | Answer::Ordered(_, all, _) | Answer::Union(all) => all.iter().all(has_value),
        Answer::Matrix(rows) => rows.iter().flatten().all(has_value),
        Answer::Equation(a, b) | Answer::Below(a, b, _) => of(a) && of(b),
        Answer::Word(_) => true,
    }
}
