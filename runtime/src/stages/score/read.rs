//! Reading responses with a policy, without a tape.

use std::collections::BTreeMap;

use crate::batch::Rollouts;
use crate::error::{Error, Result};
use crate::models::Packed;
use crate::tensor::Device;
use crate::world::{Policy, World};

/// How many responses a policy reads at once.
const AT_ONCE: usize = 64;

/// The log-probability that `policy` gives each token of the responses `which`, in that order.
pub(crate) fn log_probs<D: Device, J>(
    policy: &Policy<D>,
    rollouts: &Rollouts<J>,
    which: &[usize],
) -> Result<Vec<Vec<f64>>> {
    let mut all = Vec::with_capacity(which.len());
    for some in which.chunks(AT_ONCE) {
        let (packed, ids) = pack(rollouts, some);
        let mut flat = policy.decoder.log_probs(&packed, &ids)?.into_iter();
        for &i in some {
            let row: Vec<f64> = flat.by_ref().take(rollouts.responses_N[i].tokens_T.len()).collect();
            if row.iter().any(|x| !x.is_finite()) {
                return Err(not_finite(&policy.name));
            }
            all.push(row);
        }
    }
    Ok(all)
}

/// The log-probabilities over the vocabulary that `policy` gives at each token of the responses `which`.
pub(crate) fn log_rows<D: Device, J>(
    policy: &Policy<D>,
    rollouts: &Rollouts<J>,
    which: &[usize],
) -> Result<Vec<Vec<f32>>> {
    let width = policy.vocabulary();
    let mut all = Vec::with_capacity(which.len());
    for some in which.chunks(AT_ONCE) {
        let (packed, _) = pack(rollouts, some);
        let logits = policy.decoder.logits(&packed)?;
        let mut flat = crate::tensor::to_host(&logits);
        for row in flat.chunks_mut(width) {
            crate::real::log_softmax(row);
        }
        if flat.iter().any(|x| x.is_nan()) {
            return Err(not_finite(&policy.name));
        }
        let mut rest = &flat[..];
        for &i in some {
            let (mine, others) = rest.split_at(rollouts.responses_N[i].tokens_T.len() * width);
            all.push(mine.to_vec());
            rest = others;
        }
    }
    Ok(all)
}

/// Lets each response be read by the teacher of its domain, and puts the readings in batch order.
pub(crate) fn by_teacher<W: World, J, T>(
    world: &W,
    rollouts: &Rollouts<J>,
    seat_of: impl Fn(&str) -> Result<&'static str>,
    read: impl Fn(&Policy<W::Device>, &[usize]) -> Result<Vec<T>>,
) -> Result<Vec<T>> {
    let mut by_seat: BTreeMap<&'static str, Vec<usize>> = BTreeMap::new();
    for i in 0..rollouts.responses_N.len() {
        by_seat.entry(seat_of(rollouts.prompt_of(i).domain())?).or_default().push(i);
    }
    let mut readings: Vec<Option<T>> = (0..rollouts.responses_N.len()).map(|_| None).collect();
    for (seat, which) in by_seat {
        for (&i, reading) in which.iter().zip(read(world.teacher(seat)?, &which)?) {
            readings[i] = Some(reading);
        }
    }
    readings
        .into_iter()
        .map(|reading| reading.ok_or_else(|| Error::run("a response was not read by any teacher")))
        .collect()
}

/// Every response of a batch, by index.
pub(crate) fn everyone<J>(rollouts: &Rollouts<J>) -> Vec<usize> {
    (0..rollouts.responses_N.len()).collect()
}

fn pack<J>(rollouts: &Rollouts<J>, which: &[usize]) -> (Packed, Vec<u32>) {
    let packed = Packed::of(
        which.iter().map(|&i| (&rollouts.prompt_of(i).tokens[..], &rollouts.responses_N[i].tokens_T[..])),
    );
    let ids = which.iter().flat_map(|&i| rollouts.responses_N[i].tokens_T.iter().copied()).collect();
    (packed, ids)
}

fn not_finite(name: &str) -> Error {
    Error::run(format!("`{name}` gave a log-probability that is not finite"))
        .next("its weights are damaged or training has diverged: check the model folder, or lower `step.lr`")
}
