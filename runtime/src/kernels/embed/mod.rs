//! Token ids to rows of a table.

use super::select_rows::select_rows;
use crate::error::{Error, Result};
use crate::tensor::{self, Device, Matrix, Tape};

/// The rows of `table` `[V, d]` that `ids` name: `[N, d]`.
///
/// # Errors
/// When an id is not below V.
pub fn embed<D: Device, T: Tape<D>>(tape: &mut T, table: &Matrix<D>, ids: &[u32]) -> Result<Matrix<D>> {
    within(ids, tensor::shape(table).0)?;
    select_rows(tape, table, ids.iter().map(|&id| id as usize).collect())
}

/// Whether every id is one of a vocabulary of so many.
///
/// # Errors
/// The first that is not.
pub(crate) fn within(ids: &[u32], vocabulary: usize) -> Result<()> {
    match ids.iter().find(|&&id| id as usize >= vocabulary) {
        None => Ok(()),
        Some(id) => {
            Err(Error::call(format!("token id {id} is outside the model's vocabulary of {vocabulary}"))
                .next("check that the tokenizer belongs to this model"))
        }
    }
}
