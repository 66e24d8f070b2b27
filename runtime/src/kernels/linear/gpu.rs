use crate::kernels::gpu::{Address, Argument::*, Factor, Gpu, Grid, Product};
use crate::kernels::rms_norm::sum_shares;

/// `out = x · weightᵀ + bias` for so many rows, values in and values out.
pub(crate) fn linear<G: Gpu>(
    gpu: &G,
    x: Address,
    weight: Factor,
    bias: Option<Address>,
    out: Address,
    [rows, inner, outer]: [usize; 3],
) -> Result<(), G::Err> {
    if rows * outer == 0 {
        return Ok(());
    }
    if let Some(bias) = bias {
        let count = rows * outer;
        let arguments = [At(bias), At(out), U32(outer as u32), U64(count as u64)];
        gpu.launch("repeat_row", Grid::of(count), &arguments)?;
    }
    gpu.multiply(&Product {
        a: x.into(),
        b: weight,
        c: out,
        rows,
        columns: outer,
        depth: inner,
        a_turned: false,
        b_turned: true,
        adds: bias.is_some(),
    })
}

/// `g_x += g · weight`.
pub(crate) fn linear_backward<G: Gpu>(
    gpu: &G,
    [weight, g]: [Address; 2],
    g_x: Address,
    [rows, inner, outer]: [usize; 3],
) -> Result<(), G::Err> {
    if rows * inner * outer == 0 {
        return Ok(());
    }
    gpu.multiply(&Product {
        a: g.into(),
        b: weight.into(),
        c: g_x,
        rows,
        columns: inner,
        depth: outer,
        a_turned: false,
        b_turned: false,
        adds: true,
    })
}

/// `g_weight += gᵀ · x`, and the sums of g's columns into the bias's gradient.
pub(crate) fn linear_learn<G: Gpu>(
    gpu: &G,
    [x, g]: [Address; 2],
    g_weight: Address,
    g_bias: Option<Address>,
    [rows, inner, outer]: [usize; 3],
) -> Result<(), G::Err> {
    if rows * outer == 0 {
        return Ok(());
    }
    gpu.multiply(&Product {
        a: g.into(),
        b: x.into(),
        c: g_weight,
        rows: outer,
        columns: inner,
        depth: rows,
        a_turned: true,
        b_turned: false,
        adds: true,
    })?;
    let Some(g_bias) = g_bias else { return Ok(()) };
    sum_shares(gpu, rows, outer, g_bias, |parts, grid| {
        gpu.launch("sum_rows", grid, &[At(g), At(parts), U32(outer as u32), U32(rows as u32)])
    })
}
