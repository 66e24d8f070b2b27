//! Expressions: sums, products, powers and what stands in brackets. Commands and letters are in `commands.rs`,
//! numbers in `numbers.rs`.

use num_traits::{Signed, Zero};

use super::commands::variable;
use super::parse::{Parser, Read};
use super::tokens::Token;
use super::value::{Expr, Function};

impl Parser {
    /// Terms between `+` and `-`.
    pub(super) fn expression(&mut self) -> Read<Expr> {
        self.deeper(|parser| {
            let mut sum = parser.term()?;
            loop {
                let before = parser.at;
                parser.blanks();
                let Some(sign) = parser.sign().filter(|sign| "+-".contains(*sign)) else {
                    parser.at = before;
                    return Ok(sum);
                };
                parser.at += 1;
                parser.count()?;
                let term = parser.term()?;
                let term = if sign == '-' { Expr::Negative(Box::new(term)) } else { term };
                sum = Expr::Sum(Box::new(sum), Box::new(term));
            }
        })
    }

    /// Factors between `*` and `/`, or side by side.
    fn term(&mut self) -> Read<Expr> {
        let mut negative = false;
        self.blanks();
        while let Some(sign) = self.sign().filter(|sign| "+-".contains(*sign)) {
            negative ^= sign == '-';
            self.at += 1;
            self.blanks();
        }
        let mut product = self.power()?;
        loop {
            let before = self.at;
            let apart = self.blanks();
            if !product.has_variables() && self.units(apart) {
                continue;
            }
            product = match self.sign() {
                Some(sign @ ('*' | '/' | ':')) => {
                    self.at += 1;
                    self.count()?;
                    let factor = self.signed_power()?;
                    if sign == '*' {
                        Expr::Product(Box::new(product), Box::new(factor))
                    } else {
                        Expr::Quotient(Box::new(product), Box::new(factor))
                    }
                }
                _ if self.begins_factor(apart, &product) => {
                    self.count()?;
                    self.beside(product)?
                }
                _ => {
                    self.at = before;
                    break;
                }
            };
        }
        Ok(if negative { Expr::Negative(Box::new(product)) } else { product })
    }

    /// Whether what stands here multiplies what stands before it.
    fn begins_factor(&self, apart: bool, before: &Expr) -> bool {
        match self.peek() {
            Some(Token::Letter(_)) => !self.is_joint(),
            Some(Token::Command(name)) => !(name.starts_with("end ") || name == "rfloor" || name == "rceil"),
            Some(Token::Sign(sign)) => "({π∞".contains(*sign),
            // `3 1/2`; two numbers side by side are no product
            Some(Token::Digit(_)) => apart && whole(before) && self.is_fraction(),
            _ => false,
        }
    }

    pub(super) fn is_joint(&self) -> bool {
        let word: String = (0..4).map_while(|i| self.letter_at(self.at + i)).collect();
        word == "and" || word == "or"
    }

    /// Whether `1/2` stands here: digits, a slash, digits.
    fn is_fraction(&self) -> bool {
        let digits = |from: usize| (from..).take_while(|at| self.digit_at(*at).is_some()).count();
        let over = digits(self.at);
        let slash = self.at + over;
        over > 0 && self.sign_at(slash) == Some('/') && digits(slash + 1) > 0
    }

    /// What stands beside a factor: another one, or the fraction of a mixed number.
    fn beside(&mut self, before: Expr) -> Read<Expr> {
        if matches!(self.peek(), Some(Token::Digit(_))) {
            let over = self.number()?;
            self.at += 1;
            let under = self.number()?;
            let fraction = Expr::Quotient(Box::new(over), Box::new(under));
            return Ok(Expr::Sum(Box::new(before), Box::new(fraction)));
        }
        let fraction = matches!(self.peek(), Some(Token::Command(name)) if name == "frac");
        let factor = self.power()?;
        let mixed = fraction
            && whole(&before)
            && matches!(&factor, Expr::Quotient(over, under) if whole(over) && whole(under));
        Ok(if mixed {
            Expr::Sum(Box::new(before), Box::new(factor))
        } else {
            Expr::Product(Box::new(before), Box::new(factor))
        })
    }

