use crate::kernels::gpu::{Address, Argument::*, Gpu, Grid, Held};
use crate::kernels::rms_norm::sum_shares;

/// Of `rows` rows of `width` values.
pub(crate) fn layer_norm<G: Gpu>(
    gpu: &G,
    [x, weight, bias]: [Address; 3],
    epsilon: f32,
    out: Address,
    [rows, width]: [usize; 2],
) -> Result<(), G::Err> {
    if rows == 0 {
        return Ok(());
    }
    let arguments = [At(x), At(weight), At(bias), F32(epsilon), At(out), U32(width as u32)];
    gpu.launch("layer_norm", Grid::of_rows(rows, width), &arguments)
}

pub(crate) fn layer_norm_backward<G: Gpu>(
    gpu: &G,
    [x, weight, g]: [Address; 3],
    epsilon: f32,
    [g_x, g_weight, g_bias]: [Address; 3],
    [rows, width]: [usize; 2],
) -> Result<(), G::Err> {
    if rows == 0 {
        return Ok(());
    }
    let [means, scales] = [gpu.words(rows)?, gpu.words(rows)?];
    let kept = [At(means.at()), At(scales.at())];
    let arguments = [&[At(x), At(weight), F32(epsilon), At(g), At(g_x)][..], &kept, &[U32(width as u32)]];
    gpu.launch("layer_norm_backward", Grid::of_rows(rows, width), &arguments.concat())?;
    let sizes = [U32(width as u32), U32(rows as u32)];
    sum_shares(gpu, rows, width, g_weight, |parts, grid| {
        let arguments = [&[At(x), At(g)][..], &kept, &[At(parts)], &sizes].concat();
        gpu.launch("layer_norm_weight", grid, &arguments)
    })?;
    sum_shares(gpu, rows, width, g_bias, |parts, grid| {
        gpu.launch("sum_rows", grid, &[&[At(g), At(parts)][..], &sizes].concat())
    })
}
