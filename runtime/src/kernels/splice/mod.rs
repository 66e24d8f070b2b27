//! Rows of one matrix in the places of rows of another: what an image shows among the tokens of a prompt.

mod cpu;
#[cfg(feature = "cuda")]
mod cuda;
#[cfg(any(test, feature = "cuda"))]
pub(crate) mod gpu;

use super::misfit;
use crate::error::Result;
use crate::tensor::{self, failed, Buffer, Device, Matrix, Slot, Storage, Tape};

/// Splicing rows on a device.
pub trait SpliceKernel: Storage<f32> {
    /// `into`, with row i of `rows` in the place of its row `places[i]`.
    ///
    /// # Errors
    /// When the device fails.
    fn splice(
        &self,
        into: &Matrix<Self>,
        rows: &Matrix<Self>,
        places: &[usize],
    ) -> Result<Matrix<Self>, Self::Err>;

    /// Adds the output's gradient `g` to that of `into` but for the rows at `places`, and these to that of the rows that
    /// stand there. Rows are `width` wide.
    ///
    /// # Errors
    /// When the device fails.
    fn splice_backward(
        &self,
        places: &[usize],
        width: usize,
        g: &Buffer<Self>,
        g_into: &mut Buffer<Self>,
        g_rows: &mut Buffer<Self>,
    ) -> Result<(), Self::Err>;
}

/// `into` `[N, d]`, with row i of `rows` `[M, d]` in the place of its row `places[i]`; the places rise.
///
/// # Errors
/// When the shapes do not fit, or a place is not below N or not above the one before it.
pub fn splice<D: Device, T: Tape<D>>(
    tape: &mut T,
    into: &Matrix<D>,
    rows: &Matrix<D>,
    places: Vec<usize>,
) -> Result<Matrix<D>> {
    let ((count, width), own) = (tensor::shape(into), tensor::shape(rows));
    let rising = places.windows(2).all(|pair| pair[0] < pair[1]);
    if own != (places.len(), width) || !rising || places.last().is_some_and(|&last| last >= count) {
        let what = format!("{own:?} at {} places among {count} rows of {width}", places.len());
        return Err(misfit("splice", what));
    }
    let y = into.device().splice(into, rows, &places).map_err(failed)?;
    if T::OWNS_TAPE {
        let [of_into, of_rows, out] = [into, rows, &y].map(Slot::of);
        tape.add_backward_op(move |flow| {
            let g = out.whole(flow)?;
            let (mut g_into, mut g_rows) = (of_into.take(flow)?, of_rows.take(flow)?);
            out.device().splice_backward(&places, width, &g, &mut g_into, &mut g_rows)?;
            of_into.put(flow, g_into);
            of_rows.put(flow, g_rows);
            Ok(())
        });
    }
    Ok(y)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::check;

    #[test]
    fn backward_agrees_with_differences() {
        check::differences(&[(5, 7), (2, 7)], 1e-3, |tape, x| splice(tape, &x[0], &x[1], vec![1, 4]));
    }

    #[test]
    fn rows_stand_where_they_are_put() {
        let (into, rows) = (check::matrix(4, 3, 1), check::matrix(2, 3, 2));
        let y = splice(&mut tensor::NoneTape, &into, &rows, vec![0, 2]).unwrap();
        let expected = [
            &tensor::slice(&rows)[..3],
            &tensor::slice(&into)[3..6],
            &tensor::slice(&rows)[3..],
            &tensor::slice(&into)[9..],
        ];
        assert_eq!(tensor::slice(&y), expected.concat());
    }

    #[test]
    fn places_that_do_not_fit_are_refused() {
        let (into, rows, tape) = (check::matrix(4, 3, 1), check::matrix(2, 3, 2), &mut tensor::NoneTape);
        for places in [vec![0], vec![0, 4], vec![2, 1], vec![1, 1]] {
            assert!(splice(tape, &into, &rows, places).is_err());
        }
        assert!(splice(tape, &into, &check::matrix(2, 4, 2), vec![0, 1]).is_err());
    }
}
