//! The domains and what they have in common.

use super::problem::{body, Problem};
use super::{code, math};
use crate::rng::Stream;

/// A domain of tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TaskDomain {
    /// Arithmetic modulo 100.
    Math,
    /// Programs in a small list language.
    Code,
}

impl TaskDomain {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Math, Self::Code];

    /// Its name in run files and data rows.
    pub fn name(self) -> &'static str {
        match self {
            Self::Math => "math",
            Self::Code => "code",
        }
    }

    /// The domain of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|domain| domain.name() == name)
    }

    /// The letters of its operations.
    pub fn letters(self) -> &'static str {
        match self {
            Self::Math => math::LETTERS,
            Self::Code => code::LETTERS,
        }
    }

    /// Reads a prompt, with or without a hint, and works it; the error says why it is not of the
    /// domain's language.
    pub fn solve(self, prompt: &str) -> Result<Problem, String> {
        let body = body(prompt)?;
        match self {
            Self::Math => Ok(math::Sum::parse(body)?.problem(false)),
            Self::Code => Ok(code::Program::parse(body)?.problem(false)),
        }
    }

    /// The problem as somebody works it who makes the same mistake every time (see
    /// [`TaskSpec::bent`](super::TaskSpec)): all else is right.
    pub(super) fn bent(self, problem: &Problem) -> Problem {
        let bent = match self {
            Self::Math => math::Sum::parse(&problem.body).map(|sum| sum.problem(true)),
            Self::Code => code::Program::parse(&problem.body).map(|program| program.problem(true)),
        };
        bent.unwrap_or_else(|_| problem.clone())
    }

    /// A random problem of `level` steps.
    pub(super) fn draw(self, stream: &mut Stream, level: u32) -> Problem {
        match self {
            Self::Math => math::Sum::draw(stream, level).problem(false),
            Self::Code => code::Program::draw(stream, level).problem(false),
        }
    }

    /// How many different problems of `level` steps there are.
    pub(super) fn problems(self, level: u32) -> f64 {
        match self {
            Self::Math => 90.0 * 24f64.powf(f64::from(level)),
            Self::Code => 10_000.0 * 8f64.powf(f64::from(level)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_both_ways() {
        assert!(TaskDomain::ALL.iter().all(|&domain| TaskDomain::named(domain.name()) == Some(domain)));
        assert_eq!(TaskDomain::named("Math"), None);
    }

    #[test]
    fn the_hint_does_not_change_the_problem() {
        let plain = TaskDomain::Math.solve("^m43*9-6-7*5>");
        assert_eq!(plain, TaskDomain::Math.solve("^m43*9-6-7*5?11;22;33>"));
        assert!(plain.is_ok());
        assert!(TaskDomain::Code.solve("^m43*9-6-7*5>").is_err());
    }
}
