use crate::kernels::gpu::{Address, Argument::*, Gpu, Grid, Held};

/// `count` floats from `from` on as halves, in memory of their own: 2 bytes each.
pub(crate) fn halves<G: Gpu>(gpu: &G, from: Address, count: usize) -> Result<G::Memory, G::Err> {
    let to = gpu.memory((2 * count).max(8))?;
    if count > 0 {
        gpu.launch("to_half", Grid::of(count), &[At(from), At(to.at()), U64(count as u64)])?;
    }
    Ok(to)
}
