//! The numbers of one step, by the names that `metrics.jsonl`, TensorBoard and the report share.

use std::fmt;

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What stands before a domain's name: accuracy on the step's own rollouts.
pub const ACCURACY: &str = "accuracy/";
/// What stands before a domain's name: accuracy on held-out prompts, on the steps that measure it.
pub const HELD_OUT: &str = "eval/accuracy/";
/// What stands before a regime's name: the share of tokens routed there.
pub const REGIME: &str = "regime/";
/// Seconds the whole step took. A stage's own seconds are `<stage>_time`.
pub const STEP_TIME: &str = "step_time";

/// The key that lists the numbers JSON cannot hold; they are written as null.
const NONFINITE: &str = "nonfinite";
/// The key that says which step a line is about; not a metric.
const STEP: &str = "step";
/// The key of the run's fingerprint, beside its numbers in a line; not a metric.
const HASH: &str = "hash";

/// The numbers of one step: name → number, in the order in which the names came up.
///
/// A name is filled in one of three ways, which decides what [`Metrics::merge`] does with it: [`set`]
/// (the later wins), [`add`] (a sum) or [`mean`] (a weighted mean). Filling it in another way than
/// before starts it afresh.
///
/// ```
/// # use limbeck::log::Metrics;
/// let mut metrics = Metrics::default();
/// metrics.set("lr", 1e-4);
/// metrics.add("tokens", 30.0);
/// metrics.add("tokens", 12.0);
/// metrics.mean("loss", 1.0, 3.0);
/// metrics.mean("loss", 2.0, 1.0);
/// assert_eq!(metrics.get("tokens"), Some(42.0));
/// assert_eq!(metrics.get("loss"), Some(1.25));
/// ```
///
/// [`set`]: Metrics::set
/// [`add`]: Metrics::add
/// [`mean`]: Metrics::mean
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metrics {
    entries: Vec<(String, Number)>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Number {
    Set(f64),
    Sum(f64),
    Mean { mean: f64, weight: f64 },
}

impl Metrics {
    /// This is the number.
    pub fn set(&mut self, name: &str, value: f64) {
        self.put(name, Number::Set(value));
    }

    /// Adds to the sum of this name.
    pub fn add(&mut self, name: &str, value: f64) {
        self.put(name, Number::Sum(value));
    }

    /// Lets `value` into the weighted mean of this name. A weight that is not above 0 counts for nothing.
    pub fn mean(&mut self, name: &str, value: f64, weight: f64) {
        if weight > 0.0 {
            self.put(name, Number::Mean { mean: value, weight });
        }
    }

    /// Takes in the numbers of `other`: sums add up, means are weighted, what was set there wins.
    pub fn merge(&mut self, other: &Metrics) {
        for (name, number) in &other.entries {
            self.put(name, *number);
        }
    }

    /// The number of this name.
    pub fn get(&self, name: &str) -> Option<f64> {
        let (_, number) = self.entries.iter().find(|(known, _)| known == name)?;
        Some(number.value())
    }

    /// Names and numbers, in the order in which the names came up.
    pub fn iter(&self) -> impl Iterator<Item = (&str, f64)> {
        self.entries.iter().map(|(name, number)| (name.as_str(), number.value()))
    }

    /// The numbers whose names start with `prefix`, by the rest of the name: domains, regimes.
    pub fn under<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, f64)> {
        self.iter().filter_map(move |(name, value)| Some((name.strip_prefix(prefix)?, value)))
    }

    /// Whether there is no number yet.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn put(&mut self, name: &str, number: Number) {
        match self.entries.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => *known = known.with(number),
            None => self.entries.push((name.to_owned(), number)),
        }
    }
}

impl Number {
    fn value(self) -> f64 {
        match self {
            Number::Set(value) | Number::Sum(value) => value,
            Number::Mean { mean, .. } => mean,
        }
    }

