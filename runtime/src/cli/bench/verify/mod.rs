//! `limbeck bench --device cuda --verify`: what only a machine with the device can find out.
//!
//! Every operation beside the CPU's on random shapes, a recipe for 20 steps beside the same on the CPU, the device's
//! memory over 500 steps, and how fast all of it is.

mod losses;
mod ops;
mod speed;
mod whole;

use std::fmt::Write;
use std::path::Path;

use serde_json::{json, Value};

use crate::error::{Error, Result};
use crate::models::LossScale;
use crate::tensor::{accelerator, Device, Precision};

/// One thing that was looked at.
pub(super) struct Line {
    pub what: String,
    pub found: f64,
    /// What it is measured in, or that it is a difference.
    pub unit: &'static str,
    /// The most it may be, where there is a limit.
    pub allowed: Option<f64>,
}

impl Line {
    /// A difference, relative to the largest number.
    pub fn differs(what: impl Into<String>, found: f64, allowed: f64) -> Self {
        Self { what: what.into(), found, unit: "difference", allowed: Some(allowed) }
    }

    /// A number by itself.
    pub fn number(what: impl Into<String>, found: f64, unit: &'static str) -> Self {
        Self { what: what.into(), found, unit, allowed: None }
    }

    fn holds(&self) -> bool {
        self.allowed.is_none_or(|most| self.found <= most)
    }

    fn json(&self) -> Value {
        let (what, found) = (&self.what, self.found);
        json!({"what": what, "found": found, "unit": self.unit, "allowed": self.allowed, "holds": self.holds()})
    }
}

/// Runs everything on GPU 0, and writes it to `file` as JSON; the table. `small` leaves out what takes a large model.
///
/// # Errors
/// A program without the feature `cuda`, a machine without a GPU, or something that does not hold, after the file is
/// written.
pub(super) fn run(file: &Path, precision: Precision, small: bool) -> Result<String> {
    on(&accelerator(0, precision)?, file, precision, small, |precision| accelerator(0, precision).map(drop))
}

/// What products round to, and what may therefore differ.
#[derive(Clone, Copy)]
struct Rounding(Precision);

impl Rounding {
    /// By how much more numbers may differ that come out of products: those that round to 10 bits of mantissa are off by
    /// 2^-11 each.
    fn more(self) -> f64 {
        match self.0 {
            Precision::F32 => 1.0,
            Precision::Tf32 | Precision::F16 => 200.0,
        }
    }

    /// How a model's losses are scaled: by so little that no step is expected to be skipped.
    fn loss_scale(self) -> Option<LossScale> {
        (self.0 == Precision::F16).then(|| LossScale::starting_at(10))
    }
}

/// Everything on `device`, whose products are of `precision`, until `switch` says otherwise.
fn on<D: Device>(
    device: &D,
    file: &Path,
    precision: Precision,
    small: bool,
    switch: impl Fn(Precision) -> Result<()>,
) -> Result<String> {
    let (name, rounding) = (device.describe(), Rounding(precision));
    let mut lines = ops::all(device, rounding)?;
    lines.extend(losses::all(device, rounding.more())?);
    lines.extend(whole::all(device, rounding, small)?);
    if precision != Precision::F16 {
        switch(Precision::F16)?;
        let halves = Rounding(Precision::F16);
        let more = [ops::of_products(device, halves)?, whole::steps(device, halves)?.0];
        lines.extend(
            more.into_iter().flatten().map(|line| Line { what: format!("f16: {}", line.what), ..line }),
        );
        switch(precision)?;
    }
    lines.extend(speed::kernels(device, small)?);
    if !small {
        lines.extend(speed::models(device)?);
    }
    let all: Vec<Value> = lines.iter().map(Line::json).collect();
    let text = json!({"device": name, "precision": precision, "lines": all}).to_string();
    std::fs::write(file, text).map_err(|why| Error::writing(file, why))?;
    let mut table = format!("{name}, {}\n", precision.name());
    for line in &lines {
        let allowed = line.allowed.map_or(String::new(), |most| format!("at most {most:.1e}"));
        let holds = if line.holds() { "" } else { "  DOES NOT HOLD" };
        let _ = writeln!(table, "{:44} {:>12.4e} {:10} {allowed}{holds}", line.what, line.found, line.unit);
    }
    match lines.iter().filter(|line| !line.holds()).count() {
        0 => Ok(table),
        wrong => Err(Error::run(format!("{table}\n{wrong} of {} do not hold", lines.len()))
            .at(file.display())
            .next("what differs is above; the CPU is right until shown otherwise")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::Cpu;

    #[test]
    fn the_cpu_agrees_with_itself() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("all.json");
        let table = on(&Cpu::default(), &file, Precision::F32, true, |_| Ok(())).unwrap();
        let said: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let lines = said["lines"].as_array().unwrap();
        let compared = |line: &&Value| line["unit"] == "difference";
        assert!(lines.iter().filter(compared).count() > 60, "{table}");
        assert!(lines.iter().filter(compared).all(|line| line["found"] == 0.0), "{table}");
    }

    #[test]
    fn what_does_not_hold_is_told() {
        assert!(!Line::differs("a sum", 2.0, 1.0).holds());
        assert!(!Line::differs("a sum", f64::NAN, 1.0).holds());
        assert!(Line::number("a speed", 2.0, "s").holds());
    }
}
