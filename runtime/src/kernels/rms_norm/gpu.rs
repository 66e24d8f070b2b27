use crate::kernels::gpu::{Address, Argument::*, Gpu, Grid, Held};

/// `groups` groups of `width` values.
pub(crate) fn rms_norm<G: Gpu>(
    gpu: &G,
    [x, weight]: [Address; 2],
    epsilon: f32,
    out: Address,
    [groups, width]: [usize; 2],
) -> Result<(), G::Err> {
    let arguments = [At(x), At(weight), F32(epsilon), At(out), U32(width as u32)];
    gpu.launch("rms_norm", Grid::of_rows(groups, width), &arguments)
}

pub(crate) fn rms_norm_backward<G: Gpu>(
    gpu: &G,
    [x, weight, g]: [Address; 3],
    epsilon: f32,
    [g_x, g_weight]: [Address; 2],
    [groups, width]: [usize; 2],
) -> Result<(), G::Err> {
    let scales = gpu.words(groups)?;
    let arguments = [At(x), At(weight), F32(epsilon), At(g), At(g_x), At(scales.at()), U32(width as u32)];
    gpu.launch("rms_norm_backward", Grid::of_rows(groups, width), &arguments)?;
    sum_shares(gpu, groups, width, g_weight, |parts, grid| {
        let sizes = [U32(width as u32), U32(groups as u32)];
        let arguments = [&[At(x), At(g), At(scales.at()), At(parts)][..], &sizes].concat();
        gpu.launch("rms_norm_weight", grid, &arguments)
    })
}

/// Adds to each of `width` sums what `kernel` finds in shares of `rows` rows; the shares are added in order.
pub(crate) fn sum_shares<G: Gpu>(
    gpu: &G,
    rows: usize,
    width: usize,
    sums: Address,
    kernel: impl FnOnce(Address, Grid) -> Result<(), G::Err>,
) -> Result<(), G::Err> {
    // depends on the shape alone, and so do the bits of the sums
    let shares = rows.div_ceil(64).clamp(1, 128);
    let parts = gpu.words(shares * width)?;
    kernel(parts.at(), Grid(width.div_ceil(128), shares, 128))?;
    let arguments = [At(parts.at()), At(sums), U32(width as u32), U32(shares as u32)];
    gpu.launch("add_parts", Grid(width.div_ceil(128), 1, 128), &arguments)
}
