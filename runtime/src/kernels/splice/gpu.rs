use crate::kernels::gpu::{Address, Argument::*, Gpu, Grid, Held};

/// For each of `count` rows the one that stands in its place, as the kernels read it.
fn standing(places: &[usize], count: usize) -> Vec<u32> {
    let mut from = vec![u32::MAX; count];
    places.iter().zip(0..).for_each(|(&place, row)| from[place] = row);
    from
}

/// `count` rows of `width` values come out.
pub(crate) fn splice<G: Gpu>(
    gpu: &G,
    [into, rows]: [Address; 2],
    places: &[usize],
    out: Address,
    [count, width]: [usize; 2],
) -> Result<(), G::Err> {
    if count == 0 || width == 0 {
        return Ok(());
    }
    let from = gpu.keep(&standing(places, count))?;
    let arguments = [At(into), At(rows), At(from.at()), At(out), U32(width as u32)];
    gpu.launch("splice_rows", Grid::of_rows(count, width), &arguments)
}

pub(crate) fn splice_backward<G: Gpu>(
    gpu: &G,
    places: &[usize],
    g: Address,
    [g_into, g_rows]: [Address; 2],
    [count, width]: [usize; 2],
) -> Result<(), G::Err> {
    if count == 0 || width == 0 {
        return Ok(());
    }
    let from = gpu.keep(&standing(places, count))?;
    let arguments = [At(from.at()), At(g), At(g_into), At(g_rows), U32(width as u32)];
    gpu.launch("splice_rows_backward", Grid::of_rows(count, width), &arguments)
}
