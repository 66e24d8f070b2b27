//! LaTeX's commands, functions by their names, and letters.

use super::parse::{Parser, Read};
use super::tokens::Token;
use super::value::{Expr, Function};

impl Parser {
    pub(super) fn command(&mut self, name: &str) -> Read<Expr> {
        self.count()?;
        match name {
            "frac" => {
                let over = self.argument()?;
                Ok(Expr::Quotient(Box::new(over), Box::new(self.argument()?)))
            }
            "binom" => {
                let n = self.argument()?;
                Ok(Expr::Binomial(Box::new(n), Box::new(self.argument()?)))
            }
            "sqrt" => {
                let mut index = 2;
                self.blanks();
                if self.sign() == Some('[') {
                    let Expr::Number(number, _) = self.group(']')? else {
                        return Err("a root's index is a whole number".into());
                    };
                    index = u32::try_from(number.to_integer()).map_err(|_| "a root's index is too large")?;
                }
                // √ of plain text may have round brackets
                Ok(Expr::Root(index, Box::new(self.argument()?)))
            }
            "lfloor" | "lceil" => {
                let inside = self.expression()?;
                self.blanks();
                let (function, close) =
                    if name == "lfloor" { (Function::Floor, "rfloor") } else { (Function::Ceiling, "rceil") };
                if self.peek() != Some(&Token::Command(close.into())) {
                    return Err(format!("a `\\{close}` is missing"));
                }
                self.at += 1;
                Ok(Expr::Call(function, Box::new(inside)))
            }
            _ => self.function(name).unwrap_or_else(|| match GREEK.contains(&name) {
                true => Ok(self.subscript(name.to_string())),
                false => Err(format!("`\\{name}` is not understood")),
            }),
        }
    }

    /// A function by its name, with what it is applied to; none where there is no such function.
    fn function(&mut self, name: &str) -> Option<Read<Expr>> {
        let function = match name {
            "sin" => Function::Sin,
            "cos" => Function::Cos,
            "tan" => Function::Tan,
            "ln" => Function::Ln,
            "exp" => Function::Exp,
            "log" => return Some(self.logarithm()),
            _ => return None,
        };
        Some(self.applied().map(|(exponent, of)| {
            let trigonometric = matches!(function, Function::Sin | Function::Cos | Function::Tan);
            let of = match of {
                // degrees are a hundred and eightieth of π
                Expr::Degrees(of) if trigonometric => Expr::Quotient(
                    Box::new(Expr::Product(of, Box::new(Expr::Pi))),
                    Box::new(Expr::whole(180)),
                ),
                of => of,
            };
            let value = Expr::Call(function, Box::new(of));
            match exponent {
                Some(exponent) => Expr::Power(Box::new(value), Box::new(exponent)),
                None => value,
            }
        }))
    }

    /// What a function is applied to, and the exponent between its name and that.
    fn applied(&mut self) -> Read<(Option<Expr>, Expr)> {
        self.blanks();
        let exponent = if self.eat('^') { Some(self.argument()?) } else { None };
        self.blanks();
        if self.sign() == Some('(') {
            return Ok((exponent, self.deeper(|parser| parser.group(')'))?));
        }
        let mut of = self.signed_power()?;
        // `sin 2x` is of both
        while let Some(Token::Letter(_) | Token::Sign('π')) = self.peek() {
            self.count()?;
            of = Expr::Product(Box::new(of), Box::new(self.power()?));
        }
        Ok((exponent, of))
    }

    fn logarithm(&mut self) -> Read<Expr> {
        self.blanks();
        let base = if self.eat('_') { self.argument()? } else { Expr::whole(10) };
        let (exponent, of) = self.applied()?;
        let value = Expr::Logarithm(Box::new(base), Box::new(of));
        Ok(match exponent {
            Some(exponent) => Expr::Power(Box::new(value), Box::new(exponent)),
            None => value,
        })
    }

    /// Letters side by side: a function's name, or a variable, the first of them.
    pub(super) fn letters(&mut self) -> Read<Expr> {
        let word: String = (self.at..).map_while(|at| self.letter_at(at)).collect();
        let small = word.to_lowercase();
        for name in ["sqrt", "sin", "cos", "tan", "ln", "log", "exp"] {
            if small.starts_with(name) && (name == "sqrt" || small == name) {
                self.at += name.len();
                return self.command(name).map_err(|why| format!("{name}: {why}"));
            }
        }
        let whole = match small.as_str() {
            "pi" => Some(Expr::Pi),
            "inf" | "infinity" | "oo" => Some(Expr::Infinity),
            _ => None,
        };
        if let Some(whole) = whole {
            self.at += word.chars().count();
            return Ok(whole);
        }
        if word.chars().count() > 3 {
            return Err(format!("\"{word}\" is a word, and no number and no expression"));
        }
        let first = word.chars().next().unwrap_or_default();
        self.at += 1;
        Ok(match self.subscript(first.to_string()) {
            Expr::Variable(name) => variable(name),
            other => other,
        })
    }

    /// A variable with the subscript that may follow it.
    pub(super) fn subscript(&mut self, mut name: String) -> Expr {
        if self.sign() == Some('_') {
            self.at += 1;
            let braces = self.eat('{');
            name.push('_');
            while let Some(Token::Digit(sign) | Token::Letter(sign)) = self.peek() {
                name.push(*sign);
                self.at += 1;
                if !braces {
                    break;
                }
            }
            if braces {
                self.eat('}');
            }
        }
        Expr::Variable(name)
    }
}

/// A letter: a number that has a name, or a variable.
pub(super) fn variable(name: String) -> Expr {
    match name.as_str() {
        "e" => Expr::Euler,
        "i" => Expr::Imaginary,
        "π" => Expr::Pi,
        _ => Expr::Variable(name),
    }
}

const GREEK: &[&str] = &[
    "alpha",
    "beta",
    "gamma",
    "delta",
    "epsilon",
    "varepsilon",
    "zeta",
    "eta",
    "theta",
    "iota",
    "kappa",
    "lambda",
    "mu",
    "nu",
    "xi",
    "rho",
    "sigma",
    "tau",
    "phi",
    "varphi",
    "chi",
    "psi",
    "omega",
    "Gamma",
    "Delta",
    "Theta",
    "Lambda",
    "Sigma",
    "Phi",
    "Psi",
    "Omega",
    "ell",
];
