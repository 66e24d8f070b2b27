use super::Rates;
use crate::kernels::gpu::{Address, Argument::*, Gpu, Grid, Held};

/// One update of a parameter and its moments; `all` are parameter, gradient and the two moments.
pub(crate) fn adamw<G: Gpu>(gpu: &G, all: [Address; 4], rates: &Rates, count: usize) -> Result<(), G::Err> {
    let r = *rates;
    let numbers = [r.beta1, r.rest1, r.beta2, r.rest2, r.rate, r.root, r.eps, r.keep, r.scale];
    let arguments: Vec<_> =
        all.map(At).into_iter().chain(numbers.map(F32)).chain([U64(count as u64)]).collect();
    gpu.launch("adamw", Grid::of(count), &arguments)
}

pub(crate) fn sum_squares<G: Gpu>(gpu: &G, g: Address, count: usize) -> Result<f64, G::Err> {
    let grid = Grid::of(count);
    let parts = gpu.memory(8 * grid.0)?;
    gpu.launch("sum_squares", grid, &[At(g), At(parts.at()), U64(count as u64)])?;
    Ok(gpu.take::<f64>(parts.at(), grid.0)?.iter().sum())
}

pub(crate) fn is_finite<G: Gpu>(gpu: &G, values: Address, count: usize) -> Result<bool, G::Err> {
    let grid = Grid::of(count);
    let parts = gpu.words(grid.0)?;
    gpu.launch("not_finite", grid, &[At(values), At(parts.at()), U64(count as u64)])?;
    Ok(gpu.take::<u32>(parts.at(), grid.0)?.iter().all(|&found| found == 0))
}
