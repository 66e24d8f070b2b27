//! Text into HTML, numbers into text.

/// Text that stays text, in elements and in quoted attributes.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(c),
            // Control characters have pictures: ␀ ␛ …
            '\0'..='\u{1f}' => out.extend(char::from_u32(0x2400 + u32::from(c))),
            // Marks that would turn the text after them around.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => out.push('\u{fffd}'),
            _ => out.push(c),
        }
    }
    out
}

/// The first `most` characters, with `…` where there were more.
pub(super) fn clip(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{} …", &text[..end]),
        None => text.to_owned(),
    }
}

/// Four significant digits, whatever the size: `0.4123`, `12.3k`, `1.5e-6`.
pub(super) fn number(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 || !value.is_finite() {
        format!("{value}")
    } else if size < 1e-3 {
        format!("{value:.1e}")
    } else if size < 10.0 {
        format!("{value:.4}")
    } else if size < 1e3 {
        format!("{value:.1}")
    } else if size < 1e4 {
        format!("{value:.0}")
    } else if size < 1e6 {
        format!("{:.1}k", value / 1e3)
    } else if size < 1e9 {
        format!("{:.2}M", value / 1e6)
    } else {
        format!("{value:.2e}")
    }
}

/// A share in per cent: `48.2 %`.
pub(super) fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// The colour of what is many things together.
pub(super) const GREY: usize = 7;

/// The class of the n-th colour; the last is [`GREY`], which comes up only by name.
pub(super) fn colour(index: usize) -> String {
    let index = if index == GREY { GREY } else { index % GREY };
    format!("c{}", index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_becomes_text() {
        assert_eq!(escape("<a href='x'>&\"\u{1b}\n"), "&lt;a href=&#39;x&#39;&gt;&amp;&quot;\u{241b}\n");
        assert_eq!(clip("äöü", 2), "äö …");
        assert_eq!(clip("äö", 2), "äö");
    }

    #[test]
    fn numbers_keep_what_matters() {
        let read = [0.0, 0.412_34, 123.456, 12_345.0, 1.5e-6, 2.5e6, -3e300, f64::NAN].map(number);
        let expected = ["0", "0.4123", "123.5", "12.3k", "1.5e-6", "2.50M", "-3.00e300", "NaN"];
        assert_eq!(read, expected);
    }
}
