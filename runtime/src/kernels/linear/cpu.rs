use super::LinearKernel;
use crate::kernels::add::increase;
use crate::kernels::matmul::{accumulate, product, Left, Panels, Side};
use crate::kernels::parallel::rows_per_piece;
use crate::tensor::{cpu_buffer, cpu_matrix, shape, slice, Buffer, Cpu, HasErr, Matrix};
use rayon::prelude::*;

/// Weights packed for products with their transpose.
#[derive(Debug)]
pub struct Packed(Panels);

impl LinearKernel for Cpu {
    type Prepared = Packed;

    fn prepare(&self, weight: &Matrix<Self>) -> Result<Packed, <Self as HasErr>::Err> {
        let (outer, inner) = shape(weight);
        Ok(Packed(Panels::of_columns(slice(weight), inner, outer)))
    }

    fn linear(
        &self,
        x: &Matrix<Self>,
        weight: &Matrix<Self>,
        prepared: Option<&Packed>,
        bias: Option<&Matrix<Self>>,
    ) -> Result<Matrix<Self>, <Self as HasErr>::Err> {
        let ((rows, inner), outer) = (shape(x), shape(weight).0);
        let left = Left::rows(slice(x), rows, inner);
        let right = match prepared {
            Some(Packed(panels)) => panels.right().into(),
            None => Side::Columns { values: slice(weight), depth: inner, columns: outer },
        };
        cpu_matrix(self, rows, outer, product(left, right, bias.map(slice)))
    }

    fn linear_backward(
        &self,
        weight: &Matrix<Self>,
        g: &Buffer<Self>,
        g_x: Option<Buffer<Self>>,
    ) -> Result<Buffer<Self>, <Self as HasErr>::Err> {
        let (outer, inner) = shape(weight);
        let left = Left::rows(g, g.len() / outer.max(1), outer);
        let right = Side::Rows { values: slice(weight), depth: outer, columns: inner };
        match g_x {
            Some(mut g_x) => {
                accumulate(left, right, &mut g_x);
                Ok(g_x)
            }
            None => cpu_buffer(self, product(left, right, None)),
        }
    }

    fn linear_learn(
        &self,
        x: &Matrix<Self>,
        g: &Buffer<Self>,
        g_weight: &mut Buffer<Self>,
        g_bias: Option<&mut Buffer<Self>>,
    ) -> Result<(), <Self as HasErr>::Err> {
        let (rows, inner) = shape(x);
        let outer = g_weight.len() / inner.max(1);
        let x = Panels::of_rows(slice(x), rows, inner);
        accumulate(Left::columns(g, outer, outer), x.right(), g_weight);
        if let Some(g_bias) = g_bias {
            let parts: Vec<_> =
                g.par_chunks(rows_per_piece(outer) * outer).map(|g| sum_rows(g, outer)).collect();
            parts.iter().for_each(|part| increase(g_bias, part));
        }
        Ok(())
    }
}

fn sum_rows(values: &[f32], width: usize) -> Vec<f32> {
    let mut sum = vec![0.0; width];
    values.chunks_exact(width).for_each(|row| increase(&mut sum, row));
    sum
}
