//! Lists on the command line: seeds, and RON values.

use crate::error::{Error, Result};

/// The most runs of a sweep: beyond, a number was mistyped.
pub(super) const MOST: usize = 10_000;

/// What is there a second time.
pub(super) fn twice<T: PartialEq>(items: &[T]) -> Option<&T> {
    items.iter().enumerate().find(|(at, item)| items[..*at].contains(item)).map(|(_, item)| item)
}

/// `5` is 1 to 5; `1,4,7` are these; `7,` is one.
pub(super) fn read_seeds(words: &str) -> Result<Vec<u64>> {
    let number = |word: &str| {
        word.trim().parse::<u64>().map_err(|_| {
            Error::call(format!("`{}` is not a seed", word.trim()))
                .next("give how many, as 5, or which, as 1,4,7")
        })
    };
    let seeds = match words.strip_suffix(',').unwrap_or(words) {
        all if all.len() == words.len() && !words.contains(',') => {
            let n = number(all)?;
            if n > MOST as u64 {
                return Err(Error::call(format!("{n} seeds are more than {MOST} runs"))
                    .next(format!("for the one seed {n} write {n},")));
            }
            (1..=n).collect()
        }
        some => some.split(',').map(number).collect::<Result<Vec<u64>>>()?,
    };
    match twice(&seeds) {
        _ if seeds.is_empty() => Err(Error::call("0 seeds are no run").next("give at least 1")),
        Some(seed) => Err(Error::call(format!("the seed {seed} is given twice")).next("give each seed once")),
        None => Ok(seeds),
    }
}

/// Cuts a list of RON values at its commas, not at those inside brackets or text.
pub(super) fn split(values: &str) -> Vec<&str> {
    let (mut depth, mut quoted, mut escaped, mut from) = (0_i32, false, false, 0);
    let mut found = Vec::new();
    for (at, letter) in values.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            ',' if depth == 0 => {
                found.push(&values[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    found.push(&values[from..]);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_cut_at_their_own_commas() {
        assert_eq!(split("1,2"), ["1", "2"]);
        assert_eq!(
            split("(a: 1, b: 2),Some([1, 2]),\"x,\\\",y\""),
            ["(a: 1, b: 2)", "Some([1, 2])", "\"x,\\\",y\""]
        );
    }

    #[test]
    fn seeds_are_how_many_or_which() {
        assert_eq!(read_seeds("3").unwrap(), [1, 2, 3]);
        assert_eq!(read_seeds("1, 4,7").unwrap(), [1, 4, 7]);
        assert_eq!(read_seeds("7,").unwrap(), [7]);
        for wrong in ["", "0", "x", "1,1", "1,,2", "-1", "99999999999", ","] {
            assert!(read_seeds(wrong).is_err(), "{wrong}");
        }
    }
}
