use crate::kernels::gpu::{Address, Argument::*, Gpu, Grid};

/// `out = a + scale · b`.
pub(crate) fn add<G: Gpu>(
    gpu: &G,
    [a, b]: [Address; 2],
    scale: f32,
    out: Address,
    count: usize,
) -> Result<(), G::Err> {
    gpu.launch("add", Grid::of(count), &[At(a), At(b), F32(scale), At(out), U64(count as u64)])
}

/// `into += scale · from`.
pub(crate) fn accumulate<G: Gpu>(
    gpu: &G,
    into: Address,
    from: Address,
    scale: f32,
    count: usize,
) -> Result<(), G::Err> {
    gpu.launch("accumulate", Grid::of(count), &[At(into), At(from), F32(scale), U64(count as u64)])
}
