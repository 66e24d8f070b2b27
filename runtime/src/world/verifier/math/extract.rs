//! Where in a response its answer stands.

/// How much of the end of a response is searched for an answer that is not marked, in bytes.
const TAIL: usize = 4000;

/// The places where the answer of `response` can stand, the surest first; the first that can be read counts.
///
/// A marked answer is the only one: the last `\boxed{…}`, or else what follows the last `####`, or else what
/// follows the last "answer is" or "answer:". Otherwise it is the last line (what follows its last semicolon) unless that is prose, the
/// last formula between dollar signs, the last word with a digit, or the last number.
pub(super) fn candidates(response: &str) -> Vec<&str> {
    if let Some(inside) = last_boxed(response) {
        return vec![inside];
    }
    if let Some((_, after)) = response.rsplit_once("####") {
        return vec![line(after)];
    }
    if let Some(after) = said(response) {
        let clause = sentence(line(after));
        let mut found = vec![clause];
        found.extend(formulas(clause).next());
        found.extend(words(clause).next());
        found.extend(numbers(clause).first());
        return found;
    }
    let tail = tail(response);
    let last = bare(response).rsplit(['\n', ';']).next().unwrap_or_default();
    let mut found = vec![];
    if !is_prose(last) {
        found.push(bare(last));
    }
    found.extend(formulas(tail).last());
    found.extend(words(tail).last());
    found.extend(numbers(tail).last());
    found
}

/// What stands in the last `\boxed{…}` or `\fbox{…}` that ends, or is the word after `\boxed`.
fn last_boxed(text: &str) -> Option<&str> {
    let mut end = text.len();
    // boxes that do not end are passed over; a few are enough
    for _ in 0..8 {
        let at = [r"\boxed", r"\fbox"].iter().filter_map(|word| text[..end].rfind(word)).max()?;
        let after = text[at..].trim_start_matches(r"\boxed").trim_start_matches(r"\fbox");
        if let Some(inside) = after.trim_start().strip_prefix('{') {
            if let Some(close) = closing(inside) {
                return Some(&inside[..close]);
            }
        } else if after.starts_with(char::is_whitespace) {
            return Some(after.trim_start().split(char::is_whitespace).next().unwrap_or_default());
        }
        end = at;
    }
    None
}

/// Where the brace closes that was open before `text`.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 1usize;
    let mut escaped = false;
    for (at, letter) in text.char_indices() {
        match letter {
            '{' if !escaped => depth += 1,
            '}' if !escaped => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
        escaped = letter == '\\' && !escaped;
    }
    None
}

/// What follows the last "answer is", "answer:" or "answer =".
fn said(text: &str) -> Option<&str> {
    let lower = text.to_ascii_lowercase();
    lower.rmatch_indices("answer").take(16).find_map(|(at, word)| {
        let after = &text[at + word.len()..];
        let rest = after.trim_start_matches(['*', '_', ' ', ':', '=']);
        let marked = after[..after.len() - rest.len()].contains([':', '=']);
        let verb = ["is", "was", "Is", "IS"].iter().find_map(|verb| rest.strip_prefix(verb));
        let verb = verb.filter(|rest| !rest.starts_with(char::is_alphanumeric));
        match verb {
            Some(rest) => Some(rest.trim_start_matches(['*', '_', ' ', ':', '=', '\n'])),
            None if marked => Some(rest.trim_start_matches(['*', '_', ' ', ':', '=', '\n'])),
            None => None,
        }
    })
}

/// Whether a line says more than an answer with its unit does.
fn is_prose(line: &str) -> bool {
    let word = |word: &&str| word.len() > 1 && word.chars().all(char::is_alphabetic);
    line.split([' ', ',', '.']).filter(word).count() > 3
}

/// The first line with something on it.
fn line(text: &str) -> &str {
    bare(text.trim_start().lines().next().unwrap_or_default())
}

/// Text up to where its sentence ends.
fn sentence(text: &str) -> &str {
    bare(text.split(". ").next().unwrap_or_default())
}

