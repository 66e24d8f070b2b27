//! The accuracy table, each number with its interval drawn on a line from 0 to 100 %.

use super::html::{colour, escape, GREY};
use crate::log::{Change, Estimate, Table};

pub(super) fn render(table: Option<&Table>) -> String {
    let Some(table) = table else {
        return String::new();
    };
    let columns = table.columns();
    let head: String = columns.iter().map(|name| format!("<td>{}</td>", escape(name))).collect();
    let row = |(row, policy): (usize, &str)| {
        let cells: String = (0..columns.len()).map(|column| cell(table, row, column)).collect();
        let class = if table.against(row).is_some() { " class=\"now\"" } else { "" };
        format!("<tr{class}><th>{}</th>{cells}</tr>\n", escape(policy))
    };
    let rows: String = table.policies().into_iter().enumerate().map(row).collect();
    format!(
        "<div class=\"scroll\"><table class=\"accuracy\">\n<thead><tr><th></th>{head}</tr></thead>\n\
         <tbody>\n{rows}</tbody></table></div>\n\
         <p class=\"note\">Accuracy in % with its 95 % Wilson interval, on n judged answers. \
         ↑ ↓ the interval lies clear of the one before.</p>\n"
    )
}

fn cell(table: &Table, row: usize, column: usize) -> String {
    let Some((estimate, change, n)) = table.cell(row, column) else {
        return "<td class=\"none\">not judged</td>".to_owned();
    };
    let sign = match change {
        Change::Up => "<b class=\"up\" title=\"clearly better\">↑</b>",
        Change::Down => "<b class=\"down\" title=\"clearly worse\">↓</b>",
        Change::Unclear => "",
    };
    let [rate, low, high] = [estimate.rate, estimate.low, estimate.high].map(|share| share * 100.0);
    format!(
        "<td><b>{rate:.1}</b> {sign} <small>{low:.1}–{high:.1}<span>n {n}</span></small>{}</td>",
        whisker(&estimate, if table.is_mean(column) { GREY } else { column })
    )
}

fn whisker(estimate: &Estimate, column: usize) -> String {
    let class = colour(column);
    let [rate, low, high] = [estimate.rate, estimate.low, estimate.high].map(|share| 4.0 + 192.0 * share);
    format!(
        "<svg class=\"whisker\" viewBox=\"0 0 200 12\" preserveAspectRatio=\"xMinYMid\"><line class=\"grid\" x1=\"4\" x2=\"196\" y1=\"6\" y2=\"6\"/>\
         <line class=\"wide {class}\" x1=\"{low:.1}\" x2=\"{high:.1}\" y1=\"6\" y2=\"6\"/>\
         <circle class=\"fill {class}\" cx=\"{rate:.1}\" cy=\"6\" r=\"4\"/></svg>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Accuracy;

    #[test]
    fn a_clear_gain_is_marked() {
        let mut table = Table::new(["math"]);
        table.row("before", &[Accuracy { right: 10, wrong: 390, unjudged: 0 }]);
        table.row_against("after", &[Accuracy { right: 200, wrong: 200, unjudged: 0 }], "before");
        let html = render(Some(&table));
        assert_eq!(html.matches("class=\"up\"").count(), 1);
        assert!(html.contains("<b>50.0</b>"));
        assert_eq!(render(None), "");
    }
}
