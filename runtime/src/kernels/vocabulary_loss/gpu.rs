//! The GPU's side: some rows of logits at a time, their losses in one kernel, or on the host where a loss says nothing
//! of itself that a device could carry out.

use super::rows::{tables, RowTables};
use crate::kernels::gpu::{past, Address, Argument::*, Factor, Gpu, Grid, Held, Product};
use crate::kernels::token_loss::{Found, TokenLoss};

/// Logits at once: 256 MB.
const LOGITS: usize = 64 << 20;

/// Rows whose logits are there at once, of a vocabulary so wide.
fn rows_at_once(width: usize) -> usize {
    (LOGITS / width.max(1)).clamp(64, 4096)
}

/// Threads for a row of so many logits.
fn threads(width: usize) -> usize {
    width.next_multiple_of(32).min(256)
}

/// The losses of `weights.len()` rows of logits, of which the first is row `first` of the loss. Where `traced`, the
/// gradients of the weighted sum take the logits' place.
pub(crate) fn losses<G: Gpu>(
    gpu: &G,
    (logits, width): (Address, usize),
    first: usize,
    weights: &[f32],
    loss: &dyn TokenLoss,
    traced: bool,
) -> Result<Vec<f64>, G::Err> {
    let count = weights.len();
    if count * width == 0 {
        return Ok(vec![0.0; count]);
    }
    let Some(described) = (first..first + count).map(|row| loss.described(row)).collect::<Option<Vec<_>>>()
    else {
        return on_the_host(gpu, (logits, width), first, weights, loss, traced);
    };
    let RowTables { rows, parts, ids, values } = tables(&described, weights);
    let teachers = gpu.words(values.iter().map(|values| values.len()).sum())?;
    let mut at = 0;
    for values in &values {
        gpu.write(past(teachers.at(), at), crate::kernels::gpu::bytes(values))?;
        at += values.len();
    }
    let [rows, parts] = [gpu.keep(&rows)?, gpu.keep(&parts)?];
    let (ids, kept) = (gpu.keep(&ids)?, gpu.memory(ids.len().max(1))?);
    let found = gpu.memory(count * size_of::<Found>())?;
    let lists = [&rows, &parts, &teachers, &ids, &kept, &found].map(|memory| At(memory.at()));
    let arguments = [&[At(logits), U32(width as u32)][..], &lists, &[U32(u32::from(traced))]].concat();
    gpu.launch("row_losses", Grid(count, 1, threads(width)), &arguments)?;
    let found = gpu.take::<Found>(found.at(), count)?;
    let tell = |(row, (described, found)): (usize, (_, &Found))| loss.found(row, described, found);
    Ok((first..).zip(described.iter().zip(&found)).map(tell).collect())
}

/// The same through the host, row by row.
fn on_the_host<G: Gpu>(
    gpu: &G,
    (logits, width): (Address, usize),
    first: usize,
    weights: &[f32],
    loss: &dyn TokenLoss,
    traced: bool,
) -> Result<Vec<f64>, G::Err> {
    let mut values = gpu.take::<f32>(logits, weights.len() * width)?;
    let mut gradient = vec![0.0; width];
    let mut losses = Vec::with_capacity(weights.len());
    for ((row, &weight), logits) in (first..).zip(weights).zip(values.chunks_exact_mut(width)) {
        if !traced || weight == 0.0 {
            losses.push(loss.row(row, logits, None));
            logits.fill(0.0);
            continue;
        }
        gradient.fill(0.0);
        losses.push(loss.row(row, logits, Some(&mut gradient)));
        logits.iter_mut().zip(&gradient).for_each(|(slot, g)| *slot = g * weight);
    }
    if traced {
        gpu.write(logits, crate::kernels::gpu::bytes(&values))?;
    }
    Ok(losses)
}

