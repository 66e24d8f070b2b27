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
use crate::tensor::{accelerator, Device};

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
pub(super) fn run(file: &Path, tf32: bool, small: bool) -> Result<String> {
    on(&accelerator(0, tf32)?, file, tf32, small)
}

fn on<D: Device>(device: &D, file: &Path, tf32: bool, small: bool) -> Result<String> {
    let name = device.describe();
    // products that round to 10 bits of mantissa are off by 2^-11 each
    let rounded = if tf32 { 200.0 } else { 1.0 };
    let mut lines = ops::all(device, rounded)?;
    lines.extend(losses::all(device, rounded)?);
    lines.extend(whole::all(device, rounded, small)?);
    lines.extend(speed::kernels(device, small)?);
    if !small {
        lines.extend(speed::models(device)?);
    }
    let all: Vec<Value> = lines.iter().map(Line::json).collect();
    let text = json!({"device": name, "tf32": tf32, "lines": all}).to_string();
    std::fs::write(file, text).map_err(|why| Error::writing(file, why))?;
    let mut table = format!("{name}, {}\n", if tf32 { "TF32" } else { "f32" });
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
        let table = on(&Cpu::default(), &file, false, true).unwrap();
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
