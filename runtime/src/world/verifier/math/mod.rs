//! Mathematical answers: numbers, fractions, expressions, sets, intervals, equations.

mod commands;
mod compare;
mod exact;
mod expression;
mod extract;
mod numbers;
mod numeric;
mod parse;
mod relations;
mod tokens;
mod units;
mod value;

use super::Verifier;
use crate::world::rows::Row;
use value::Answer;

/// Right when the response's answer has the value of the row's.
///
/// # Where the answer stands
///
/// In the response it is what the last `\boxed{…}` holds; without one, what follows the last `####` (as in GSM8K);
/// without that, what follows the last "answer is" or "answer:". Otherwise it is the last line (what follows its last
/// semicolon), or else the last formula between dollar signs, the last word with a digit, the last number: the first
/// of these that can be read. The row's answer is the whole column, or what a `\boxed{…}` or a `####` in it marks.
///
/// # What is read
///
/// LaTeX and plain text: `\frac{1}{2}`, `\dfrac12`, `1/2`, `0.5`, `.5`, `2\frac{1}{2}`, `2 1/2`, `1,234`,
/// `1.5e3`, `1.5 \times 10^3`, `0.\overline{3}`, `50\%`, `\sqrt{2}`, `\sqrt[3]{2}`, `2^{10}`, `5!`, `\binom{5}{2}`,
/// `|x|`, `\pi`, `e`, `i`, `\sin`, `\cos`, `\tan`, `\ln`, `\log_2`, letters with subscripts, `\{1, 2\}`, `(1, 2)`,
/// `[0, \infty) \cup \{-1\}`, `x = 3`, `2x + y = 1`, `x > 3`, `1 < x \le 3`, `1 \pm \sqrt{2}`, matrices, and a word
/// in `\text{…}`. Units after a number (`\text{ cm}`, `km/h`, `°`, `$`) are read and not compared; where the row's
/// answer has no letters, any words after a number are.
///
/// # What counts as right
///
/// - Two expressions are equal when they are equal for every value of their letters. Quotients of polynomials with
///   rational coefficients are compared exactly: `a/b = c/d` where `a·d = c·b`.
/// - Of other expressions values are compared in floating point, at four places if they have letters:
///   `|a − b| ≤ 10⁻⁹ · max(|a|, |b|)`. Letters stand for numbers above 0.
/// - Where one is a decimal and the other, of value `v`, can be no decimal (1/3, √2, π), the decimal may be rounded:
///   `|a − b| ≤ 5·10⁻⁷ · max(1, |v|)`. So 0.333333 is 1/3, and 0.333 is not; 0.5 is 1/2 and 0.50001 is not.
/// - `p%` is p/100 and is p.
/// - Sets and lists without brackets: the same members, in any order. In brackets: the same brackets, in order.
/// - `x = 3` is 3; where both have a name, it must be the same. An equation and an inequality are the same as their
///   multiples. `x > 3` is the interval `(3, ∞)`.
///
/// A response in which nothing can be read, or whose answer has more than 2000 characters or 300 operations, is
/// wrong. A row whose own answer cannot be read is a fault of the data: `limbeck check` tells it, and a response to
/// it is not judged. Whether the response finished does not matter.
#[derive(Clone, Copy, Debug, Default)]
pub struct Math;

impl Verifier for Math {
    fn name(&self) -> &str {
        "math"
    }

    fn judge(&self, row: &Row, response: &str, _finished: bool) -> Result<Option<bool>, String> {
        let Some(answer) = row.answer.as_deref() else { return Ok(None) };
        let gold = gold(answer)?;
        Ok(Some(matches(&gold, response)))
    }

    fn fits(&self, row: &Row) -> Result<(), String> {
        row.answer.as_deref().map_or(Ok(()), |answer| gold(answer).map(drop))
    }
}

/// The row's own answer.
fn gold(text: &str) -> Result<Answer, String> {
    let marked = text.contains("####") || text.contains(r"\boxed") || text.contains(r"\fbox");
    let text = if marked { extract::candidates(text).first().copied().unwrap_or(text) } else { text };
    let refused = |why| format!("the answer {text:?} is no number and no expression: {why}");
    let found = parse::read(text.trim().trim_end_matches('.'), false).map_err(refused)?;
    if !compare::has_value(&found) {
        return Err(refused("it has no value that could be compared".to_string()));
    }
    Ok(found)
}

fn matches(gold: &Answer, response: &str) -> bool {
    let candidates = extract::candidates(response);
    if let Answer::Word(word) = gold {
        return candidates.first().is_some_and(|said| plain(said) == plain(word));
    }
    let worded = !gold.has_variables();
    let said = candidates.into_iter().find_map(|candidate| parse::read(candidate, worded).ok());
    said.is_some_and(|said| compare::same(gold, &said))
}

/// The letters and digits of a word, in small letters, without the command that sets it as text.
fn plain(text: &str) -> String {
    let text = text.replace(r"\text", "").replace(r"\mathrm", "").to_lowercase();
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}

#[cfg(test)]
mod tests;