    pub(super) fn signed_power(&mut self) -> Read<Expr> {
        self.blanks();
        let mut negative = false;
        while let Some(sign) = self.sign().filter(|sign| "+-".contains(*sign)) {
            negative ^= sign == '-';
            self.at += 1;
            self.blanks();
        }
        let power = self.power()?;
        Ok(if negative { Expr::Negative(Box::new(power)) } else { power })
    }

    /// A factor with its exponent.
    pub(super) fn power(&mut self) -> Read<Expr> {
        self.deeper(|parser| {
            let mut base = parser.atom()?;
            base = parser.marks(base)?;
            let before = parser.at;
            parser.blanks();
            if !parser.eat('^') {
                parser.at = before;
                return Ok(base);
            }
            parser.blanks();
            parser.count()?;
            if parser.eat('°') || parser.braced_degree() {
                return Ok(Expr::Degrees(Box::new(base)));
            }
            let exponent = match parser.sign() {
                Some('-' | '+') => parser.signed_power()?,
                Some('{') => parser.group('}')?,
                _ => parser.power()?,
            };
            let power = Expr::Power(Box::new(base), Box::new(exponent));
            parser.marks(power)
        })
    }

    fn braced_degree(&mut self) -> bool {
        let before = self.at;
        if self.eat('{') {
            self.blanks();
            if self.eat('°') {
                self.blanks();
                if self.eat('}') {
                    return true;
                }
            }
        }
        self.at = before;
        false
    }

    /// Factorials, percent and degree signs after a factor.
    fn marks(&mut self, mut of: Expr) -> Read<Expr> {
        loop {
            let before = self.at;
            self.blanks();
            if self.is_percent() {
                of = Expr::Percent(Box::new(of));
                continue;
            }
            of = match self.sign() {
                Some('!') => Expr::Call(Function::Factorial, Box::new(of)),
                Some('%') => Expr::Percent(Box::new(of)),
                Some('°') => Expr::Degrees(Box::new(of)),
                _ => {
                    self.at = before;
                    return Ok(of);
                }
            };
            self.at += 1;
            self.count()?;
        }
    }

    /// Passes over the word "percent", if it stands here.
    fn is_percent(&mut self) -> bool {
        let letters = (0..8).map(|i| self.letter_at(self.at + i));
        if letters.eq("percent".chars().map(Some).chain([None])) {
            self.at += 7;
            return true;
        }
        let words = matches!(self.peek(), Some(Token::Words(words)) if words == "percent");
        self.at += usize::from(words);
        words
    }

    fn atom(&mut self) -> Read<Expr> {
        self.blanks();
        match self.peek().cloned() {
            Some(Token::Digit(_) | Token::Sign('.')) => self.number(),
            Some(Token::Letter(_)) => self.letters(),
            Some(Token::Command(name)) => {
                self.at += 1;
                self.command(&name)
            }
            Some(Token::Sign(sign)) => match sign {
                '(' => self.group(')'),
                '[' => self.group(']'),
                '{' => self.group('}'),
                '|' => Ok(Expr::Call(Function::Absolute, Box::new(self.group('|')?))),
                'π' => self.alone(Expr::Pi),
                '∞' => self.alone(Expr::Infinity),
                other => Err(format!("`{other}` stands where a number is expected")),
            },
            Some(Token::Words(words)) => Err(format!("\"{words}\" stands where a number is expected")),
            _ => Err("there is no number and no expression".into()),
        }
    }

    fn alone(&mut self, expr: Expr) -> Read<Expr> {
        self.at += 1;
        Ok(expr)
    }

    /// An expression between the bracket here and the one that closes it.
    pub(super) fn group(&mut self, close: char) -> Read<Expr> {
        self.at += 1;
        let inside = self.expression()?;
        self.must(close)?;
        Ok(inside)
    }

    /// What a command of LaTeX applies to: braces, or the one thing after it, of a number the first digit.
    pub(super) fn argument(&mut self) -> Read<Expr> {
        self.blanks();
        if let Some(digit) = self.digit_at(self.at) {
            self.at += 1;
            return Ok(Expr::whole(digit.to_digit(10).unwrap_or_default()));
        }
        if self.sign() == Some('{') {
            return self.group('}');
        }
        if let Some(letter) = self.letter_at(self.at) {
            self.at += 1;
            return Ok(variable(letter.to_string()));
        }
        self.deeper(Self::atom)
    }
}

fn whole(expr: &Expr) -> bool {
    matches!(expr, Expr::Number(number, false) if number.is_integer() && !number.is_negative() || number.is_zero())
}
