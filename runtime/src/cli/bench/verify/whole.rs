//! A whole recipe beside the same on the CPU, and the device's memory over many steps.

use super::{Line, Rounding};
use crate::cli::bench::growth::Sizes;
use crate::cli::bench::measured::memory_now;
use crate::cli::bench::pair::Pair;
use crate::error::Result;
use crate::tasks::{generate, TaskSpec};
use crate::tensor::{Cpu, Device};
use crate::world::rows::Row;

/// Steps that are compared.
const STEPS: u64 = 20;
/// Steps over which memory is watched.
const WATCHED: u64 = 500;

fn rows() -> Result<Vec<Row>> {
    generate(&TaskSpec { levels: (2, 2), per_level: 16, ..TaskSpec::default() })
}

/// A recipe's numbers over some steps, and the pair that was trained on the device.
pub(super) fn steps<D: Device>(device: &D, rounding: Rounding) -> Result<(Vec<Line>, Pair<D>)> {
    let sizes = Sizes { vocabulary: 300, layers: 2, room: 80 };
    let (mut here, mut there) = (sizes.pair_on(&Cpu::default())?, sizes.pair_on(device)?);
    there.student.decoder.scale_losses(rounding.loss_scale());
    let expected = here.train(rows()?, STEPS, (2, 4, 12))?;
    let found = there.train(rows()?, STEPS, (2, 4, 12))?;
    let mut lines = Vec::new();
    for name in ["loss", "grad_norm", "entropy"] {
        let differ = expected.metrics.iter().zip(&found.metrics).map(|((_, expected), (_, found))| {
            let (expected, found) = (expected.get(name).unwrap_or(0.0), found.get(name).unwrap_or(0.0));
            (found - expected).abs() / expected.abs().max(1e-6)
        });
        let most = differ.fold(0.0, |most: f64, x| if x <= most { most } else { x });
        lines.push(Line::differs(
            format!("{name} over {} steps", STEPS),
            most,
            1e-2 * rounding.more().min(20.0),
        ));
    }
    Ok((lines, there))
}

pub(super) fn all<D: Device>(device: &D, rounding: Rounding, small: bool) -> Result<Vec<Line>> {
    let (mut lines, mut there) = steps(device, rounding)?;
    let used = || device.memory_used().map(|bytes| bytes as f64 / 1e6).or_else(memory_now).unwrap_or(0.0);
    let watched = if small { STEPS } else { WATCHED };
    // the first steps set up what later ones use again
    there.train(rows()?, 20, (2, 4, 12))?;
    let before = used();
    there.train(rows()?, watched, (2, 4, 12))?;
    let grown = Line {
        allowed: Some(64.0),
        ..Line::number(format!("memory over {} steps", watched), used() - before, "MB")
    };
    lines.push(grown);
    Ok(lines)
}
