use crate::kernels::gpu::{Address, Argument::*, Gpu, Grid, Held};

pub(crate) fn select<G: Gpu>(
    gpu: &G,
    x: Address,
    rows: &[usize],
    out: Address,
    width: usize,
) -> Result<(), G::Err> {
    if rows.is_empty() || width == 0 {
        return Ok(());
    }
    let numbers = gpu.keep(&rows.iter().map(|&row| row as u32).collect::<Vec<_>>())?;
    let arguments = [At(x), At(numbers.at()), At(out), U32(width as u32)];
    gpu.launch("select_rows", Grid::of_rows(rows.len(), width), &arguments)
}

pub(crate) fn select_backward<G: Gpu>(
    gpu: &G,
    rows: &[usize],
    width: usize,
    g: Address,
    g_x: Address,
) -> Result<(), G::Err> {
    if rows.is_empty() || width == 0 {
        return Ok(());
    }
    // what goes to one row stands together, in its order
    let mut order: Vec<u32> = (0..rows.len() as u32).collect();
    order.sort_by_key(|&i| rows[i as usize]);
    let (mut targets, mut starts) = (Vec::new(), Vec::new());
    for (at, &i) in order.iter().enumerate() {
        let row = rows[i as usize] as u32;
        if targets.last() != Some(&row) {
            targets.push(row);
            starts.push(at as u32);
        }
    }
    starts.push(order.len() as u32);
    let [to, from, by] = [gpu.keep(&targets)?, gpu.keep(&starts)?, gpu.keep(&order)?];
    let arguments = [At(g), At(to.at()), At(from.at()), At(by.at()), At(g_x), U32(width as u32)];
    gpu.launch("select_rows_backward", Grid::of_rows(targets.len(), width), &arguments)
}
