//! What chat templates expect of Python: `json.dumps`, and dates as `strftime` writes them.

use std::fmt;

use minijinja::value::{Kwargs, Value, ValueKind};
use minijinja::{Error, ErrorKind};
use serde::{de, Deserialize, Deserializer, Serialize, Serializer};

/// A day. The default is 2024-07-26.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

impl Default for Date {
    fn default() -> Self {
        Self { year: 2024, month: 7, day: 26 }
    }
}

const MONTHS: [(&str, u8); 12] = [
    ("January", 31),
    ("February", 28),
    ("March", 31),
    ("April", 30),
    ("May", 31),
    ("June", 30),
    ("July", 31),
    ("August", 31),
    ("September", 30),
    ("October", 31),
    ("November", 30),
    ("December", 31),
];

const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

impl Date {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '-');
        let mut number = |width: usize| {
            let part =
                parts.next().filter(|part| part.len() == width && part.bytes().all(|b| b.is_ascii_digit()));
            part.and_then(|part| part.parse::<u16>().ok())
        };
        let (year, month, day) = (number(4)?, number(2)?, number(2)?);
        let date = Self { year, month: u8::try_from(month).ok()?, day: u8::try_from(day).ok()? };
        let (_, mut days) = *MONTHS.get(usize::from(date.month.checked_sub(1)?))?;
        days += u8::from(date.month == 2 && date.leaps());
        (year > 0 && date.day >= 1 && date.day <= days).then_some(date)
    }

    fn leaps(self) -> bool {
        self.year.is_multiple_of(4) && (!self.year.is_multiple_of(100) || self.year.is_multiple_of(400))
    }

    /// The day of the year, from 1.
    fn of_year(self) -> u16 {
        let before =
            MONTHS[..usize::from(self.month) - 1].iter().map(|(_, days)| u16::from(*days)).sum::<u16>();
        before + u16::from(self.month > 2 && self.leaps()) + u16::from(self.day)
    }

    /// The day of the week, from Sunday.
    fn of_week(self) -> usize {
        let years = usize::from(self.year) - 1;
        (years + years / 4 - years / 100 + years / 400 + usize::from(self.of_year())) % 7
    }

    /// The day as `strftime` writes it, at midnight.
    pub fn format(self, format: &str) -> Result<String, String> {
        let mut text = String::new();
        let mut letters = format.chars();
        while let Some(letter) = letters.next() {
            if letter != '%' {
                text.push(letter);
                continue;
            }
            let mut what = letters.next();
            let bare = what == Some('-');
            if bare {
                what = letters.next();
            }
            let (month, _) = MONTHS[usize::from(self.month) - 1];
            let week_day = DAYS[self.of_week()];
            let number = |number: u16, width: usize| match bare {
                true => number.to_string(),
                false => format!("{number:0width$}"),
            };
            text.push_str(&match what {
                Some('Y') => format!("{:04}", self.year),
                Some('y') => number(self.year % 100, 2),
                Some('m') => number(self.month.into(), 2),
                Some('d') => number(self.day.into(), 2),
                Some('e') => format!("{:2}", self.day),
                Some('j') => number(self.of_year(), 3),
                Some('H' | 'M' | 'S') => number(0, 2),
                Some('I') => number(12, 2),
                Some('p') => "AM".to_owned(),
                Some('B') => month.to_owned(),
                Some('b' | 'h') => month[..3].to_owned(),
                Some('A') => week_day.to_owned(),
                Some('a') => week_day[..3].to_owned(),
                Some('F') => self.to_string(),
                Some('%') => "%".to_owned(),
                other => {
                    let other = other.map(String::from).unwrap_or_default();
                    return Err(format!("strftime_now does not know `%{other}`"));
                }
            });
        }
        Ok(text)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Self::parse(&text)
            .ok_or_else(|| de::Error::custom(format!("{text:?} is not a day; write \"2026-01-31\"")))
    }
}

/// The filter `tojson` as `transformers` defines it: `json.dumps(x, ensure_ascii=False, …)`.
pub(super) fn to_json(value: &Value, options: Kwargs) -> Result<String, Error> {
    let indent = match options.get::<Option<Value>>("indent")?.filter(|indent| !indent.is_none()) {
        None => None,
        Some(indent) if indent.kind() == ValueKind::String => Some(indent.to_string()),
        Some(indent) => Some(" ".repeat(usize::try_from(indent)?)),
    };
    let given = options.get::<Option<Value>>("separators")?.filter(|given| !given.is_none());
    let (item, key) = match given {
        None => (if indent.is_some() { "," } else { ", " }.to_owned(), ": ".to_owned()),
        Some(pair) => (pair.get_item_by_index(0)?.to_string(), pair.get_item_by_index(1)?.to_string()),
    };
    let ascii = options.get::<Option<bool>>("ensure_ascii")?.unwrap_or(false);
    let sorted = options.get::<Option<bool>>("sort_keys")?.unwrap_or(false);
    options.assert_all_used()?;
    let style = Style { indent, item, key, ascii, sorted };
    let mut text = String::new();
    style.write(value, 0, &mut text)?;
    Ok(text)
}

