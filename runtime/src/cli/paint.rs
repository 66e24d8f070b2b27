//! A diff on a terminal: what goes is red, what comes is green, what is the same steps back.

use std::io::IsTerminal;

use crate::diff::Diff;
use crate::error::{Error, Result};

pub(super) fn json(diff: &Diff) -> Result<String> {
    serde_json::to_string(diff).map_err(|why| Error::run(format!("the diff cannot be written: {why}")))
}

/// The diff, with the loops line by line if asked for; in colour where stdout is a terminal.
pub(super) fn diff(diff: &Diff, loops: bool) -> String {
    let (stages, lines) = (diff.to_string(), diff.loops.to_string());
    let mut texts = vec![(stages.trim_end(), 2)];
    if loops {
        texts.push((lines.trim_end(), 0));
    }
    let colour = in_colour();
    let shown = texts.into_iter().map(|(text, at)| if colour { painted(text, at) } else { text.to_string() });
    shown.collect::<Vec<_>>().join("\n\n")
}

fn in_colour() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    std::io::stdout().is_terminal() && !set("NO_COLOR") && !dumb
}

/// Colours by the sign that stands `at` a column; a line that was folded has the colour of its beginning.
fn painted(text: &str, at: usize) -> String {
    let mut colour = "";
    let lines = text.lines().map(|line| {
        let folded = at > 0 && line.chars().take(at + 2).all(|c| c == ' ');
        colour = match line.chars().nth(at) {
            _ if folded => colour,
            Some('-') => "\x1b[31m",
            Some('+') => "\x1b[32m",
            Some('~') => "\x1b[33m",
            Some('=') => "\x1b[2m",
            _ => "",
        };
        if colour.is_empty() {
            line.to_string()
        } else {
            format!("{colour}{line}\x1b[0m")
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::painted;

    #[test]
    fn a_line_has_the_colour_of_its_sign_and_a_folded_line_that_of_its_beginning() {
        let text = "A → B\n  - step   AdamW { lr: 1,\n                eps: 2 }\n  = 1 stage unchanged\nloop: the same";
        let lines: Vec<String> = painted(text, 2).lines().map(str::to_string).collect();
        assert_eq!((lines[0].as_str(), lines[4].as_str()), ("A → B", "loop: the same"));
        for (line, colour) in [(1, "31"), (2, "31"), (3, "2")] {
            assert!(lines[line].starts_with(&format!("\x1b[{colour}m")) && lines[line].ends_with("\x1b[0m"));
        }
        // in a loop, what both have is no part of the line above it
        assert_eq!(painted("- a\n      b\n+ c", 0), "\x1b[31m- a\x1b[0m\n      b\n\x1b[32m+ c\x1b[0m");
    }
}
