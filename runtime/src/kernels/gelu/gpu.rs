use crate::kernels::gpu::{Address, Argument::*, Gpu, Grid};

pub(crate) fn gelu<G: Gpu>(gpu: &G, x: Address, out: Address, count: usize) -> Result<(), G::Err> {
    gpu.launch("gelu", Grid::of(count), &[At(x), At(out), U64(count as u64)])
}

pub(crate) fn gelu_backward<G: Gpu>(
    gpu: &G,
    [x, g]: [Address; 2],
    g_x: Address,
    count: usize,
) -> Result<(), G::Err> {
    gpu.launch("gelu_backward", Grid::of(count), &[At(x), At(g), At(g_x), U64(count as u64)])
}
