use crate::kernels::gpu::{Address, Argument::*, Gpu, Grid};

pub(crate) fn swiglu<G: Gpu>(
    gpu: &G,
    [gate, up]: [Address; 2],
    out: Address,
    count: usize,
) -> Result<(), G::Err> {
    gpu.launch("swiglu", Grid::of(count), &[At(gate), At(up), At(out), U64(count as u64)])
}

pub(crate) fn swiglu_backward<G: Gpu>(
    gpu: &G,
    [gate, up, g]: [Address; 3],
    [g_gate, g_up]: [Address; 2],
    count: usize,
) -> Result<(), G::Err> {
    let arguments = [At(gate), At(up), At(g), At(g_gate), At(g_up), U64(count as u64)];
    gpu.launch("swiglu_backward", Grid::of(count), &arguments)
}
