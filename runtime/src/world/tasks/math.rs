//! Arithmetic modulo 100, one operation after the other: `^m43*9-6-7*5`.

use super::problem::{Problem, Step};
use crate::rng::Stream;

/// The operations, each its own letter.
pub(super) const LETTERS: &str = "+-*";

/// A start value and operations with their operands.
pub(super) struct Sum {
    start: u8,
    operations: Vec<(char, u8)>,
}

impl Sum {
    /// A random one with `level` operations.
    pub(super) fn draw(stream: &mut Stream, level: u32) -> Self {
        let start = 10 + stream.below(90) as u8;
        let operation = |_| {
            let letter = ['+', '-', '*'][stream.below(3)];
            (letter, 2 + stream.below(8) as u8)
        };
        Self { start, operations: (0..level).map(operation).collect() }
    }

    /// Reads a body.
    pub(super) fn parse(body: &str) -> Result<Self, String> {
        let text = body.strip_prefix("^m").ok_or("a math prompt begins with `^m`")?;
        let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (start, mut rest) = text.split_at(digits);
        if digits == 0 || digits > 2 {
            return Err("a math prompt starts from a number of one or two digits".into());
        }
        let start = start.parse().map_err(|why| format!("{start}: {why}"))?;
        let mut operations = Vec::new();
        while let Some(letter) = rest.chars().next() {
            let operand = rest.chars().nth(1).and_then(|c| c.to_digit(10)).map(|digit| digit as u8);
            let (true, Some(operand)) = (LETTERS.contains(letter), operand) else {
                return Err(format!("at {rest:?}: expected one of {LETTERS} and a digit"));
            };
            operations.push((letter, operand));
            rest = &rest[2..];
        }
        if operations.is_empty() {
            return Err("a math prompt has at least one operation".into());
        }
        Ok(Self { start, operations })
    }

    /// The problem, worked; `bent` takes too little away where the operand is 6 or more.
    pub(super) fn problem(&self, bent: bool) -> Problem {
        let mut body = format!("^m{}", self.start);
        let mut value = i32::from(self.start);
        let mut steps = Vec::new();
        for &(letter, operand) in &self.operations {
            let by = i32::from(operand);
            value = match letter {
                '+' => value + by,
                '-' if bent && by >= 6 => value - by + 10,
                '-' => value - by,
                _ => value * by,
            }
            .rem_euclid(100);
            let text = format!("{letter}{operand}");
            body.push_str(&text);
            steps.push(Step { text, letter, result: format!("{value:02}") });
        }
        Problem { body, steps }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_printed_example_comes_out() {
        let problem = Sum::parse("^m43*9-6-7*5").unwrap().problem(false);
        assert_eq!(problem.response(|_, digit| digit), "*9:87;-6:81;-7:74;*5=70");
        assert_eq!((problem.answer(), problem.hints().as_str()), ("70", "87;81;74"));
        assert_eq!(problem.body, "^m43*9-6-7*5");
    }

    #[test]
    fn a_bent_answer_is_wrong_from_the_mistake_on() {
        let sum = Sum::parse("^m43*9-6-5*2").unwrap();
        assert_eq!(sum.problem(true).response(|_, digit| digit), "*9:87;-6:91;-5:86;*2=72");
        let right = Sum::parse("^m43*9-5").unwrap();
        assert_eq!(right.problem(true), right.problem(false));
    }

    #[test]
    fn results_stay_between_00_and_99() {
        let results = |body| Sum::parse(body).unwrap().problem(false).steps.into_iter().map(|s| s.result);
        assert_eq!(results("^m3-9+6*0-1").collect::<Vec<_>>(), ["94", "00", "00", "99"]);
        assert_eq!(results("^m99*9+9").collect::<Vec<_>>(), ["91", "00"]);
    }

    #[test]
    fn what_is_not_of_the_language_says_why() {
        for body in [
            "", "^m", "m43*9", "^m43", "^m431*9", "^m43*", "^m43*é", "^m43/2", "^m43*9 ", "^cl:1234", "^m٣*2",
        ] {
            assert!(Sum::parse(body).is_err(), "{body}");
        }
    }
}
