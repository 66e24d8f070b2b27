//! Programs in a small list language: `^clis:9489` runs `l`, `i`, `s` on the list 9489.

use super::problem::{Problem, Step};
use crate::rng::Stream;

/// The instructions, each its own letter.
pub(super) const LETTERS: &str = "rslwidnp";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Instruction {
    Reverse,
    Sort,
    RotateLeft,
    SwapFirst,
    Increment,
    Double,
    Nines,
    RunningSum,
}

use Instruction::{Double, Increment, Nines, Reverse, RotateLeft, RunningSum, Sort, SwapFirst};

/// In the order of [`LETTERS`].
const ALL: [Instruction; 8] = [Reverse, Sort, RotateLeft, SwapFirst, Increment, Double, Nines, RunningSum];

impl Instruction {
    fn read(letter: char) -> Option<Self> {
        LETTERS.find(letter).and_then(|at| ALL.get(at)).copied()
    }

    fn run(self, list: &mut [u8]) {
        match self {
            Reverse => list.reverse(),
            Sort => list.sort_unstable(),
            RotateLeft => list.rotate_left(1.min(list.len())),
            SwapFirst => {
                if let [first, second, ..] = list {
                    std::mem::swap(first, second);
                }
            }
            Increment => list.iter_mut().for_each(|x| *x = (*x + 1) % 10),
            Double => list.iter_mut().for_each(|x| *x = 2 * *x % 10),
            Nines => list.iter_mut().for_each(|x| *x = 9 - *x),
            RunningSum => {
                let mut sum = 0;
                for x in list {
                    sum = (sum + *x) % 10;
                    *x = sum;
                }
            }
        }
    }
}

/// Instructions and the list of digits they run on.
pub(super) struct Program {
    instructions: Vec<(char, Instruction)>,
    input: Vec<u8>,
}

impl Program {
    /// A random one with `level` instructions, on four digits.
    pub(super) fn draw(stream: &mut Stream, level: u32) -> Self {
        let letters: Vec<char> = LETTERS.chars().collect();
        let instruction = |_| {
            let at = stream.below(ALL.len());
            (letters[at], ALL[at])
        };
        let instructions = (0..level).map(instruction).collect();
        Self { instructions, input: (0..4).map(|_| stream.below(10) as u8).collect() }
    }

    /// Reads a body.
    pub(super) fn parse(body: &str) -> Result<Self, String> {
        let text = body.strip_prefix("^c").ok_or("a code prompt begins with `^c`")?;
        let (letters, digits) = text.split_once(':').ok_or("a code prompt has a `:` before its list")?;
        let instruction = |letter| {
            let found = Instruction::read(letter).ok_or(format!("{letter:?} is no instruction: {LETTERS}"));
            found.map(|instruction| (letter, instruction))
        };
        let digit = |c: char| match c.to_digit(10) {
            Some(digit) => Ok(digit as u8),
            None => Err(format!("{c:?} is no digit of a list")),
        };
        let instructions = letters.chars().map(instruction).collect::<Result<Vec<_>, _>>()?;
        let input = digits.chars().map(digit).collect::<Result<Vec<_>, _>>()?;
        if instructions.is_empty() || input.is_empty() {
            return Err("a code prompt has at least one instruction and one digit".into());
        }
        Ok(Self { instructions, input })
    }

    /// The problem, worked: the program is run; `bent` swaps the last two where the first two are meant.
    pub(super) fn problem(&self, bent: bool) -> Problem {
        let written = |list: &[u8]| list.iter().map(|&x| char::from(b'0' + x)).collect::<String>();
        let letters: String = self.instructions.iter().map(|(letter, _)| *letter).collect();
        let body = format!("^c{letters}:{}", written(&self.input));
        let mut list = self.input.clone();
        let step = |&(letter, instruction): &(char, Instruction)| {
            match (bent, instruction, &mut list[..]) {
                (true, SwapFirst, [.., third, last]) => std::mem::swap(third, last),
                (_, _, list) => instruction.run(list),
            }
            Step { text: letter.to_string(), letter, result: written(&list) }
        };
        Problem { body, steps: self.instructions.iter().map(step).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_printed_example_comes_out() {
        let problem = Program::parse("^clis:9489").unwrap().problem(false);
        assert_eq!(problem.response(|_, digit| digit), "l:4899;i:5900;s=0059");
        assert_eq!((problem.answer(), problem.hints().as_str()), ("0059", "4899;5900"));
        assert_eq!(problem.body, "^clis:9489");
    }

    #[test]
    fn every_instruction_does_what_it_says() {
        let out =
            |letter| Program::parse(&format!("^c{letter}:5938")).unwrap().problem(false).answer().to_owned();
        let all: Vec<_> = LETTERS.chars().map(out).collect();
        assert_eq!(all, ["8395", "3589", "9385", "9538", "6049", "0866", "4061", "5475"]);
        let short = Program::parse("^cwlrp:7").unwrap().problem(false);
        assert_eq!(short.answer(), "7");
    }

    #[test]
    fn a_bent_answer_swaps_the_wrong_two() {
        let program = Program::parse("^cwi:5938").unwrap();
        assert_eq!(program.problem(true).response(|_, digit| digit), "w:5983;i=6094");
        assert_eq!(program.problem(false).response(|_, digit| digit), "w:9538;i=0649");
    }

    #[test]
    fn what_is_not_of_the_language_says_why() {
        for body in [
            "", "^c", "^c:", "^cl:", "^c:12", "cl:12", "^cq:12", "^cl:1a", "^cl:1:2", "^m4+2", "^cé:12",
            "^cl:٣",
        ] {
            assert!(Program::parse(body).is_err(), "{body}");
        }
    }
}
