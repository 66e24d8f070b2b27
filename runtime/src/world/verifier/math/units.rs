//! Units that may stand after a number; what is measured in is not compared.

/// Units of two letters and more, which are read as such wherever they stand.
const UNITS: &[&str] = &[
    "mm", "cm", "dm", "km", "nm", "in", "inch", "inches", "ft", "foot", "feet", "yd", "yard", "yards", "mi",
    "mile", "miles", "meter", "meters", "metre", "metres", "mg", "kg", "lb", "lbs", "oz", "ounce", "ounces",
    "pound", "pounds", "gram", "grams", "ml", "mL", "liter", "liters", "litre", "litres", "sec", "second",
    "seconds", "min", "mins", "minute", "minutes", "hr", "hrs", "hour", "hours", "day", "days", "week",
    "weeks", "month", "months", "year", "years", "deg", "degree", "degrees", "radians", "dollar", "dollars",
    "cent", "cents", "euro", "euros", "unit", "units", "square", "sq", "cubic", "mph", "kmh", "Hz", "kHz",
    "points", "times", "people", "kW", "kWh", "USD", "EUR",
];

/// Units of one letter, which could be variables as well.
const SHORT: &[&str] = &["m", "g", "s", "h", "l", "L", "N", "J", "W", "V", "A", "K", "C", "F"];

/// Whether `word` is a unit. `worded`: no variable is expected, so that one letter can be one too.
pub(super) fn is_unit(word: &str, worded: bool) -> bool {
    UNITS.contains(&word) || (worded && (SHORT.contains(&word) || word == "per"))
}