/// Calls `work` with the logits of some rows, the first of these, how many, and the output layer as products read it,
/// until all have been there.
fn by_lots<G: Gpu>(
    gpu: &G,
    [hidden, head]: [Address; 2],
    [rows, inner, width]: [usize; 3],
    mut work: impl FnMut(Address, usize, usize, Factor) -> Result<(), G::Err>,
) -> Result<(), G::Err> {
    let lot = rows_at_once(width).min(rows);
    if lot * width == 0 {
        return Ok(());
    }
    let logits = gpu.words(lot * width)?;
    let halves = gpu.halved(head, width * inner)?;
    let head = Factor::with(head, halves.as_ref());
    for start in (0..rows).step_by(lot) {
        let count = lot.min(rows - start);
        gpu.multiply(&Product {
            a: past(hidden, start * inner).into(),
            b: head,
            c: logits.at(),
            rows: count,
            columns: width,
            depth: inner,
            a_turned: false,
            b_turned: true,
            adds: false,
        })?;
        work(logits.at(), start, count, head)?;
    }
    Ok(())
}

/// Where the gradients of hidden states and of the output layer are added.
pub(crate) type Into = (Address, Option<Address>);

pub(crate) fn vocabulary_loss<G: Gpu>(
    gpu: &G,
    [hidden, head]: [Address; 2],
    [rows, inner, width]: [usize; 3],
    weights: &[f32],
    loss: &dyn TokenLoss,
    into: Option<Into>,
) -> Result<Vec<f64>, G::Err> {
    let mut all = Vec::with_capacity(rows);
    by_lots(gpu, [hidden, head], [rows, inner, width], |logits, start, count, head| {
        let weights = &weights[start..start + count];
        all.extend(losses(gpu, (logits, width), start, weights, loss, into.is_some())?);
        let Some((g_hidden, g_head)) = into else { return Ok(()) };
        if weights.iter().all(|&weight| weight == 0.0) {
            return Ok(());
        }
        let halves = gpu.halved(logits, count * width)?;
        let shared = Product {
            a: Factor::with(logits, halves.as_ref()),
            b: head,
            c: past(g_hidden, start * inner),
            rows: count,
            columns: inner,
            depth: width,
            a_turned: false,
            b_turned: false,
            adds: true,
        };
        gpu.multiply(&shared)?;
        match g_head {
            None => Ok(()),
            Some(g_head) => gpu.multiply(&Product {
                b: past(hidden, start * inner).into(),
                c: g_head,
                rows: width,
                depth: count,
                a_turned: true,
                ..shared
            }),
        }
    })?;
    all.resize(rows, 0.0);
    Ok(all)
}

/// Shows each row of logits to `look`.
pub(crate) fn each_row<G: Gpu>(
    gpu: &G,
    matrices: [Address; 2],
    sizes: [usize; 3],
    look: &(dyn Fn(usize, &[f32]) + Sync),
) -> Result<(), G::Err> {
    let width = sizes[2];
    by_lots(gpu, matrices, sizes, |logits, start, count, _| {
        let values = gpu.take::<f32>(logits, count * width)?;
        values.chunks_exact(width).enumerate().for_each(|(row, logits)| look(start + row, logits));
        Ok(())
    })
}

/// The log-probability of `ids[r]` at row r, and the row's entropy.
pub(crate) fn said<G: Gpu>(
    gpu: &G,
    matrices: [Address; 2],
    sizes: [usize; 3],
    ids: &[u32],
) -> Result<Vec<(f64, f64)>, G::Err> {
    let mut all = Vec::with_capacity(ids.len());
    by_lots(gpu, matrices, sizes, |logits, start, count, _| {
        let ids = gpu.keep(&ids[start..start + count])?;
        let [log_probs, entropies] = [gpu.memory(8 * count)?, gpu.memory(8 * count)?];
        let arguments =
            [At(logits), U32(sizes[2] as u32), At(ids.at()), At(log_probs.at()), At(entropies.at())];
        gpu.launch("row_said", Grid(count, 1, threads(sizes[2])), &arguments)?;
        let entropies = gpu.take::<f64>(entropies.at(), count)?;
        all.extend(gpu.take::<f64>(log_probs.at(), count)?.into_iter().zip(entropies));
        Ok(())
    })?;
    Ok(all)
}
