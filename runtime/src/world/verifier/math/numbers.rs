//! Numbers, and the units after them.

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Signed};

use super::parse::{Parser, Read};
use super::tokens::Token;
use super::units::is_unit;
use super::value::Expr;

/// The longest number, in digits.
const DIGITS: usize = 1000;

impl Parser {
    /// Digits with thousands separators, a decimal point, repeating decimals, an exponent; a base after it is
    /// passed over.
    pub(super) fn number(&mut self) -> Read<Expr> {
        let mut digits = self.digits();
        while self.grouped() && self.sign() == Some(',') && !digits.is_empty() && digits.len() <= DIGITS {
            let here = self.at;
            self.at += 1;
            let group = self.digits();
            if group.len() != 3 {
                self.at = here;
                break;
            }
            digits.push_str(&group);
        }
        let mut decimals = String::new();
        let point = self.sign() == Some('.') && (!digits.is_empty() || self.digit_at(self.at + 1).is_some());
        let before = self.at;
        if point {
            self.at += 1;
            decimals = self.digits();
        }
        let mut number = parsed(&format!("{digits}{decimals}"))?;
        let scale = |places: usize| BigRational::from_integer(BigInt::from(10).pow(places as u32));
        number /= scale(decimals.len());
        if point && self.peek() == Some(&Token::Command("overline".into())) {
            self.at += 1;
            self.must('{')?;
            let period = self.digits();
            self.must('}')?;
            let nines = scale(period.len()) - BigRational::one();
            if !nines.is_positive() {
                return Err("a period has digits".into());
            }
            number += parsed(&period)? / nines / scale(decimals.len());
            return Ok(Expr::Number(number, false));
        }
        if point && decimals.is_empty() {
            // the end of a sentence
            self.at = before;
        }
        if let Some(exponent) = self.exponent() {
            let by = scale(exponent.unsigned_abs() as usize);
            number = if exponent < 0 { number / by } else { number * by };
        }
        if self.sign() == Some('_') {
            let _ = self.subscript(String::new());
        }
        Ok(Expr::Number(number, !decimals.is_empty()))
    }

    fn digits(&mut self) -> String {
        let found: String = (self.at..).map_while(|at| self.digit_at(at)).collect();
        self.at += found.len();
        found
    }

    /// The exponent of `1.5e3`, if it has one.
    fn exponent(&mut self) -> Option<i32> {
        let before = self.at;
        if matches!(self.letter_at(self.at), Some('e' | 'E')) {
            self.at += 1;
            let negative = self.eat('-');
            if !negative {
                self.eat('+');
            }
            let digits = self.digits();
            if let Some(exponent) = digits.parse::<i32>().ok().filter(|n| *n <= 400) {
                return Some(if negative { -exponent } else { exponent });
            }
        }
        self.at = before;
        None
    }

    /// Passes over a unit, if one stands here: `cm`, `\text{ m}^2`, `km/h`, and of what has no letters any word.
    pub(super) fn units(&mut self, apart: bool) -> bool {
        let before = self.at;
        match self.peek() {
            Some(Token::Words(_)) => self.at += 1,
            Some(Token::Letter(_)) if !self.is_joint() => {
                let word: String = (self.at..).map_while(|at| self.letter_at(at)).collect();
                let known = is_unit(&word, self.worded);
                let any = self.worded && apart && word.chars().count() > 2;
                if !known && !any {
                    return false;
                }
                self.at += word.chars().count();
            }
            _ => return false,
        }
        // an exponent, and the unit below the line
        if self.eat('^') {
            let braces = self.eat('{');
            let _ = self.digits();
            if braces {
                self.eat('}');
            }
        }
        let after = self.at;
        if self.eat('/') {
            self.blanks();
            if !matches!(self.peek(), Some(Token::Letter(_) | Token::Words(_))) || !self.units(true) {
                self.at = after;
            }
        }
        self.at > before
    }
}

fn parsed(digits: &str) -> Read<BigRational> {
    if digits.len() > DIGITS {
        return Err(format!("a number of more than {DIGITS} digits is not read"));
    }
    let number: BigInt = digits.parse().map_err(|_| "there is no number".to_string())?;
    Ok(BigRational::from_integer(number))
}
