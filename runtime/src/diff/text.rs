//! The diff as people read it.

use std::fmt::{self, Display, Formatter};

use super::{Change, Diff, Of, Part, Turned};

/// Longer lines are folded at a comma.
const WIDTH: usize = 100;

impl Display for Diff {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} → {}", self.from, self.to)?;
        let names = self.changes.iter().map(|change| title(change.of(), name(change)).chars().count());
        let width = names.max().unwrap_or(0).max("checkpoint".len()) + 2;
        for change in &self.changes {
            match change {
                Change::Removed(part) => one(f, '-', part, width)?,
                Change::Added(part) => one(f, '+', part, width)?,
                Change::Replaced { from, to } => {
                    one(f, '-', from, width)?;
                    one(f, '+', to, width)?;
                }
                Change::Set { of, name, from, to, settings } => {
                    let turns = settings.iter().map(turn).collect::<Vec<_>>();
                    let method = if from == to { from.clone() } else { format!("{from} → {to}") };
                    line(f, '~', &title(*of, name), &method, &turns, width)?;
                }
            }
        }
        let teachers = self.is_empty() || self.changes.iter().any(|change| change.of() == Of::Teacher);
        let counts = [(self.same_teachers, "teacher", teachers), (self.same_stages, "stage", true)];
        let counts: Vec<String> = counts
            .into_iter()
            .filter(|(n, _, shown)| *n > 0 && *shown)
            .map(|(n, what, _)| format!("{n} {what}{}", if n == 1 { "" } else { "s" }))
            .collect();
        if !counts.is_empty() {
            writeln!(f, "  = {} unchanged", counts.join(" and "))?;
        }
        writeln!(f, "loop: {}", self.loops.summary())
    }
}

/// Line by line, with the lines that both have.
impl Display for super::LoopDiff {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for line in &self.lines {
            writeln!(f, "{}", format!("{} {}", line.sign, line.text).trim_end())?;
        }
        Ok(())
    }
}

fn name(change: &Change) -> &str {
    match change {
        Change::Removed(part) | Change::Added(part) | Change::Replaced { from: part, .. } => &part.name,
        Change::Set { name, .. } => name,
    }
}

/// A teacher or a stage as people call it.
fn title(of: Of, name: &str) -> String {
    match of {
        Of::Teacher if name != "teacher" => format!("teacher {name}"),
        _ => name.to_string(),
    }
}

fn one(f: &mut Formatter<'_>, sign: char, part: &Part, width: usize) -> fmt::Result {
    let settings: Vec<String> =
        part.settings.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    line(f, sign, &title(part.of, &part.name), &part.method, &settings, width)
}

fn turn(turned: &Turned) -> String {
    let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_string());
    format!("{}: {} → {}", turned.name, value(&turned.from), value(&turned.to))
}

/// `  ~ calibrate   MarginShift { delta: 0.4 → 0.3 }`
fn line(
    f: &mut Formatter<'_>,
    sign: char,
    title: &str,
    method: &str,
    fields: &[String],
    width: usize,
) -> fmt::Result {
    let mut text = format!("  {sign} {title:width$}{method}");
    if !fields.is_empty() {
        text.push_str(" {");
        let indent = text.chars().count() + 1;
        let mut column = indent - 1;
        for (i, field) in fields.iter().enumerate() {
            let field = format!("{field}{}", if i + 1 == fields.len() { " }" } else { "," });
            let long = field.chars().count() + 1;
            if i > 0 && column + long > WIDTH {
                text.push('\n');
                text.push_str(&" ".repeat(indent - 1));
                column = indent - 1;
            }
            text.push(' ');
            text.push_str(&field);
            column += long;
        }
    }
    writeln!(f, "{text}")
}
