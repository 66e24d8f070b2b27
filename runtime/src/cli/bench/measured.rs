//! What was measured: numbers of one unit each, and what they were measured on.

use std::fmt;
use std::time::Instant;

use serde_json::{json, Map, Value};

use crate::error::Result;

/// What a bench found.
pub(super) struct Measured {
    piece: &'static str,
    facts: Vec<(&'static str, Value)>,
    series: Vec<Series>,
}

/// One thing, measured again and again.
struct Series {
    name: &'static str,
    unit: &'static str,
    values: Vec<f64>,
}

impl Measured {
    /// Nothing yet, but how many threads there are.
    pub fn of(piece: &'static str) -> Self {
        let threads = ("threads", json!(rayon::current_num_threads()));
        Self { piece, facts: vec![threads], series: Vec::new() }
    }

    /// What it was measured on.
    #[must_use]
    pub fn on(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.facts.push((name, value.into()));
        self
    }

    /// One thing, measured; a unit that ends in `/s` is better when it is higher, any other when it is lower.
    pub fn add(&mut self, name: &'static str, unit: &'static str, values: Vec<f64>) {
        if !values.is_empty() {
            self.series.push(Series { name, unit, values });
        }
    }

    /// `{"bench": …, "threads": …, "peak_memory_mb": …, "series": {name: {unit, median, best, values}}}`.
    pub fn to_json(&self) -> Value {
        let mut all = Map::new();
        all.insert("bench".to_string(), json!(self.piece));
        all.extend(self.facts.iter().map(|(name, value)| ((*name).to_string(), value.clone())));
        all.insert("peak_memory_mb".to_string(), json!(peak_memory()));
        let series: Map<String, Value> =
            self.series.iter().map(|series| (series.name.to_string(), series.to_json())).collect();
        all.insert("series".to_string(), Value::Object(series));
        Value::Object(all)
    }
}

impl Series {
    fn best(&self) -> f64 {
        let better = if self.unit.ends_with("/s") { f64::max } else { f64::min };
        self.values.iter().copied().reduce(better).unwrap_or(f64::NAN)
    }

    fn to_json(&self) -> Value {
        json!({"unit": self.unit, "median": median(&self.values), "best": self.best(), "values": self.values})
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let facts: Vec<String> = self.facts.iter().map(|(name, value)| format!("{name} {value}")).collect();
        let memory = peak_memory().map_or("not measured".to_string(), |mb| format!("{mb:.0} MB"));
        writeln!(f, "{}: {}, peak memory {memory}", self.piece, facts.join(", "))?;
        let name = self.series.iter().map(|series| series.name.chars().count()).max().unwrap_or(0);
        write!(f, "{:name$}  {:>10}  {:>10}", "", "median", "best")?;
        for series in &self.series {
            let (middle, best) = (median(&series.values), series.best());
            write!(f, "\n{:name$}  {middle:>10.2}  {best:>10.2} {}", series.name, series.unit)?;
        }
        Ok(())
    }
}

/// The seconds that `work` takes, so many times, after once that is not counted.
///
/// # Errors
/// Those of `work`.
pub(super) fn seconds(repeats: usize, mut work: impl FnMut() -> Result<()>) -> Result<Vec<f64>> {
    work()?;
    let once = |_| {
        let start = Instant::now();
        work().map(|()| start.elapsed().as_secs_f64())
    };
    (0..repeats).map(once).collect()
}

/// Seconds as milliseconds.
pub(super) fn milliseconds(seconds: &[f64]) -> Vec<f64> {
    seconds.iter().map(|seconds| seconds * 1e3).collect()
}

/// The number in the middle; the mean of the two there when they are even in number.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match (sorted.len(), sorted.len() / 2) {
        (0, _) => f64::NAN,
        (count, middle) if count % 2 == 1 => sorted[middle],
        (_, middle) => (sorted[middle - 1] + sorted[middle]) / 2.0,
    }
}

/// The most memory that this process has held, in MB (10⁶ bytes); only Linux says it.
pub(super) fn peak_memory() -> Option<f64> {
    memory("VmHWM:")
}

/// The memory that this process holds now, likewise.
pub(super) fn memory_now() -> Option<f64> {
    memory("VmRSS:")
}

fn memory(name: &str) -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024.0 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle_and_the_best_depends_on_the_unit() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
        let mut measured = Measured::of("piece").on("rows", 8);
        measured.add("pass", "ms", vec![3.0, 1.0, 2.0]);
        measured.add("rollout", "tokens/s", vec![3.0, 1.0, 2.0]);
        measured.add("nothing", "s", Vec::new());
        let said = measured.to_json();
        assert_eq!(said["rows"], 8);
        assert_eq!(
            (&said["series"]["pass"]["best"], &said["series"]["rollout"]["best"]),
            (&json!(1.0), &json!(3.0))
        );
        assert!(said["series"].get("nothing").is_none());
        assert!(measured.to_string().contains("rollout        2.00        3.00 tokens/s"), "{measured}");
    }
}
