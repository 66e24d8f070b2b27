//! Whole steps of distillation of a model by itself, as a recipe runs them.

use std::path::Path;

use super::measured::Measured;
use super::pair::{Pair, STAGES};
use super::rollout::question;
use crate::error::Result;
use crate::log::metrics::STEP_TIME;
use crate::run::Report;
use crate::tensor::Cpu;
use crate::world::rows::Row;
use crate::world::Policy;

pub(super) fn measure(model: &Path, rows: usize, new: usize, steps: u64) -> Result<Measured> {
    let device = Cpu::default();
    let mut pair =
        Pair::of(Policy::load("student", model, &device)?, Policy::map("teacher", model, &device)?);
    let asked = (2..2 + rows * steps as usize).map(|a| Row::new(question(a, a + 3)));
    let report = pair.train(asked.collect(), steps, (rows, 1, new))?;
    let mut measured = Measured::of("step").on("rows", rows).on("new", new).on("steps", steps);
    after_the_first(&report, &mut measured);
    Ok(measured)
}

/// The seconds of every step but the first, and of its stages.
pub(super) fn after_the_first(report: &Report, measured: &mut Measured) {
    let times = |name: &str| -> Vec<f64> {
        report.metrics.iter().skip(1).filter_map(|(_, metrics)| metrics.get(name)).collect()
    };
    measured.add("step", "s", times(STEP_TIME));
    for stage in STAGES {
        measured.add(stage, "s", times(&format!("{stage}_time")));
    }
}
