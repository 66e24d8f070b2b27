//! What signs of relation make of expressions: names, equations, intervals.

use num_traits::{Signed, Zero};

use super::exact::{exact, Budget};
use super::parse::Read;
use super::value::{Answer, Expr};

/// The answer that `all` are with `signs` between them.
pub(super) fn related(mut all: Vec<Expr>, signs: &[char]) -> Read<Answer> {
    let last = all.pop().ok_or("there is nothing")?;
    match signs {
        [] => Ok(Answer::One(last)),
        _ if signs.iter().all(|sign| *sign == '=') => {
            let name = all.first().and_then(name_of);
            let before = all.pop().ok_or("there is nothing")?;
            Ok(match name {
                Some(name) => Answer::Named(name, Box::new(Answer::One(last))),
                None => Answer::Equation(before, last),
            })
        }
        [sign] => {
            let first = all.pop().ok_or("there is nothing")?;
            match sign {
                '<' | '≤' => Ok(below(first, last, *sign == '≤')),
                '>' | '≥' => Ok(below(last, first, *sign == '≥')),
                _ => Err("`≠` says what an answer is not".into()),
            }
        }
        // 1 < x ≤ 3
        [first, second] if all.len() == 2 && name_of(&all[1]).is_some() => {
            let low = all.swap_remove(0);
            let (left, right) = (Answer::One(low), Answer::One(last));
            match (first, second) {
                ('<' | '≤', '<' | '≤') => {
                    let (open, close) = (bracket(*first, '(', '['), bracket(*second, ')', ']'));
                    Ok(Answer::Ordered(open, vec![left, right], close))
                }
                ('>' | '≥', '>' | '≥') => {
                    let (open, close) = (bracket(*second, '(', '['), bracket(*first, ')', ']'));
                    Ok(Answer::Ordered(open, vec![right, left], close))
                }
                _ => Err("two relations that do not go the same way".into()),
            }
        }
        _ => Err("relations that are not understood together".into()),
    }
}

fn bracket(sign: char, strict: char, or_equal: char) -> char {
    if "≤≥".contains(sign) {
        or_equal
    } else {
        strict
    }
}

/// `low < high`: where one letter stands in it, and alone, it is an interval.
fn below(low: Expr, high: Expr, or_equal: bool) -> Answer {
    let difference = Expr::Sum(Box::new(low.clone()), Box::new(Expr::Negative(Box::new(high.clone()))));
    let linear = exact(&difference, &mut Budget::default()).and_then(|value| value.linear());
    match linear {
        // ax + b < 0
        Some((_, a, b)) if !a.is_zero() => {
            let bound = Answer::One(Expr::Number(-b / &a, false));
            if a.is_positive() {
                let below = Answer::One(Expr::Negative(Box::new(Expr::Infinity)));
                Answer::Ordered('(', vec![below, bound], if or_equal { ']' } else { ')' })
            } else {
                Answer::Ordered(
                    if or_equal { '[' } else { '(' },
                    vec![bound, Answer::One(Expr::Infinity)],
                    ')',
                )
            }
        }
        _ => Answer::Below(low, high, or_equal),
    }
}

/// What the left side of `x = 3` or `f(x) = x + 1` calls the right one.
fn name_of(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Variable(name) => Some(name.clone()),
        Expr::Euler => Some("e".into()),
        Expr::Imaginary => Some("i".into()),
        Expr::Product(function, of) => match (&**function, &**of) {
            (Expr::Variable(name), Expr::Variable(_)) if "fghPpF".contains(name.as_str()) => {
                Some(name.clone())
            }
            _ => None,
        },
        _ => None,
    }
}