/// Text without what stands around it: white space, the end of a sentence, signs of emphasis.
fn bare(text: &str) -> &str {
    text.trim().trim_end_matches(['.', ',', ';', '?', '*', '`', ' ']).trim_start_matches(['*', '`', ' '])
}

fn tail(text: &str) -> &str {
    let mut from = text.len().saturating_sub(TAIL);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    &text[from..]
}

/// What stands between dollar signs, or in `\(…\)` and `\[…\]`, in order.
fn formulas(text: &str) -> impl Iterator<Item = &str> {
    let between = |open: &'static str, close: &'static str| {
        text.split(open)
            .skip(1)
            .filter_map(move |after| after.split_once(close).map(|(inside, _)| inside))
            .filter(|inside| !inside.trim().is_empty())
    };
    let mut dollars: Vec<&str> = text.split('$').collect();
    // an odd number of parts means that every dollar sign has its other
    if dollars.len().is_multiple_of(2) {
        dollars.clear();
    }
    let inside = dollars.into_iter().skip(1).step_by(2).filter(|inside| !inside.trim().is_empty());
    let mut all: Vec<&str> = inside.chain(between(r"\(", r"\)")).chain(between(r"\[", r"\]")).collect();
    all.sort_by_key(|inside| inside.as_ptr() as usize);
    all.into_iter()
}

/// Words that have a digit, or are commands of LaTeX.
fn words(text: &str) -> impl DoubleEndedIterator<Item = &str> {
    text.split_whitespace()
        .filter(|word| word.contains(|c: char| c.is_ascii_digit() || c == '\\'))
        .map(|word| bare(word.trim_end_matches([':', '!'])))
}

/// Numbers in order: a sign, digits grouped by commas, decimals, a fraction, a percent sign.
fn numbers(text: &str) -> Vec<&str> {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let digits = |mut at: usize| {
        while digit(at) {
            at += 1;
        }
        at
    };
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if !digit(at) {
            at += 1;
            continue;
        }
        let signed = at > 0 && bytes[at - 1] == b'-';
        let alone = at < 2 || !(bytes[at - 2].is_ascii_alphanumeric() || bytes[at - 2] == b')');
        let start = if signed && alone { at - 1 } else { at };
        at = digits(at);
        while bytes.get(at) == Some(&b',') && digits(at + 1) == at + 4 {
            at += 4;
        }
        for joint in [b'.', b'/'] {
            if bytes.get(at) == Some(&joint) && digit(at + 1) {
                at = digits(at + 1);
            }
        }
        if bytes.get(at) == Some(&b'%') {
            at += 1;
        }
        found.push(&text[start..at]);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marked_answer_is_the_only_one() {
        for (response, answer) in [
            (r"first \boxed{3}, no: \boxed{\frac{1}{2}}.", r"\frac{1}{2}"),
            (r"\boxed{4} and \boxed{5", "4"),
            (r"\boxed 7 indeed", "7"),
            (r"\boxed{\{1,2\}}", r"\{1,2\}"),
            ("12 + 30 = 42\n#### 42", "42"),
        ] {
            assert_eq!(candidates(response), [answer], "{response}");
        }
    }

    #[test]
    fn an_answer_in_words_ends_with_its_sentence() {
        for (response, answer) in [
            ("The answer is 42. It was easy: 6 * 7.", "42"),
            ("**Answer:** 17", "17"),
            ("Final answer: $x = 3$\nDone at 12:30.", "$x = 3$"),
            ("answer is:\n1,234 dollars", "1,234 dollars"),
        ] {
            assert_eq!(candidates(response)[0], answer, "{response}");
        }
    }

    #[test]
    fn numbers_are_found_with_their_signs_and_groups() {
        let text = "a1 -2, 12-30 and 1,234,567.5% of 3/4; x=-7.";
        assert_eq!(numbers(text), ["1", "-2", "12", "30", "1,234,567.5%", "3/4", "-7"]);
        assert!(numbers("none").is_empty());
    }
}