    fn with(self, new: Number) -> Number {
        match (self, new) {
            (Number::Sum(sum), Number::Sum(value)) => Number::Sum(sum + value),
            (Number::Mean { mean: m, weight: w }, Number::Mean { mean, weight }) => {
                let all = w + weight;
                // Moves towards the newcomer, so that equal values keep their exact mean.
                Number::Mean { mean: m + (mean - m) * (weight / all), weight: all }
            }
            (_, new) => new,
        }
    }
}

/// Written as one JSON object. A number that is not finite becomes null and is named in `nonfinite`.
impl Serialize for Metrics {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let mut nonfinite = Vec::new();
        for (name, value) in self.iter() {
            if value.is_finite() {
                map.serialize_entry(name, &value)?;
            } else {
                map.serialize_entry(name, &None::<f64>)?;
                nonfinite.push(name);
            }
        }
        if !nonfinite.is_empty() {
            map.serialize_entry(NONFINITE, &nonfinite)?;
        }
        map.end()
    }
}

/// Read back from one line of `metrics.jsonl`; null becomes NaN.
impl<'de> Deserialize<'de> for Metrics {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(OneObject)
    }
}

struct OneObject;

impl<'de> Visitor<'de> for OneObject {
    type Value = Metrics;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of numbers")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Metrics, A::Error> {
        let mut metrics = Metrics::default();
        while let Some(name) = map.next_key::<String>()? {
            if name == NONFINITE || name == STEP || name == HASH {
                map.next_value::<IgnoredAny>()?;
            } else {
                let value: Option<f64> = map.next_value()?;
                metrics.set(&name, value.unwrap_or(f64::NAN));
            }
        }
        Ok(metrics)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_the_order_in_which_they_came_up() {
        let mut metrics = Metrics::default();
        for name in ["loss", "accuracy/math", "accuracy/code", "lr", "loss"] {
            metrics.set(name, 1.0);
        }
        let names: Vec<_> = metrics.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["loss", "accuracy/math", "accuracy/code", "lr"]);
        let domains: Vec<_> = metrics.under(ACCURACY).map(|(name, _)| name).collect();
        assert_eq!(domains, ["math", "code"]);
    }

    #[test]
    fn merging_parts_gives_what_one_pass_gives() {
        let parts = [(1.0, 2.0), (4.0, 1.0), (0.5, 5.0)];
        let mut whole = Metrics::default();
        let mut merged = Metrics::default();
        for (value, weight) in parts {
            whole.mean("loss", value, weight);
            whole.add("tokens", weight);
            let mut part = Metrics::default();
            part.mean("loss", value, weight);
            part.add("tokens", weight);
            part.set("lr", value);
            merged.merge(&part);
        }
        assert_eq!(merged.get("loss"), whole.get("loss"));
        assert!((merged.get("loss").unwrap() - 8.5 / 8.0).abs() < 1e-15);
        assert_eq!(merged.get("tokens"), Some(8.0));
        assert_eq!(merged.get("lr"), Some(0.5));
    }

    #[test]
    fn the_mean_of_equal_values_is_that_value_and_weightless_values_count_for_nothing() {
        let mut metrics = Metrics::default();
        metrics.mean("loss", f64::NAN, 0.0);
        metrics.mean("loss", 1.0, f64::NAN);
        assert_eq!(metrics.get("loss"), None);
        for _ in 0..7 {
            metrics.mean("loss", 0.1, 3.0);
        }
        assert_eq!(metrics.get("loss"), Some(0.1));
    }

    #[test]
    fn what_json_cannot_hold_is_null_and_named() {
        let mut metrics = Metrics::default();
        metrics.set("loss", f64::NAN);
        metrics.set("lr", 0.1);
        metrics.set("reward", f64::NEG_INFINITY);
        let text = serde_json::to_string(&metrics).unwrap();
        let expected = r#"{"loss":null,"lr":0.1,"reward":null,"nonfinite":["loss","reward"]}"#;
        assert_eq!(text, expected);
        let back: Metrics = serde_json::from_str(&text).unwrap();
        assert!(back.get("loss").unwrap().is_nan());
        assert_eq!(back.get("lr"), Some(0.1));
        assert_eq!(back.iter().count(), 3);
    }
}