struct Style {
    indent: Option<String>,
    item: String,
    key: String,
    ascii: bool,
    sorted: bool,
}

impl Style {
    fn write(&self, value: &Value, depth: usize, to: &mut String) -> Result<(), Error> {
        match value.kind() {
            ValueKind::None => to.push_str("null"),
            ValueKind::Bool => to.push_str(if value.is_true() { "true" } else { "false" }),
            ValueKind::Number if value.is_integer() => to.push_str(&value.to_string()),
            ValueKind::Number => to.push_str(&float(f64::try_from(value.clone())?)),
            ValueKind::String => self.string(value.as_str().unwrap_or_default(), to),
            ValueKind::Seq | ValueKind::Iterable => {
                self.all(value.try_iter()?, depth, ['[', ']'], to, |item, to| {
                    self.write(&item, depth + 1, to)
                })?;
            }
            ValueKind::Map => {
                let mut keys: Vec<Value> = value.try_iter()?.collect();
                if self.sorted {
                    keys.sort();
                }
                self.all(keys, depth, ['{', '}'], to, |key, to| {
                    match key.kind() {
                        ValueKind::String => self.string(key.as_str().unwrap_or_default(), to),
                        _ => {
                            to.push('"');
                            self.write(&key, depth, to)?;
                            to.push('"');
                        }
                    }
                    to.push_str(&self.key);
                    self.write(&value.get_item(&key)?, depth + 1, to)
                })?;
            }
            other => {
                let what = format!("tojson cannot write what is {other}");
                return Err(Error::new(ErrorKind::InvalidOperation, what));
            }
        }
        Ok(())
    }

    fn all(
        &self,
        items: impl IntoIterator<Item = Value>,
        depth: usize,
        [open, close]: [char; 2],
        to: &mut String,
        mut write: impl FnMut(Value, &mut String) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let line = |depth: usize, to: &mut String| {
            if let Some(indent) = &self.indent {
                to.push('\n');
                to.push_str(&indent.repeat(depth));
            }
        };
        to.push(open);
        let mut any = false;
        for item in items {
            if any {
                to.push_str(&self.item);
            }
            any = true;
            line(depth + 1, to);
            write(item, to)?;
        }
        if any {
            line(depth, to);
        }
        to.push(close);
        Ok(())
    }

    fn string(&self, text: &str, to: &mut String) {
        to.push('"');
        for letter in text.chars() {
            match letter {
                '"' => to.push_str("\\\""),
                '\\' => to.push_str("\\\\"),
                '\n' => to.push_str("\\n"),
                '\r' => to.push_str("\\r"),
                '\t' => to.push_str("\\t"),
                '\u{8}' => to.push_str("\\b"),
                '\u{c}' => to.push_str("\\f"),
                _ if letter < ' ' || (self.ascii && !(' '..='~').contains(&letter)) => {
                    for unit in letter.encode_utf16(&mut [0; 2]) {
                        to.push_str(&format!("\\u{unit:04x}"));
                    }
                }
                _ => to.push(letter),
            }
        }
        to.push('"');
    }
}

/// A number as Python's `repr` writes it: the shortest digits, with an exponent from 1e16 on and below 1e-4.
fn float(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    let scientific = format!("{number:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    match exponent.parse::<i32>().unwrap_or(0) {
        -4..=15 => {
            let plain = number.to_string();
            if plain.contains('.') {
                plain
            } else {
                plain + ".0"
            }
        }
        exponent => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", exponent.abs())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_written_as_strftime_writes_them() {
        let day = Date::parse("2026-11-02").unwrap();
        let all = "%Y %y %m %d %-d %e %j %H:%M:%S %I %p %B %b %A %a %F 100%%";
        // python: datetime(2026, 11, 2).strftime(…)
        let python = "2026 26 11 02 2  2 306 00:00:00 12 AM November Nov Monday Mon 2026-11-02 100%";
        assert_eq!(day.format(all).unwrap(), python);
        assert_eq!(Date::default().format("%d %b %Y, %a").unwrap(), "26 Jul 2024, Fri");
        assert_eq!(Date::parse("2024-12-31").unwrap().format("%j %A").unwrap(), "366 Tuesday");
        assert!(day.format("%Q").unwrap_err().contains("`%Q`"));
        assert!(day.format("50%").is_err());
        for wrong in ["2026-13-01", "2026-02-29", "26-1-1", "2026-00-10", "2026-01-00", "x", "0000-01-01"] {
            assert_eq!(Date::parse(wrong), None, "{wrong}");
        }
        assert!(Date::parse("2024-02-29").is_some());
    }

    #[test]
    fn floats_are_written_as_repr_writes_them() {
        // python: [repr(x) for x in …]
        let python = [
            (1.0, "1.0"),
            (0.1, "0.1"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1.5e300, "1.5e+300"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (-2.5e-7, "-2.5e-07"),
            (-0.0, "-0.0"),
            (123_456.789, "123456.789"),
        ];
        for (number, written) in python {
            assert_eq!(float(number), written);
        }
        assert_eq!((float(f64::NAN).as_str(), float(f64::NEG_INFINITY).as_str()), ("NaN", "-Infinity"));
    }
}
