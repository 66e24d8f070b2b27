//! The loop and the diff, as text to read.

use super::html::escape;

/// The loop; its comments step back, so that the lines stand out.
pub(super) fn render_loop(text: &str) -> String {
    pre(text, |line| line.trim_start().starts_with("//").then_some("comment"))
}

/// The difference to the recipe this one was forked from.
pub(super) fn render_diff(diff: Option<&(String, String)>) -> String {
    let Some((base, text)) = diff else {
        return String::new();
    };
    let lines = pre(text, |line| match line.trim_start().chars().next() {
        Some('+') => Some("added"),
        Some('-') => Some("removed"),
        Some('~') => Some("changed"),
        _ => None,
    });
    let note = if lines.is_empty() { "The same as " } else { "What changes against " };
    format!("<p class=\"note\">{note}<code>{}</code>.</p>\n{lines}", escape(base))
}

fn pre(text: &str, class: impl Fn(&str) -> Option<&'static str>) -> String {
    if text.trim().is_empty() {
        return String::new();
    }
    let line = |line: &str| match class(line) {
        Some(class) => format!("<span class=\"{class}\">{}</span>\n", escape(line)),
        None => escape(line) + "\n",
    };
    let lines: String = text.trim_end().lines().map(line).collect();
    format!("<pre class=\"code\">{lines}</pre>\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_changes_are_marked() {
        let html = render_loop("fn train<W>() {\n    // data: draw\n}\n");
        assert!(html.contains("<span class=\"comment\">    // data: draw</span>"));
        assert!(html.contains("fn train&lt;W&gt;()"));
        let html = render_diff(Some(&("UniOpd".into(), "+a\n-b\n c".into())));
        assert!(html.contains("\"added\">+a") && html.contains("\"removed\">-b"));
        assert!(render_diff(Some(&("UniOpd".into(), String::new()))).contains("The same as"));
        assert_eq!((render_loop(" \n"), render_diff(None)), (String::new(), String::new()));
    }
}
