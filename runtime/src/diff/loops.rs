//! How two loops differ, line by line.

use serde::Serialize;
use similar::{Algorithm, ChangeTag, TextDiff};

/// The lines of two loops, and which of them only one has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LoopDiff {
    /// How many lines only the first loop has.
    pub removed: usize,
    /// How many lines only the second loop has.
    pub added: usize,
    /// The stages these lines belong to; `teachers` are the lines that seat them.
    pub stages: Vec<String>,
    /// Every line of both loops.
    pub lines: Vec<Line>,
}

/// A line of a loop: its sign is `-` when only the first loop has it, `+` when only the second has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// `-`, `+` or a space.
    pub sign: char,
    /// The line.
    pub text: String,
}

impl LoopDiff {
    pub(super) fn of(loops: [&str; 2]) -> Self {
        let [from, to] = &loops.map(train);
        let compared = TextDiff::configure().algorithm(Algorithm::Patience).diff_lines(from, to);
        let mut diff = Self { removed: 0, added: 0, stages: Vec::new(), lines: Vec::new() };
        for change in compared.iter_all_changes() {
            let text = change.value().trim_end_matches(['\n', '\r']).to_string();
            let (sign, within) = match change.tag() {
                ChangeTag::Equal => (' ', None),
                ChangeTag::Delete => ('-', change.old_index().map(|at| stage_at(from, at))),
                ChangeTag::Insert => ('+', change.new_index().map(|at| stage_at(to, at))),
            };
            diff.removed += usize::from(sign == '-');
            diff.added += usize::from(sign == '+');
            if let Some(stage) =
                within.flatten().filter(|stage| !diff.stages.iter().any(|known| known == stage))
            {
                diff.stages.push(stage.to_string());
            }
            diff.lines.push(Line { sign, text });
        }
        diff
    }

    /// In one line: how many lines, and of which stages.
    pub fn summary(&self) -> String {
        let lines = |n: usize| if n == 1 { "1 line".to_string() } else { format!("{n} lines") };
        let how = match (self.removed, self.added) {
            (0, 0) => return "the same".to_string(),
            (n, 0) => format!("{} fewer", lines(n)),
            (0, n) => format!("{} more", lines(n)),
            (n, m) if n == m => format!("{} changed", lines(n)),
            (n, m) => format!("{} out, {m} in", lines(n)),
        };
        format!("{how} ({})", self.stages.join(", "))
    }
}

/// The function `train` alone: a recipe without its macro shows its whole file.
fn train(text: &str) -> String {
    let start = |line: &&str| line.trim_start().starts_with("fn train<");
    let Some(first) = text.lines().find(start) else { return text.to_string() };
    let indent = first.len() - first.trim_start().len();
    let end = format!("{}}}", " ".repeat(indent));
    let mut found = String::new();
    for line in text.lines().skip_while(|line| !start(line)) {
        found.push_str(line.get(indent..).unwrap_or_default());
        found.push('\n');
        if line == end {
            break;
        }
    }
    found
}

/// The stage a line belongs to: the one that the comment above it names.
fn stage_at(text: &str, line: usize) -> Option<&str> {
    let above: Vec<&str> = text.lines().take(line + 1).collect();
    above.into_iter().rev().find_map(|line| {
        let (word, _) = line.trim_start().strip_prefix("// ")?.split_once(':')?;
        Some(word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_loop_of_a_file_is_compared() {
        let alone = "fn train<W: World>(&self) {\n    // step: move (AdamW)\n    step.apply();\n}";
        let inside = |line: &str| if line.is_empty() { String::new() } else { format!("    {line}\n") };
        let file: String = alone.lines().map(inside).collect();
        let file =
            format!("use limbeck::eject::*;\n\nimpl Recipe for A {{\n{file}\n    const A: u8 = 1;\n}}\n");
        let diff = LoopDiff::of([alone, &file]);
        assert_eq!((diff.removed, diff.added, diff.lines.len()), (0, 0, 4));
        let diff = LoopDiff::of([alone, &file.replace("apply", "leave")]);
        assert_eq!(diff.summary(), "1 line changed (step)");
    }
}
