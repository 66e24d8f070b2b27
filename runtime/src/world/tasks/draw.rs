//! How a row comes out of a seed and a place.

use std::collections::BTreeMap;

use super::{with_hint, Problem, Split, TaskDomain, TaskSpec};
use crate::rng::{Purpose, Stream};
use crate::world::rows::{Images, PromptText, Row};

/// What a stream of random numbers is for; different uses never meet, so that one setting (the share
/// of hints, the slips) leaves everything else of a row as it was.
#[derive(Clone, Copy)]
pub(super) enum Use {
    /// Level and hint of a fresh row.
    Shape = 1,
    /// The problem of a fresh row, try by try.
    Fresh = 2,
    /// The problem of a row of a pool, try by try.
    Pool = 3,
    /// The slips in the reference.
    Slips = 4,
    /// Whether the prompt carries its hint.
    Hint = 5,
    /// The slips in the reference of a row of a pool.
    PoolSlips = 6,
    /// Whether the prompt of a row of a pool carries its hint.
    PoolHint = 7,
}

/// The stream for one use at one place.
pub(super) fn stream(spec: &TaskSpec, used: Use, place: u64, attempt: u32) -> Stream {
    Stream::new(spec.seed, Purpose::Task, place, (used as u64) << 32 | u64::from(attempt))
}

/// Is this body kept for tests? Every tenth is, by its CRC-32, and so never trained on.
pub fn held_out(body: &str) -> bool {
    crc32(body.as_bytes()).is_multiple_of(10)
}

/// Does the problem belong to the split that is asked for?
pub(super) fn belongs(spec: &TaskSpec, problem: &Problem) -> bool {
    held_out(&problem.body) == (spec.split == Split::HeldOut)
}

/// CRC-32 as zlib has it.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg()))
    })
}

/// The row of a problem: `hint` and `slips` are the streams that decide on both.
pub(super) fn row(
    spec: &TaskSpec,
    domain: TaskDomain,
    problem: &Problem,
    mut hint: Stream,
    mut slips: Stream,
) -> Row {
    let hints = problem.hints();
    let drawn = hint.uniform();
    let hinted = drawn < spec.hinted && !hints.is_empty();
    let shown = !hinted && (spec.hinted..spec.hinted + spec.worked).contains(&drawn);
    let worked = || problem.response(|_, digit| digit);
    let prompt = match (hinted, shown) {
        (true, _) => with_hint(&problem.prompt(), &hints),
        (_, true) => with_hint(&problem.prompt(), &worked()),
        _ => problem.prompt(),
    };
    let spared = (hinted || shown) && spec.spare_hinted;
    let taught = if spec.bent { domain.bent(problem) } else { problem.clone() };
    let taught = if hinted && spec.skip_hinted { taught.last_alone() } else { taught };
    let reference = taught.response(|step, digit| {
        // both numbers are always drawn: another probability elsewhere moves no slip here
        let (chance, other) = (slips.uniform(), slips.below(10));
        let slip = !spared && chance < spec.slip_of(step.letter);
        if slip {
            char::from(b'0' + other as u8)
        } else {
            digit
        }
    });
    let mut columns = BTreeMap::new();
    if !hints.is_empty() {
        columns.insert("hints".to_owned(), hints);
    }
    Row {
        prompt: PromptText::Plain(prompt),
        answer: Some(problem.answer().to_owned()),
        domain: domain.name().to_owned(),
        reference: Some(reference),
        level: u32::try_from(problem.steps.len()).ok(),
        images: Images::default(),
        columns,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_one_of_zlib() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(crc32(b""), 0);
    }
}
