//! Settings, files and hashes: what makes the run this run.

use super::html::escape;
use super::{ReportData, StageSettings};

pub(super) fn render(stages: &[StageSettings]) -> String {
    if stages.is_empty() {
        return String::new();
    }
    let stage = |(stage, method, values): &StageSettings| {
        let value = |(name, value): &(String, String)| {
            format!("<span class=\"setting\">{} = <b>{}</b></span>", escape(name), escape(value))
        };
        let values: String = values.iter().map(value).collect();
        format!(
            "<tr><th>{}</th><td><code>{}</code></td><td class=\"grow\">{values}</td></tr>\n",
            escape(stage),
            escape(method)
        )
    };
    let rows: String = stages.iter().map(stage).collect();
    format!(
        "<div class=\"scroll\"><table class=\"settings\">\n\
         <thead><tr><th>stage</th><td>method</td><td>settings</td></tr></thead>\n<tbody>\n{rows}</tbody></table></div>\n"
    )
}

pub(super) fn render_files(data: &ReportData) -> String {
    let files =
        list(&data.files, "in the run directory", |path| format!("<code>{}</code>", escape(path)), escape);
    let hashes = list(&data.hashes, "hashes", escape, |hash| format!("<code>{}</code>", escape(hash)));
    if files.is_empty() && hashes.is_empty() {
        return String::new();
    }
    format!("<div class=\"charts\">\n{files}{hashes}</div>\n")
}

fn list(
    pairs: &[(String, String)],
    title: &str,
    name: impl Fn(&str) -> String,
    value: impl Fn(&str) -> String,
) -> String {
    if pairs.is_empty() {
        return String::new();
    }
    let rows: String = pairs
        .iter()
        .map(|(key, text)| {
            format!("<tr><th>{}</th><td class=\"grow\">{}</td></tr>\n", name(key), value(text))
        })
        .collect();
    format!(
        "<figure>\n<figcaption><b>{title}</b></figcaption>\n\
         <table class=\"settings\"><tbody>\n{rows}</tbody></table>\n</figure>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_stand_by_their_stage() {
        let stage = ("step".to_owned(), "AdamW".to_owned(), vec![("lr".to_owned(), "1e-6".to_owned())]);
        let html = render(&[stage]);
        assert!(html.contains("<th>step</th><td><code>AdamW</code></td>"));
        assert!(html.contains("lr = <b>1e-6</b>"));
    }
}
