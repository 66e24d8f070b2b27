//! How a [`Table`] looks in a terminal.

use std::fmt::{Formatter, Result};

use super::{Change, Table};

pub(super) fn write(table: &Table, f: &mut Formatter<'_>) -> Result {
    let policies = table.policies();
    let columns: Vec<Vec<String>> =
        (0..table.columns().len()).map(|column| column_text(table, column)).collect();
    let widths: Vec<usize> = columns.iter().map(|lines| widest(lines)).collect();
    let first = widest(&policies);
    for line in 0..policies.len() + 1 {
        let policy = if line == 0 { "" } else { policies[line - 1] };
        let mut text = pad(policy, first);
        for (column, width) in columns.iter().zip(&widths) {
            text.push_str("   ");
            text.push_str(&pad(&column[line], *width));
        }
        writeln!(f, "{}", text.trim_end())?;
    }
    write!(f, "Accuracy in % with its 95 % Wilson interval, on n judged answers.")?;
    for (row, policy) in policies.iter().enumerate() {
        let changed = |sign: Change| (0..columns.len()).any(|column| change(table, row, column) == sign);
        let Some(base) = table.against(row) else {
            continue;
        };
        if changed(Change::Up) {
            write!(f, "\n↑ {policy}: clearly better than {base} (the intervals do not overlap).")?;
        }
        if changed(Change::Down) {
            write!(f, "\n↓ {policy}: clearly worse than {base} (the intervals do not overlap).")?;
        }
    }
    writeln!(f)
}

/// A column from its head down. Its n stands in the head where it is the same for all.
fn column_text(table: &Table, column: usize) -> Vec<String> {
    let rows = table.policies().len();
    let cells: Vec<_> = (0..rows).map(|row| table.cell(row, column)).collect();
    let mut sizes: Vec<usize> = cells.iter().flatten().map(|(.., n)| *n).collect();
    sizes.dedup();
    let name = table.columns()[column];
    let head = match sizes[..] {
        [n] => format!("{name}, n = {n}"),
        _ => name.to_owned(),
    };
    // The numbers stand under each other: 5.1 starts one character to the right of 48.2.
    let rates: Vec<String> = cells
        .iter()
        .map(|cell| cell.map_or("–".to_owned(), |(e, ..)| format!("{:.1}", e.rate * 100.0)))
        .collect();
    let width = widest(&rates);
    let estimates: Vec<String> = cells
        .iter()
        .zip(&rates)
        .map(|(cell, rate)| {
            let text = cell.map_or(rate.clone(), |(estimate, ..)| estimate.to_string());
            " ".repeat(width.saturating_sub(rate.chars().count())) + &text
        })
        .collect();
    let width = widest(&estimates);
    let body = cells.iter().zip(estimates).map(|(cell, estimate)| {
        let Some((_, change, n)) = cell else {
            return estimate;
        };
        let text = format!("{} {}", pad(&estimate, width), change.sign());
        if sizes.len() > 1 {
            format!("{text} n {n}")
        } else {
            text
        }
    });
    std::iter::once(head).chain(body).collect()
}

fn change(table: &Table, row: usize, column: usize) -> Change {
    table.cell(row, column).map_or(Change::Unclear, |(_, change, _)| change)
}

fn widest(texts: &[impl AsRef<str>]) -> usize {
    let widths = texts.iter().map(|text| text.as_ref().chars().count());
    widths.max().unwrap_or(0)
}

fn pad(text: &str, width: usize) -> String {
    let missing = width.saturating_sub(text.chars().count());
    format!("{text}{}", " ".repeat(missing))
}

#[cfg(test)]
mod tests {
    use crate::log::{Accuracy, Change, Table};

    fn of(right: usize, wrong: usize) -> Accuracy {
        Accuracy { right, wrong, unjudged: 0 }
    }

    fn table() -> Table {
        let mut table = Table::new(["math", "code"]);
        table.row("student before", &[of(20, 380), of(41, 359)]);
        table.row_against("student after", &[of(193, 207), of(50, 350)], "student before");
        table.row("math teacher", &[of(300, 100), of(12, 380)]);
        table
    }

    #[test]
    fn the_text_is_aligned_and_marks_what_is_clear() {
        let expected = [
            "                 math, n = 400        code                      mean",
            "student before    5.0 (3.3–7.6)       10.2 (7.6–13.6)   n 400    7.6 (6.1–9.7)     n 800",
            "student after    48.2 (43.4–53.1) ↑   12.5 (9.6–16.1)   n 400   30.4 (27.5–33.4) ↑ n 800",
            "math teacher     75.0 (70.5–79.0)      3.1 (1.8–5.3)    n 392   39.0 (36.7–41.3)   n 792",
            "Accuracy in % with its 95 % Wilson interval, on n judged answers.",
            "↑ student after: clearly better than student before (the intervals do not overlap).",
        ];
        let text = table().to_string();
        assert_eq!(text.lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn the_json_says_the_same() {
        let json = table().to_json();
        let after = &json["rows"][1];
        assert_eq!(after["cells"]["math"]["improved"], true);
        assert_eq!(after["cells"]["code"]["improved"], false);
        assert_eq!(after["cells"]["mean"]["n"], 800);
        assert_eq!(after["against"], "student before");
        assert_eq!(json["columns"], serde_json::json!(["math", "code", "mean"]));
    }

    #[test]
    fn nothing_judged_is_no_number() {
        let mut none = Accuracy::default();
        none.count(None);
        assert_eq!((none.rate(), none.interval95()), (None, None));
        let mut table = Table::new(["math"]);
        table.row_against("a", &[none], "nobody");
        table.row("b", &[]);
        assert!(table.to_string().contains('–'));
        let asked = serde_json::json!({ "accuracy": null, "n": 0, "unjudged": 1 });
        assert_eq!(table.to_json()["rows"][0]["cells"]["math"], asked);
        assert_eq!(table.to_json()["rows"][1]["cells"]["math"], serde_json::Value::Null);
        assert!(Table::default().to_string().contains("Accuracy"));
    }

    #[test]
    fn worse_is_marked_too() {
        let mut table = Table::new(["math"]);
        table.row("before", &[of(300, 100)]);
        table.row_against("after", &[of(100, 300)], "before");
        assert_eq!(table.cell(1, 0).unwrap().1, Change::Down);
        assert!(table.to_string().contains("↓ after: clearly worse than before"));
    }
}
