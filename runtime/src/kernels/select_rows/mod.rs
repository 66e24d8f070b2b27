//! Some rows of a matrix, in any order, also repeatedly.

mod cpu;
#[cfg(feature = "cuda")]
mod cuda;
#[cfg(any(test, feature = "cuda"))]
pub(crate) mod gpu;

use super::misfit;
use crate::error::Result;
use crate::tensor::{self, failed, Buffer, Device, Matrix, Slot, Storage, Tape};

/// Selecting rows on a device.
pub trait SelectKernel: Storage<f32> {
    /// Row `rows[i]` of `x` as row i.
    ///
    /// # Errors
    /// When the device fails.
    fn select(&self, x: &Matrix<Self>, rows: &[usize]) -> Result<Matrix<Self>, Self::Err>;

    /// Adds row i of `g`, `width` wide, to row `rows[i]` of `g_x`, in the order of i.
    ///
    /// # Errors
    /// When the device fails.
    fn select_backward(
        &self,
        rows: &[usize],
        width: usize,
        g: &Buffer<Self>,
        g_x: &mut Buffer<Self>,
    ) -> Result<(), Self::Err>;
}

/// Rows `rows` of `x` `[N, d]`: `[R, d]`.
///
/// # Errors
/// When a row is not below N.
pub fn select_rows<D: Device, T: Tape<D>>(
    tape: &mut T,
    x: &Matrix<D>,
    rows: Vec<usize>,
) -> Result<Matrix<D>> {
    let (count, width) = tensor::shape(x);
    if let Some(row) = rows.iter().find(|&&row| row >= count) {
        return Err(misfit("select_rows", format!("row {row} of {count}")));
    }
    let y = x.device().select(x, &rows).map_err(failed)?;
    if T::OWNS_TAPE {
        let [x, out] = [x, &y].map(Slot::of);
        tape.add_backward_op(move |flow| {
            let g = out.whole(flow)?;
            let mut g_x = x.take(flow)?;
            x.device().select_backward(&rows, width, &g, &mut g_x)?;
            x.put(flow, g_x);
            Ok(())
        });
    }
    Ok(y)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::check;
    use crate::kernels::embed::embed;

    #[test]
    fn backward_agrees_with_differences() {
        check::differences(&[(5, 70)], 1e-3, |tape, x| select_rows(tape, &x[0], vec![3, 0, 3, 4]));
        check::differences(&[(6, 9)], 1e-3, |tape, x| embed(tape, &x[0], &[5, 5, 1]));
    }

    #[test]
    fn a_row_or_an_id_outside_is_refused() {
        let x = check::matrix(3, 2, 1);
        let tape = &mut tensor::NoneTape;
        assert!(select_rows(tape, &x, vec![3]).is_err());
        let error = embed(tape, &x, &[0, 7]).unwrap_err().to_string();
        assert!(error.contains("token id 7") && error.contains("vocabulary of 3"), "{error}");
    }
}
