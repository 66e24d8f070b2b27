//! The first screen: what ran, what came of it, what it cost.

use super::html::{clip, escape, number};
use super::ReportData;
use crate::log::progress::duration;
use crate::log::{Change, Table};

pub(super) fn render(data: &ReportData) -> String {
    let (first, more) = split_doc(&data.doc);
    let more = if more.is_empty() {
        String::new()
    } else {
        format!("<details><summary>about this method</summary><pre>{}</pre></details>\n", escape(&more))
    };
    format!(
        "<header class=\"top\">\n<p class=\"kicker\">Limbeck run report</p>\n<h1>{}</h1>\n\
         <p class=\"lead\">{}</p>\n{more}<div class=\"tiles\">\n{}{}</div>\n{}</header>\n",
        escape(&data.recipe),
        code_spans(&escape(&first)),
        data.table.as_ref().map_or(String::new(), gains),
        cost(data),
        hashes(&data.hashes),
    )
}

/// The first paragraph on one line, and the rest as it is.
fn split_doc(doc: &str) -> (String, String) {
    let doc = doc.trim();
    let (first, rest) = doc.split_once("\n\n").unwrap_or((doc, ""));
    let first: Vec<&str> = first.split_whitespace().collect();
    (first.join(" "), rest.trim().to_owned())
}

/// `code` in a doc comment.
fn code_spans(escaped: &str) -> String {
    let parts: Vec<&str> = escaped.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return escaped.to_owned();
    }
    let part = |(i, part): (usize, &&str)| {
        if i % 2 == 1 {
            format!("<code>{part}</code>")
        } else {
            (*part).to_owned()
        }
    };
    parts.iter().enumerate().map(part).collect()
}

/// One tile a domain: from where to where the student came.
fn gains(table: &Table) -> String {
    let rows = table.policies();
    let Some((row, base)) = (0..rows.len()).rev().find_map(|row| {
        let base = table.against(row)?;
        Some((row, rows.iter().position(|name| *name == base)?))
    }) else {
        return String::new();
    };
    let gain = |(column, name): (usize, &&str)| {
        let (before, ..) = table.cell(base, column)?;
        let (after, change, _) = table.cell(row, column)?;
        let (class, says) = match change {
            Change::Up => ("up", "clearly better"),
            Change::Down => ("down", "clearly worse"),
            Change::Unclear => ("", "no clear difference"),
        };
        Some(format!(
            "<div class=\"tile\"><span>{}</span><b><small>{:.1} →</small> {:.1} %</b>\
             <em class=\"{class}\">{:+.1} points, {says}</em></div>\n",
            escape(name),
            before.rate * 100.0,
            after.rate * 100.0,
            (after.rate - before.rate) * 100.0,
        ))
    };
    let columns = table.columns();
    // The mean adds nothing to two numbers that stand side by side.
    let domains = columns.iter().enumerate().filter(|(column, _)| !table.is_mean(*column));
    domains.filter_map(gain).take(6).collect()
}

fn cost(data: &ReportData) -> String {
    let done = data.metrics.len() as u64;
    let steps = if done == data.steps || done == 0 { String::new() } else { format!("{done} in the log, ") };
    let tokens: f64 =
        data.metrics.iter().filter_map(|(_, m)| m.get("tokens")).filter(|n| n.is_finite()).sum();
    let mut tiles = tile("steps", &data.steps.to_string(), &format!("{steps}seed {}", data.seed));
    let speed = if data.seconds > 0.0 && tokens > 0.0 {
        format!("{} tokens, {} a second", number(tokens), number(tokens / data.seconds))
    } else {
        String::new()
    };
    if data.seconds.is_finite() {
        tiles += &tile("duration", &duration(data.seconds), &speed);
    }
    tiles
}

fn tile(name: &str, value: &str, note: &str) -> String {
    format!("<div class=\"tile\"><span>{name}</span><b>{value}</b><em>{note}</em></div>\n")
}

fn hashes(hashes: &[(String, String)]) -> String {
    if hashes.is_empty() {
        return String::new();
    }
    let hash = |(name, hash): &(String, String)| {
        format!(
            "<span title=\"{}\">{} <code>{}</code></span>",
            escape(hash),
            escape(name),
            escape(&clip(hash, 12))
        )
    };
    format!("<p class=\"hashes\">{}</p>\n", hashes.iter().map(hash).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_doc_is_split_after_its_first_paragraph() {
        let (first, more) = split_doc("Uni-OPD: two experts\ninto one.\n\nPaper: `x`.\n");
        assert_eq!((first.as_str(), more.as_str()), ("Uni-OPD: two experts into one.", "Paper: `x`."));
        assert_eq!(code_spans("a `b` c"), "a <code>b</code> c");
        assert_eq!(code_spans("a ` c"), "a ` c");
    }
}
