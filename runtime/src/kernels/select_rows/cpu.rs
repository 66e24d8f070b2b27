use super::SelectKernel;
use crate::kernels::parallel::{self, rows_per_piece, Shared};
use crate::tensor::{cpu_matrix, shape, slice, Buffer, Cpu, HasErr, Matrix};

/// Columns of one task of the backward pass.
const COLUMNS: usize = 64;

impl SelectKernel for Cpu {
    fn select(&self, x: &Matrix<Self>, rows: &[usize]) -> Result<Matrix<Self>, <Self as HasErr>::Err> {
        let (width, values) = (shape(x).1, slice(x));
        // SAFETY: each row of a piece is copied whole.
        let out = unsafe {
            parallel::build(rows.len() * width, rows_per_piece(width) * width.max(1), |start, out| {
                for (to, &row) in out.chunks_exact_mut(width).zip(&rows[start / width..]) {
                    to.write_copy_of_slice(&values[row * width..][..width]);
                }
            })
        };
        cpu_matrix(self, rows.len(), width, out)
    }

    fn select_backward(
        &self,
        rows: &[usize],
        width: usize,
        g: &Buffer<Self>,
        g_x: &mut Buffer<Self>,
    ) -> Result<(), <Self as HasErr>::Err> {
        let target = Shared::new(g_x);
        let columns = if g.len() <= parallel::PIECE { width.max(1) } else { COLUMNS };
        parallel::each(width.div_ceil(columns), |task| {
            let start = task * columns;
            let count = (width - start).min(columns);
            for (i, &row) in rows.iter().enumerate() {
                // SAFETY: a task has its own columns, and `g_x` is borrowed meanwhile.
                let into = unsafe { target.part(row * width + start, count) };
                for (into, from) in into.iter_mut().zip(&g[i * width + start..][..count]) {
                    *into += from;
                }
            }
        });
        Ok(())
    }
}
